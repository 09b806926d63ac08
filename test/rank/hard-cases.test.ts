/**
 * Inputs on which verdicts were wrong when an SVD in float64 had the last word, each with others of its kind: rows that are
 * exactly parallel, sets whose smallest singular value is within the SVD's error of the tolerance, rows in another order,
 * tolerances below rounding, Grams that round the same way at every step. The truth comes from whole numbers, or from
 * matrices made so that it is known.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InputError } from 'attention-capacity';
import { kruskalCurve, testKruskalRank } from 'attention-capacity/rank/index';
import { decideByIntegers } from 'attention-capacity/rank/exact/multiprecision';
import { searchKruskalRank } from 'attention-capacity/rank/kruskal-bounds';
import { IndependenceTest } from 'attention-capacity/rank/proofs/independence';
import { prepareRows } from 'attention-capacity/rank/proofs/rows';
import { verifiedRank } from 'attention-capacity/rank/proofs/verified-rank';
import { type Matrix, type Random, randomSource } from 'attention-capacity/tensor/index';
import { temporaryFolder, withEnvironment } from '../cli/command';
import { exactRank, firstRows, matrix, normalMatrix, rowsOf, withSingularValues } from './matrices';

const folder = temporaryFolder();

const judgeAll = (features: Matrix, rtol: 'float32' | 'float64' | number) =>
  new IndependenceTest(prepareRows(features), rtol).judge([firstRows(features.shape[0])])[0];

/** Two multiples of one row of whole numbers. */
function parallelPair(d: number, random: Random): Matrix {
  const whole = () => 1 + random.integer(2 ** 20);
  const [row, p, q] = [Array.from({ length: d }, whole), whole(), -whole()];
  return matrix(2, d, (i, j) => row[j] * (i === 0 ? p : q));
}

test('parallel rows of whole numbers are dependent, whatever an SVD makes of them', async () => {
  const random = randomSource(0, 'parallel');
  const given = matrix(2, 2, (i, j) => [-6111475, -304933267420, -5756975, -287245419020][2 * i + j]);
  for (const features of [given, ...Array.from({ length: 30 }, (_, trial) => parallelPair(2 + (trial % 4), random))]) {
    const tested = await testKruskalRank(features, { k: 2, draws: 3, seed: 0, rtol: 'float64', ranksDraws: 3 });
    assert.deepEqual([tested.satisfied, tested.undecided, tested.ranks], [0, 0, { 1: 3 }]);
    const { lengths } = await kruskalCurve(features, { permutations: 4, seed: 0, rtol: 'float64' });
    assert.deepEqual(lengths, [1, 1, 1, 1]);
    const { atLeast, atMost, witness } = await searchKruskalRank(features, { rtol: 'float64', seed: 0 });
    assert.deepEqual({ atLeast, atMost, witness }, { atLeast: 1, atMost: 1, witness: [0, 1] });
  }
});

/** Its sigma_min is 0.98918 of float64's tolerance, by 80-digit arithmetic. */
const NEAR = [
  [
    -0.27981099786531216, 0.6885613855570207, -0.402118538396101, -0.6007746676401806, -0.7950920735993656,
    -0.7429847578329303,
  ],
  [
    -1.411848185618804, 1.0112224967795589, -0.14069643374592122, -1.9451773217392794, 0.394338248924736,
    -0.39239126192484647,
  ],
  [
    0.15064525901912776, -0.6373521216557346, -0.3533895624010005, 0.2125966759865902, 1.2025813447720064,
    0.4001464279887555,
  ],
  [
    1.9867954610824645, -0.2263229116220548, 0.6830137408050057, -0.08957036872576121, -0.5573314864437451,
    0.18594245929160835,
  ],
  [
    0.7681294131644951, -1.8483319471487867, -0.3795500184413114, 0.16960554827528448, 1.3247367532327088,
    0.49411777860883427,
  ],
  [
    -0.520540041677247, -0.04832690061911235, -0.7423852810266972, -1.8569667618075494, 0.19593972153363626,
    -0.7430550405250729,
  ],
];

test('near the tolerance every order of the rows has the verdict of exact arithmetic, and the same bounds', async () => {
  const random = randomSource(0, 'orders');
  const given = matrix(6, 6, (i, j) => NEAR[i][j]);
  const others = Array.from({ length: 12 }, () => {
    const k = 3 + random.integer(5);
    const planted = k * 2 ** -52 * (1 + 0.1 * (random.uniform() - 0.5));
    const sigmas = Float64Array.from({ length: k }, (_, i) => (i === k - 1 ? planted : 1 - 0.5 * random.uniform()));
    return withSingularValues(k, k, sigmas.sort().reverse(), random);
  });
  for (const features of [given, ...others]) {
    const k = features.shape[0];
    const truth = decideByIntegers(Float64Array.from(features.data), features.shape, k * 2 ** -52).independent;
    assert.notEqual(truth, null);
    const bounds = new Set<string>();
    for (let trial = 0; trial < 6; trial++) {
      const order = trial === 0 ? firstRows(k) : trial === 1 ? firstRows(k).reverse() : random.permutation(k);
      const arranged = rowsOf(features, order);
      assert.equal(judgeAll(arranged, 'float64').independent, truth);
      const { atLeast, atMost, witness } = await searchKruskalRank(arranged, { rtol: 'float64', seed: 0 });
      assert.equal(atLeast === k, truth);
      const rows = witness && witness.map((row) => order[row]).sort((a, b) => a - b);
      bounds.add(JSON.stringify({ atLeast, atMost, size: rows?.length }));
    }
    assert.equal(bounds.size, 1, [...bounds].join(' '));
  }
});

test('a tolerance below rounding is refused with a way out', async () => {
  for (const [features, rtol] of [
    [matrix(2, 2, (i, j) => [1, 3, 7, 21][2 * i + j]), 1e-17],
    [matrix(3, 3, (i, j) => 3 * i + j + 1), 1e-18],
    [matrix(3, 100, (i, j) => i * j + 1), 1e-14],
  ] as const) {
    const isRefusal = (error: unknown) => error instanceof InputError && /^rtol: .* rank --exact$/.test(error.message);
    await assert.rejects(testKruskalRank(features, { k: 2, draws: 3, seed: 0, rtol }), isRefusal);
    await assert.rejects(kruskalCurve(features, { permutations: 3, seed: 0, rtol }), isRefusal);
    await assert.rejects(searchKruskalRank(features, { rtol, seed: 0 }), isRefusal);
  }
});

/**
 * Families of rows that are constant in most columns, so that a running sum of equal products is rounded the same way each time; a
 * direction between the families has its singular value at `near` times the tolerance, and `more` others are far above.
 */
function constantFamilies(
  k: number,
  columns: number,
  more: number,
  rtol: number,
  near: number,
  random: Random,
): Matrix {
  const sizes = [0.5862782931545414, 0.5768341319066924];
  const half = k / 2;
  const n = columns - more - 1;
  const squares = sizes[0] ** 2 + sizes[1] ** 2;
  const largest = Math.sqrt(n * half * squares);
  const between = (near * rtol * largest) / Math.sqrt(half * squares);
  const noise = normalMatrix(k, more, random).data;
  // Orthogonal to the families.
  for (const family of [0, 1]) {
    for (let j = 0; j < more; j++) {
      let mean = 0;
      for (let i = family * half; i < (family + 1) * half; i++) mean += noise[i * more + j] / half;
      for (let i = family * half; i < (family + 1) * half; i++) noise[i * more + j] -= mean;
    }
  }
  return matrix(k, columns, (i, j) => {
    const family = i < half ? 0 : 1;
    if (j < n) return sizes[family];
    if (j === n) return family === 0 ? sizes[1] * between : -sizes[0] * between;
    return 0.01 * noise[i * more + j - n - 1];
  });
}

test('ranks are counted right where rounding is the same at every step', async () => {
  const random = randomSource(0, 'families');
  for (const [k, columns, more, near] of [
    [340, 384, 11, 1.02],
    [340, 384, 11, 0.98],
    [330, 500, 20, 1.005],
  ] as const) {
    const features = constantFamilies(k, columns, more, 3e-7, near, random);
    const { ranks } = await testKruskalRank(features, {
      k,
      draws: 1,
      seed: 0,
      rtol: 3e-7,
      ranksDraws: 1,
      sigmaDraws: 0,
    });
    assert.deepEqual(ranks, { [near > 1 ? more + 2 : more + 1]: 1 });
  }
});

test('the rank of small matrices of whole numbers, which is exact', () => {
  const random = randomSource(0, 'small ranks');
  for (let trial = 0; trial < 60; trial++) {
    const rank = random.integer(4);
    const [k, d] = [Math.max(1, rank) + random.integer(4), Math.max(1, rank) + random.integer(4)];
    const whole = (rows: number, columns: number) =>
      Array.from({ length: rows }, () => Array.from({ length: columns }, () => random.integer(19) - 9));
    const [left, right] = [whole(k, rank), whole(rank, d)];
    const features = matrix(k, d, (i, j) => left[i].reduce((sum, value, m) => sum + value * right[m][j], 0));
    const counted = verifiedRank(prepareRows(features).values, features.shape, Math.max(k, d) * 2 ** -52);
    assert.equal(counted.rank, exactRank(features), `trial ${trial}`);
  }
});

test("verdicts, bounds and witnesses are the same with TensorFlow's own kernels", async () => {
  const random = randomSource(0, 'kernels');
  const files = [
    parallelPair(3, random),
    matrix(6, 6, (i, j) => NEAR[i][j]),
    withSingularValues(
      12,
      16,
      Float64Array.from({ length: 12 }, (_, i) => (i < 11 ? 1 : 1.01 * 16 * 2 ** -52)),
      random,
    ),
    constantFamilies(60, 90, 7, 1e-12, 1.01, random),
  ].map(({ data, shape: [k, d] }, i) => {
    const file = join(folder, `${i}.csv`);
    const lines = Array.from({ length: k }, (_, row) => data.subarray(row * d, (row + 1) * d).join());
    writeFileSync(file, lines.join('\n'));
    return file;
  });
  for (const file of files) {
    const [native, tensorflow] = await Promise.all(
      ['native', 'tensorflow'].map(async (kernels) => {
        const args = ['rank', file, '--draws', '3', '--search', '--json'];
        const { stdout, stderr } = await withEnvironment({ ATTENTION_KERNELS: kernels }, ...args);
        const { tests, kruskalRank } = JSON.parse(stdout || `"${stderr}"`) as {
          tests: { satisfied: number; undecided: number; ranks: object }[];
          kruskalRank: { atLeast: number; atMost: number; witness: number[] };
        };
        return {
          tests: tests.map(({ satisfied, undecided, ranks }) => ({ satisfied, undecided, ranks })),
          // Of the last one any rows of one family will do.
          kruskalRank: file === files[3] ? { ...kruskalRank, witness: kruskalRank.witness.length } : kruskalRank,
        };
      }),
    );
    assert.deepEqual(native, tensorflow, file);
  }
});
