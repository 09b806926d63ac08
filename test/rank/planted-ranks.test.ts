/**
 * The cases that numpy's and LAPACK's tests of rank-revealing routines use: planted ranks of 30, 50 and 90 %, zero columns
 * first, in the middle and last, condition 0.1 / eps, one tiny singular value, near overflow and underflow, a tolerance
 * crossed from both sides, stacks, the smallest shapes. Every entry point has to find the planted rank.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  contextRanks,
  kruskalCurve,
  rankAt,
  relativeTolerance,
  singularValues,
  testKruskalRank,
} from 'attention-capacity/rank/index';
import type { tf } from 'attention-capacity/tensor/index';
import { convert, inPrecision, type Matrix, randomSource, toTensor } from 'attention-capacity/tensor/index';
import { geometric, matrix, normalMatrix, withSingularValues } from './matrices';

type Tolerance = 'float32' | 'float64' | number;

/** The rank of all rows together, by every way there is; min(rows, columns) rows at most are asked of a subset. */
async function assertRank(name: string, a: Matrix, rank: number, rtol: Tolerance): Promise<void> {
  const [rows, columns] = a.shape;
  const k = Math.min(rows, columns);
  assert.equal(rankAt(singularValues(a), relativeTolerance(rtol, rows, columns)), rank, `${name}: singular values`);
  const contexts = inPrecision('float64', () => toTensor(a.data, [1, rows, columns])) as tf.Tensor3D;
  assert.deepEqual([...contextRanks(contexts, { rtol }).ranks], [rank], `${name}: contextRanks`);
  contexts.dispose();
  if (rows > columns) return;
  const tested = await testKruskalRank(a, { k, draws: 2, seed: 0, rtol, ranksDraws: 2, sigmaDraws: 1 });
  assert.deepEqual(tested.ranks, { [rank]: 2 }, `${name}: testKruskalRank`);
  assert.equal(tested.satisfied, rank === k ? 2 : 0, `${name}: verdicts`);
  const curve = await kruskalCurve(a, { permutations: 3, seed: 0, rtol });
  assert.ok(
    // A shorter prefix has a smaller sigma_max, so it may hold more independent rows than the rank of all.
    curve.lengths.every((length) => (length === k) === (rank === k)),
    `${name}: kruskalCurve ${curve.lengths}`,
  );
}

const sizes = [
  [20, 20],
  [30, 50],
  [60, 25],
] as const;

for (const [rows, columns] of sizes) {
  const p = Math.min(rows, columns);
  const random = randomSource(1, 'planted', rows, columns);
  const shape = `${rows} x ${columns}`;

  for (const share of [0.3, 0.5, 0.9]) {
    test(`planted rank of ${share * 100} %, ${shape}`, async () => {
      const rank = Math.round(share * p);
      const sigmas = geometric(p, 1e-3).map((sigma, index) => (index < rank ? sigma : 0));
      const a = withSingularValues(rows, columns, sigmas, random);
      await assertRank('float64', a, rank, 'float64');
      await assertRank('float32', a, rank, 'float32');
    });
  }

  for (const [where, first] of [
    ['first', 0],
    ['middle', Math.floor(columns / 2) - 2],
    ['last', columns - 4],
  ] as const) {
    test(`zero columns ${where}, ${shape}`, async () => {
      const full = normalMatrix(rows, columns, random);
      const a = matrix(rows, columns, (i, j) => (j >= first && j < first + 4 ? 0 : full.data[i * columns + j]));
      await assertRank('zero columns', a, Math.min(rows, columns - 4), 'float64');
    });
  }

  test(`condition 0.1 / eps, and one tiny singular value, ${shape}`, async () => {
    for (const [rtol, epsilon] of [
      ['float32', 2 ** -23],
      ['float64', 2 ** -52],
    ] as const) {
      const cut = relativeTolerance(rtol, rows, columns);
      // None so near to the tolerance that rounding of the matrix itself would decide.
      const sigmas = geometric(p, epsilon / 0.1).map((sigma) => (Math.abs(sigma / cut - 1) < 0.4 ? 0.6 * cut : sigma));
      const rank = sigmas.filter((sigma) => sigma > cut).length;
      await assertRank('graded', withSingularValues(rows, columns, sigmas, random), rank, rtol);
      const tiny = Float64Array.from({ length: p }, (_, i) => (i === p - 1 ? cut / 5 : 1));
      await assertRank('one tiny', withSingularValues(rows, columns, tiny, random), p - 1, rtol);
      const small = Float64Array.from({ length: p }, (_, i) => (i === p - 1 ? cut * 5 : 1));
      await assertRank('one small', withSingularValues(rows, columns, small, random), p, rtol);
    }
  });

  test(`a tolerance crossed from both sides, ${shape}`, async () => {
    const a = withSingularValues(rows, columns, geometric(p, 1e-4), random);
    const sigmas = singularValues(a);
    for (const index of [1, Math.floor(p / 2), p - 1]) {
      const ratio = sigmas[index] / sigmas[0];
      await assertRank('below', a, index + 1, ratio * (1 - 1e-5));
      await assertRank('above', a, index, ratio * (1 + 1e-5));
    }
  });

  test(`near overflow and underflow, ${shape}`, async () => {
    const rank = Math.round(0.5 * p);
    const sigmas = geometric(p, 1e-3).map((sigma, index) => (index < rank ? sigma : 0));
    const a = withSingularValues(rows, columns, sigmas, random);
    for (const scale of [1e300, 2 ** 1020, 1e-290]) {
      const scaled = matrix(rows, columns, (i, j) => a.data[i * columns + j] * scale);
      await assertRank(`times ${scale}`, scaled, rank, 'float64');
      await assertRank(`times ${scale}`, scaled, rank, 'float32');
    }
  });
}

test('subnormal numbers: rank follows what is left of the digits', async () => {
  const tiny = matrix(3, 4, (i, j) => (i === j ? 5e-324 : 0));
  await assertRank('three subnormal rows', tiny, 3, 'float64');
  await assertRank(
    'one subnormal row beside ones',
    matrix(3, 4, (i, j) => (i === j ? (i === 2 ? 5e-324 : 1) : 0)),
    2,
    'float64',
  );
});

test('rows of very different size, 1e300 beside 1e-300', async () => {
  const a = matrix(4, 6, (i, j) => (i === j ? [1e300, 1, 1e300, 1e-300][i] : 0));
  await assertRank('two huge rows', a, 2, 'float64');
  const onlyTiny = matrix(4, 6, (i, j) => (i === j ? 1e-300 : 0) + (i === 3 && j === 5 ? 1e300 : 0));
  const tested = await testKruskalRank(onlyTiny, { k: 3, draws: 40, seed: 0, rtol: 'float64', ranksDraws: 40 });
  // The three tiny rows among themselves are independent; with the huge one beside them they are not.
  assert.deepEqual(Object.keys(tested.ranks).sort(), ['1', '3']);
});

test('one row, one column, one number, zeros', async () => {
  await assertRank(
    'one row',
    matrix(1, 5, (_, j) => j),
    1,
    'float64',
  );
  await assertRank(
    'one column',
    matrix(5, 1, (i) => i),
    1,
    'float64',
  );
  await assertRank(
    'one number',
    matrix(1, 1, () => -3),
    1,
    'float32',
  );
  await assertRank(
    'zero',
    matrix(3, 4, () => 0),
    0,
    'float64',
  );
  const column = await testKruskalRank(
    matrix(5, 1, (i) => i),
    { k: 1, draws: 50, seed: 0, rtol: 'float64', ranksDraws: 50 },
  );
  // Only row 0 is zero.
  assert.equal(column.ranks[0], 50 - column.satisfied);
  assert.deepEqual(column.witness?.rows, [0]);
});

test('repeated rows: found without any arithmetic, counted exactly', async () => {
  const random = randomSource(1, 'repeated');
  const some = normalMatrix(12, 8, random);
  const a = matrix(24, 8, (i, j) => some.data[(i % 12) * 8 + j]);
  const tested = await testKruskalRank(a, { k: 8, draws: 300, seed: 1, rtol: 'float64', ranksDraws: 300 });
  let repeated = 0;
  const ranks: Record<string, number> = {};
  for (let draw = 0; draw < 300; draw++) {
    const subset = randomSource(1, 'subsets', 8, draw).subset(24, 8);
    const distinct = new Set(Array.from(subset, (row) => row % 12)).size;
    if (distinct < 8) repeated++;
    ranks[distinct] = (ranks[distinct] ?? 0) + 1;
  }
  assert.equal(tested.satisfied, 300 - repeated);
  assert.deepEqual(tested.ranks, ranks);
  assert.equal(tested.decidedBy['equal rows'], repeated);
});

test('a constant class token has rank 1 at any tolerance', async () => {
  const token = normalMatrix(1, 48, randomSource(1, 'token'));
  const a = matrix(100, 48, (_, j) => token.data[j]);
  for (const rtol of ['float32', 'float64'] as const) {
    const tested = await testKruskalRank(a, { k: 48, draws: 200, seed: 0, rtol, ranksDraws: 200 });
    assert.deepEqual(tested.ranks, { 1: 200 });
    assert.equal(tested.sigmaRatio.min, 0);
  }
});

test('a stack of contexts of different ranks, in both precisions', () => {
  const random = randomSource(1, 'stack');
  const planted = [9, 12, 3, 12, 0, 12, 1];
  const stack = new Float64Array(planted.length * 12 * 30);
  planted.forEach((rank, index) => {
    const sigmas = geometric(12, 1e-2).map((sigma, i) => (i < rank ? sigma : 0));
    stack.set(withSingularValues(12, 30, sigmas, random).data, index * 12 * 30);
  });
  const exact = inPrecision('float64', () => toTensor(stack, [planted.length, 12, 30])) as tf.Tensor3D;
  const rounded = convert(exact, 'float32') as tf.Tensor3D;
  assert.deepEqual([...contextRanks(exact, { rtol: 'float64' }).ranks], planted);
  assert.deepEqual([...contextRanks(exact, { rtol: 'float32' }).ranks], planted);
  assert.deepEqual([...contextRanks(rounded, { rtol: 'float32' }).ranks], planted);
  const { sigmaRatio } = contextRanks(exact, { rtol: 'float64', sigmaRatios: 2 });
  assert.equal(sigmaRatio.length, 2);
  assert.ok(sigmaRatio[0] < 1e-14 && Math.abs(sigmaRatio[1] - 1e-2) < 1e-12);
  exact.dispose();
  rounded.dispose();
});

test('an empty stack of contexts has no ranks', () => {
  const empty = inPrecision('float64', () => toTensor([], [0, 12, 30])) as tf.Tensor3D;
  assert.equal(contextRanks(empty, { rtol: 'float64' }).ranks.length, 0);
  empty.dispose();
});
