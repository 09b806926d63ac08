/** The language models under the paper's tests, with the paper's own in a hub cache. */
import { strict as assert } from 'node:assert';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { languageCurves, languageSystems, testLanguage } from 'attention-capacity';
import { languageFindings, languageMarginFigure, languageModelTable, languageTable } from 'attention-capacity';
import { GOLDEN } from '../../models/golden';

const home = mkdtempSync(join(tmpdir(), 'hub-home-'));
const before = process.env.HF_HOME;
process.env.HF_HOME = home;
after(() => {
  if (before === undefined) delete process.env.HF_HOME;
  else process.env.HF_HOME = before;
  rmSync(home, { recursive: true });
});

/** A small checkpoint in the place of one of the paper's, as the hub's own tools lay it out. */
function place(checkpoint: string, repository: string): void {
  const folder = join(home, 'hub', repository);
  cpSync(join(GOLDEN, checkpoint), join(folder, 'snapshots', 'a1b2'), { recursive: true });
  mkdirSync(join(folder, 'refs'));
  writeFileSync(join(folder, 'refs', 'main'), 'a1b2');
}

const options = { tokens: 8, depth: 2, randomDepth: 2, seed: 0 } as const;

test('by default a trained BERT and a random GPT-2, each at its own sizes', async () => {
  const systems = await languageSystems({ ...options, tokens: 1024, depth: 99, randomDepth: 99 });
  const sizes = systems.map(({ model, n, layers }) => [model.name, n, layers.length, layers[1].d, layers[1].input]);
  assert.deepEqual(sizes, [
    ['trained-minilm', 256, 7, 384, 'tokens'],
    ['random-gpt2', 512, 13, 768, 'tokens'],
  ]);
});

test("the paper's own models give its rows where they are in a hub cache", async () => {
  place('checkpoint-gpt2-sharded', 'models--openai-community--gpt2-large');
  place('checkpoint-bert', 'models--bert-large-uncased');
  const systems = (await languageSystems(options)).slice(2);
  assert.deepEqual(
    systems.map(({ model, n, layers }) => [model.name, n, layers.map(({ name }) => name)]),
    [
      ['gpt2-large', 8, ['gpt2-large-embeddings', 'gpt2-large-layer-1', 'gpt2-large-layer-2']],
      [
        'bert-large-uncased',
        8,
        ['bert-large-uncased-embeddings', 'bert-large-uncased-layer-1', 'bert-large-uncased-layer-2'],
      ],
    ],
  );
  const results = [
    ...(await testLanguage(systems, { passages: 24, draws: 20, seed: 0, precision: 'float32' })),
    ...(await testLanguage(systems, { passages: 24, draws: 20, seed: 0, precision: 'float64' })),
  ];
  assert.equal(results.length, 2 * 2 * 3 * 4);
  for (const result of results) {
    assert.deepEqual([result.examples, result.exampleCount, result.n, result.d], ['speeches', 32, 8, 16]);
    const { fraction, statement, k } = result;
    assert.ok(fraction >= 0 && fraction <= 1);
    assert.equal(k, statement === 'general-position' ? 16 : 8);
    // [CLS] is the same vector for every passage.
    if (result.system === 'bert-large-uncased-embeddings' && ['A1', 'general-position'].includes(statement)) {
      assert.deepEqual([fraction, Object.keys(result.ranks)], [0, ['1']]);
    }
  }
  const { rows } = languageTable(results);
  assert.equal(rows.length, 6);
  assert.deepEqual(
    rows.map(({ paper }) => paper),
    ['k = n: 0, k = d: 0', 'k = n: 1, k = d: 0', null, 'k = n: 0, k = d: 0', 'k = n: 0', null],
  );
  assert.equal(rows[3]['float64 ranks'], '1');
  assert.equal(languageModelTable(systems).rows.length, 2);
  assert.match(languageMarginFigure(systems, results).alt, /gpt2-large, k = n: layer/);
  const { all, headline } = languageFindings(systems, results);
  assert.match(all, /\[CLS\] is the same vector for every passage/);
  assert.match(
    headline,
    /^gpt2-large: k = n in \d of 3 layers at float32's tolerance, \d at float64's; bert-large-uncased: /,
  );
  assert.match(all, /gpt2-large: every context has rank n in layers 0–2 \(float32\) and in layers 0–2 \(float64\)\./);
  const oneShort = results.map((result) =>
    result.system === 'gpt2-large-layer-1' && result.statement === 'A2' && result.precision === 'float32'
      ? { ...result, draws: 2000, satisfied: 1999, fraction: 0.9995 }
      : result,
  );
  assert.match(
    languageFindings(systems, oneShort).all,
    /gpt2-large: every context has rank n in layers 0, 2 \(float32; 1 of 2000 fall short in layer 1\) and/,
  );

  const curves = await languageCurves(systems, { passages: 24, permutations: 5, seed: 0, precision: 'float64' });
  assert.deepEqual(
    curves.map(({ system, d, curve }) => [system, d, curve.points.length]),
    ['gpt2-large-layer-1', 'gpt2-large-layer-2', 'bert-large-uncased-layer-1', 'bert-large-uncased-layer-2'].map(
      (system) => [system, 16, 16],
    ),
  );
});
