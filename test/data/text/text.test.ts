/** Tokenizers against Python's, and passages of the speeches that set-up fetches. */
import { strict as assert } from 'node:assert';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cacheFolder, readTokenizer, sourceFiles, speeches } from 'attention-capacity/data';
import { InputError } from 'attention-capacity/input-error';
import { GOLDEN, readGolden } from '../../models/golden';

const folder = mkdtempSync(join(tmpdir(), 'tokenizers-'));
after(() => rmSync(folder, { recursive: true }));

type Tokens = Record<'all-MiniLM-L6-v2' | 'gpt2-tokenizer', number[][]> & { texts: string[] };

for (const name of ['all-MiniLM-L6-v2', 'gpt2-tokenizer'] as const) {
  test(`${name}: the same tokens as Python's tokenizers gives`, async () => {
    const golden = readGolden<Tokens>('tokens');
    const { before, after: behind, encode } = await readTokenizer(cacheFolder('language', name));
    assert.deepEqual([before, behind], name === 'gpt2-tokenizer' ? [[], []] : [[101], [102]]);
    golden.texts.forEach((text, i) => assert.deepEqual([...before, ...encode(text), ...behind], golden[name][i], text));
  });
}

test('a vocabulary without tokenizer.json is the same tokenizer', async () => {
  for (const name of ['checkpoint-bert', 'checkpoint-gpt2-sharded']) {
    const { lines, ids } = readGolden<{ lines: string[]; ids: number[][] }>(name);
    const copy = join(folder, name);
    cpSync(join(GOLDEN, name), copy, { recursive: true });
    rmSync(join(copy, 'tokenizer.json'));
    for (const place of [join(GOLDEN, name), copy]) {
      const { before, after: behind, encode } = await readTokenizer(place);
      lines.forEach((line, i) => assert.deepEqual([...before, ...encode(line), ...behind], ids[i], line));
    }
  }
});

test('a folder without a tokenizer, or with a broken one, is an InputError that says what to put there', async () => {
  await assert.rejects(
    readTokenizer(folder),
    (error: Error) => error instanceof InputError && /put its tokenizer\.json there/.test(error.message),
  );
  for (const content of ['{', '{"version": "1.0"}']) {
    writeFileSync(join(folder, 'tokenizer.json'), content);
    await assert.rejects(readTokenizer(folder), InputError);
  }
});

test('passages follow from the seed, have their special tokens, and do not overlap', async () => {
  const tokenizer = await readTokenizer(cacheFolder('language', 'all-MiniLM-L6-v2'));
  const some = await speeches({ tokenizer, n: 32, count: 40, seed: 1 });
  assert.deepEqual([some.name, some.count, some.n], ['speeches', 40, 32]);
  for (const { licence } of await sourceFiles('text')) assert.match(licence, /CC0/);
  const rows = Array.from({ length: 40 }, (_, i) => [...some.tokens(i)]);
  for (const row of rows) {
    assert.equal(row.length, 32);
    assert.deepEqual([row[0], row[31]], [101, 102]);
    assert.ok(row.slice(1, -1).every((id) => id > 103 && id < 30522));
  }
  // Of 30 tokens, two passages that overlap would share most.
  assert.equal(new Set(rows.map(String)).size, 40);
  const triples = rows.map((row) => new Set(row.slice(1, -3).map((_, i) => row.slice(i + 1, i + 9).join())));
  triples.forEach((own, i) =>
    triples.slice(i + 1).forEach((other) => assert.ok([...own].filter((triple) => other.has(triple)).length < 5)),
  );
  const more = await speeches({ tokenizer, n: 32, count: 50, seed: 1 });
  rows.forEach((row, i) => assert.deepEqual([...more.tokens(i)], row));
  const other = await speeches({ tokenizer, n: 32, count: 40, seed: 2 });
  assert.notDeepEqual([...other.tokens(0)], rows[0]);
  assert.equal(more.hash, some.hash, 'so the features of one serve the other');
  assert.notEqual(other.hash, some.hash);
  await assert.rejects(
    speeches({ tokenizer, n: 2, count: 1 }),
    (error) =>
      error instanceof InputError &&
      error.message === 'n: expected more tokens per passage than the 2 special ones, got 2',
  );
});
