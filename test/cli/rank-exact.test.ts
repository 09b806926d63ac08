/** `rank --exact` on whole numbers that float64 does not hold, and on floats as the rationals that they are. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeNpy, type NpyData } from 'attention-capacity/data';
import type { RankResult } from 'attention-capacity/cli/rank-text';
import { attentionCapacity, json, refusal, temporaryFolder } from './command';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

/** Its `kruskalRank`, dtype and counts of ranks. */
async function exactly(path: string, ...options: string[]) {
  const result = await json<RankResult>('rank', path, '--exact', '--search', '--draws', '40', ...options);
  const { exact, rtol, precision, dtype, tests, kruskalRank } = result;
  assert.deepEqual({ exact, rtol, precision }, { exact: true, rtol: null, precision: 'exact' });
  for (const { tolerance, ranksDraws, sigmaRatio } of tests) {
    assert.deepEqual([tolerance, ranksDraws, sigmaRatio], [0, 40, { draws: 0, min: null, median: null }]);
  }
  return { dtype, ranks: tests[0].ranks, ...kruskalRank };
}

test('whole numbers beyond 2^53, in .csv and in .npy of int64 and uint64', async () => {
  // Twice the first row but for one unit in the last place; rounded to float64 they are parallel.
  const [a, b] = [2n ** 62n + 1n, 2n ** 53n + 1n];
  const independent = [a, b, a, b + 1n];
  const dependent = [3n * b, b, 6n * b, 2n * b];
  const cases: [string, bigint[], boolean][] = [
    ['independent', independent, true],
    ['dependent', dependent, false],
  ];
  for (const [name, values, isIndependent] of cases) {
    const files: [string, NpyData | string, string][] = [
      [`${name}.csv`, `${values.slice(0, 2).join()}\n${values.slice(2).join()}\n`, 'whole'],
      [`${name}-int64.npy`, BigInt64Array.from(values), 'int64'],
      [`${name}-uint64.npy`, BigUint64Array.from(values), 'uint64'],
    ];
    for (const [file, data, type] of files) {
      if (typeof data === 'string') writeFileSync(at(file), data);
      else await writeNpy(at(file), { data, shape: [2, 2] });
      const { dtype, ranks, atLeast, atMost, witness, relation } = await exactly(at(file));
      assert.equal(dtype, type);
      assert.deepEqual(ranks, { [isIndependent ? 2 : 1]: 40 }, file);
      assert.deepEqual([atLeast, atMost], isIndependent ? [2, 2] : [1, 1], file);
      assert.deepEqual(
        [witness, relation],
        isIndependent
          ? [null, null]
          : [
              [0, 1],
              ['-2', '1'],
            ],
        file,
      );
    }
  }
});

test('small whole numbers of every type', async () => {
  for (const [data, type] of [
    [Int8Array.of(1, -2, -128, 127, 3, -6), 'int8'],
    [Int16Array.of(1, -2, -30000, 127, 3, -6), 'int16'],
    [Int32Array.of(1, -2, 2 ** 30, 127, 3, -6), 'int32'],
    [Uint8Array.of(1, 2, 255, 127, 3, 6), 'uint8'],
    [Uint16Array.of(1, 2, 65535, 127, 3, 6), 'uint16'],
    [Uint32Array.of(1, 2, 2 ** 32 - 1, 127, 3, 6), 'uint32'],
  ] as const) {
    await writeNpy(at(`${type}.npy`), { data, shape: [3, 2] });
    const { dtype, atLeast, atMost, witness } = await exactly(at(`${type}.npy`));
    assert.deepEqual([dtype, atLeast, atMost, witness], [type, 1, 1, [0, 2]]);
  }
});

test('floats: 0.1 and 0.3 are not in the ratio of 1 to 3; rows whose sum was rounded are independent', async () => {
  writeFileSync(at('tenths.csv'), '0.1,0.3\n1,3\n0.2,0.6\n');
  const { dtype, atMost, witness } = await exactly(at('tenths.csv'), '--curve');
  assert.deepEqual([dtype, atMost, witness], ['float64', 1, [0, 2]]);
  const { stderr } = await attentionCapacity('rank', at('tenths.csv'), '--exact', '--draws', '3');
  assert.match(stderr, /holds decimals/);
  await writeNpy(at('floats.npy'), { data: Float32Array.of(1e30, 1e-30, 2e30, 2e-30), shape: [2, 2] });
  assert.deepEqual((await exactly(at('floats.npy'))).relation, ['-2', '1']);
});

test('the text for people names no tolerance, and the relation', async () => {
  writeFileSync(at('three.csv'), '1,0,0\n0,1,0\n2,-3,0\n0,0,7\n');
  const { stdout } = await attentionCapacity(
    'rank',
    at('three.csv'),
    '--exact',
    '--search',
    '--curve',
    '--draws',
    '20',
  );
  assert.match(stdout, /4 rows of 3 numbers, whole; exact verdicts, without a tolerance, seed 0/);
  assert.match(stdout, /Kruskal rank, proved: 2/);
  assert.match(stdout, /2 x0 - 3 x1 - x2 = 0/);
  assert.doesNotMatch(stdout, /sigma/);
});

test('a tolerance, and whole numbers beyond 2^53 without --exact, are refused', async () => {
  assert.match(await refusal('rank', at('three.csv'), '--exact', '--rtol', '1e-9'), /--exact expects no tolerance/);
  for (const type of ['int64', 'uint64']) {
    assert.match(await refusal('rank', at(`independent-${type}.npy`)), /expected integers that float64 holds exactly/);
  }
  assert.match(await refusal('rank', at('three.csv'), '--exact', '--k', '4'), /--k expects at most 3/);
});
