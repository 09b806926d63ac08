import assert from 'node:assert/strict';
import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readNpy, writeNpy } from 'attention-capacity/data';
import { difference, GOLDEN, readGolden, type Picks } from '../models/golden';
import { architectures } from 'attention-capacity/models';
import { attentionCapacity, json, refusal, temporaryFolder } from './command';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

interface Golden {
  readonly lines: readonly string[];
  readonly ids: readonly (readonly number[])[];
  readonly layers: readonly Picks[];
}

for (const name of ['checkpoint-bert', 'checkpoint-gpt2-sharded']) {
  const model = join(GOLDEN, name);
  const { lines, ids, layers } = readGolden<Golden>(name);
  const n = Math.max(...ids.map(({ length }) => length));

  test(`${name}: text gives the hidden states that transformers gives, padding masked`, async () => {
    writeFileSync(at('lines.txt'), `${lines.join('\n')}\n`);
    for (const precision of ['float32', 'float64'] as const) {
      for (const layer of [0, 1, 2]) {
        const { status, stderr } = await attentionCapacity(
          ...['features', '--model', model, '--layer', String(layer), '--text', at('lines.txt')],
          ...['--precision', precision, '--out', at('queries.npy'), '--contexts', at('contexts.npy')],
          ...['--context-ranks', at('ranks.npy')],
        );
        assert.equal(status, 0, stderr);
        assert.match(stderr, /^note: 2 of 3 passages have fewer than \d+ tokens; the rows after their own are 0$/m);
        assert.match(stderr, /^note: .*not used: /m);
        const contexts = await readNpy(at('contexts.npy'));
        assert.deepEqual([contexts.dtype, contexts.shape], [precision, [3, n, 16]]);
        const values = contexts.data as Float64Array;
        const error = difference(`layer ${layer}`, values, contexts.shape, layers[layer]);
        assert.ok(error < (precision === 'float64' ? 1e-10 : 1e-5), `${error}`);
        const queries = (await readNpy(at('queries.npy'))).data as Float64Array;
        const rounding = precision === 'float64' ? 1e-14 : 1e-6;
        ids.forEach(({ length }, t) => {
          const row = name === 'checkpoint-bert' ? 0 : length - 1;
          for (let i = 0; i < 16; i++) {
            assert.ok(Math.abs(queries[t * 16 + i] - values[(t * n + row) * 16 + i]) < rounding);
          }
        });
        const ranks = await readNpy(at('ranks.npy'));
        ids.forEach(({ length }, t) => assert.ok(Number(ranks.data[t]) <= Math.min(length, 16)));
      }
    }
  });

  test(`${name}: token numbers are taken as they are`, async () => {
    const row = Int32Array.from(ids[1]);
    await writeNpy(at('ids.npy'), { data: Int32Array.of(...row, ...row), shape: [2, row.length] });
    writeFileSync(at('line.txt'), lines[1]);
    const options = ['--model', model, '--layer', '2', '--precision', 'float64'];
    await json('features', ...options, '--tokens', at('ids.npy'), '--out', at('tokens.npy'));
    await json('features', ...options, '--text', at('line.txt'), '--out', at('text.npy'));
    const [both, one] = [await readNpy(at('tokens.npy')), await readNpy(at('text.npy'))];
    assert.deepEqual(
      [both.shape, one.shape],
      [
        [2, 16],
        [1, 16],
      ],
    );
    const expected = one.data as Float64Array;
    (both.data as Float64Array).forEach((value, i) => assert.ok(Math.abs(value - expected[i % 16]) < 1e-14));
  });
}

test('each bad input gets one line, and nothing is written', async () => {
  const bert = ['--model', join(GOLDEN, 'checkpoint-bert')];
  const layer = ['--layer', '1'];
  const out = ['--out', at('refused.npy')];
  const untold = at('untold');
  cpSync(bert[1], untold, { recursive: true });
  for (const file of ['tokenizer.json', 'vocab.txt']) rmSync(join(untold, file));
  const other = at('other');
  cpSync(bert[1], other, { recursive: true });
  writeFileSync(join(other, 'config.json'), JSON.stringify({ model_type: 't5' }));
  writeFileSync(at('ok.txt'), 'times');
  writeFileSync(at('empty.txt'), '');
  writeFileSync(at('gap.txt'), 'times\n\ntimes\n');
  writeFileSync(at('latin.txt'), Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x0a]));
  await writeNpy(at('large.npy'), { data: Int32Array.of(1, 999), shape: [1, 2] });
  await writeNpy(at('long.npy'), { data: new Int32Array(41), shape: [1, 41] });
  await writeNpy(at('floats.npy'), { data: new Float32Array(2), shape: [1, 2] });
  const text = ['--text', at('ok.txt')];
  const cases: [string[], RegExp][] = [
    [[...bert, ...layer, ...out, '--images', 'photos'], /takes text: it expects --text or --tokens, not images/],
    [[...bert, ...layer, ...out, ...text, '--tokens', at('large.npy')], /cannot be used with option/],
    [[...bert, '--layer', '3', ...out, ...text], /expected a layer from 0 \(the embeddings\) to 2, got 3/],
    [[...bert, '--layer', 'attention', ...out, ...text], /--layer attention expects a network that takes images/],
    [[...bert, ...layer, ...out, '--text', at('nowhere.txt')], /nowhere\.txt'/],
    [
      [...bert, ...layer, ...out, '--text', at('empty.txt')],
      /empty\.txt': expected one passage per line, got an empty file/,
    ],
    [[...bert, ...layer, ...out, '--text', at('gap.txt')], /got an empty line 2/],
    [[...bert, ...layer, ...out, '--text', at('latin.txt')], /expected text in UTF-8/],
    [[...bert, ...layer, ...out, '--tokens', at('large.npy')], /got 999 in row 0/],
    [[...bert, ...layer, ...out, '--tokens', at('long.npy')], /expected at most 40 tokens per row, .* got 41/],
    [
      [...bert, ...layer, ...out, '--tokens', at('floats.npy')],
      /expected token numbers in int32 or int64, got float32/,
    ],
    [['--model', untold, ...layer, ...out, ...text], /put its tokenizer\.json there .*, or use --tokens/],
    [['--model', other, ...layer, ...out, ...text], /model_type among beit, bert, .*, llama, .*, got "t5"/],
  ];
  for (const [args, expected] of cases) assert.match(await refusal('features', ...args), expected);
  assert.ok(!existsSync(at('refused.npy')));
});

test('help lists every architecture that is read', async () => {
  const { status, stdout } = await attentionCapacity('features', '--help');
  assert.equal(status, 0);
  const listed = [...stdout.matchAll(/^ {2}(?:text|images): (.*)$/gm)].flatMap(([, types]) => types.split(', '));
  assert.deepEqual(listed.sort(), Object.keys(architectures).sort());
});

test('a passage longer than the positions is cut, and it is said', async () => {
  writeFileSync(at('long.txt'), `${'times '.repeat(60)}\n`);
  const { status, stderr } = await attentionCapacity(
    ...['features', '--model', join(GOLDEN, 'checkpoint-bert'), '--layer', '1', '--text', at('long.txt')],
    ...['--out', at('cut.npy'), '--contexts', at('cut-contexts.npy')],
  );
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^note: 1 of 1 passages cut to the network's 40 tokens$/m);
  assert.deepEqual((await readNpy(at('cut-contexts.npy'))).shape, [1, 40, 16]);
});
