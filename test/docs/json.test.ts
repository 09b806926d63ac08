/** docs/json.md against what the commands print: each example has the keys, and the kinds of values, of the real document. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testAssumptions } from 'attention-capacity/experiments/assumptions/measure';
import { writeNpy } from 'attention-capacity/data';
import { assumptionRows } from 'attention-capacity/experiments/assumptions/tables';
import { randomSource } from 'attention-capacity/tensor';
import { fakeLayer, noiseImages } from '../features/fake-layer';
import { json, temporaryFolder } from '../cli/command';
import { root } from '../setup/scripts';

const page = readFileSync(join(root, 'docs', 'json.md'), 'utf8');
const folder = temporaryFolder();
const commands = [
  ...page.matchAll(/^```sh\nnpx --no-install attention-capacity (.*) --json\n```\n\n```json\n([\s\S]*?)^```$/gm),
];

/** `tests[].ci95[]: number`, …: the paths of a document and the kinds of what they lead to, each once, sorted. */
function kinds(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => kinds(item, `${path}[]`)))].sort();
  if (value === null || typeof value !== 'object') return [`${path}: ${value === null ? 'null' : typeof value}`];
  const below = Object.entries(value).flatMap(([key, item]) => {
    // Ranks, and what decided verdicts, are keys where they are counted.
    const counted = /^\d+$/.test(key) || path.endsWith('.decidedBy');
    return kinds(item, `${path}.${counted ? 'N' : key}`);
  });
  return [...new Set(below)].sort();
}

test('an example of each command', () => {
  assert.deepEqual(
    commands.map(([, command]) => command.split(' ')[0]),
    ['rank', 'rank', 'memorize', 'memorize', 'capacity', 'capacity'],
  );
});

for (const [, command, document] of commands) {
  test(command, async () => {
    const [T, d] = [60, 12];
    const random = randomSource(1, 'rows');
    const rows = Float64Array.from({ length: T * d }, () => random.normal());
    for (let c = 0; c < d; c++) rows[55 * d + c] = rows[3 * d + c] + rows[20 * d + c] + rows[41 * d + c];
    await writeNpy(join(folder, 'rows.npy'), { data: rows, shape: [T, d] });
    // An edge {a, b} of the Petersen graph has 1 at a and -1 at b.
    const edges = [0, 1, 2, 3, 4].flatMap((i) => [
      [i, (i + 1) % 5],
      [i, i + 5],
      [i + 5, ((i + 2) % 5) + 5],
    ]);
    const lines = edges.map(([a, b]) => Array.from({ length: 10 }, (_, c) => Number(c === a) - Number(c === b)).join());
    writeFileSync(join(folder, 'petersen.csv'), lines.join('\n'));
    const args = command.split(' ').map((word) => (/^(rows|petersen)\./.test(word) ? join(folder, word) : word));
    assert.deepEqual(kinds(JSON.parse(document)), kinds(await json<unknown>(...args)));
  });
}

test('the rows of the first report', async (context) => {
  const [, document] = /^```json\n(\{\n {2}"tables"[\s\S]*?)^```$/m.exec(page) ?? [];
  const { tables, ...about } = JSON.parse(document) as { tables: Record<string, unknown[]> };
  assert.deepEqual([Object.keys(tables), Object.keys(about)], [['assumptions'], ['headlines', 'run']]);
  const cacheBefore = process.env.ATTENTION_CACHE;
  context.after(() => {
    if (cacheBefore === undefined) delete process.env.ATTENTION_CACHE;
    else process.env.ATTENTION_CACHE = cacheBefore;
  });
  process.env.ATTENTION_CACHE = join(folder, 'cache');
  const options = { draws: 5, seed: 0, precision: 'float64' } as const;
  const { rows } = assumptionRows(await testAssumptions([fakeLayer('plain')], noiseImages(30), options));
  assert.deepEqual(kinds(tables.assumptions), kinds(rows));
});
