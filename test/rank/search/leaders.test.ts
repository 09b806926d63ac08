import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareRows } from 'attention-capacity/rank/proofs/rows';
import { boundByLeaders } from 'attention-capacity/rank/search/dual-ascent';
import { Independence } from 'attention-capacity/rank/search/independence';
import { ledSets } from 'attention-capacity/rank/search/leaders';
import type { Rtol } from 'attention-capacity/rank/tolerance';
import { randomSource, tf, type Matrix, type Random } from 'attention-capacity/tensor';
import { exactKruskalRank, subsets } from './exact-kruskal-rank';
import { singularValues } from 'attention-capacity/rank';

const normal = (T: number, d: number, seed: number): Matrix => {
  const random = randomSource(seed, 'leaders');
  return { data: Float64Array.from({ length: T * d }, () => random.normal()), shape: [T, d] };
};

const independenceOf = (features: Matrix, rtol: Rtol) => new Independence(prepareRows(features), rtol);

/** What vectors and weights prove of all sets, whoever made them. */
function provedBy(independence: Independence, weights: Float64Array, vectors: Float64Array): number {
  const { count: T, columns: d } = independence;
  const leaders = Int32Array.from({ length: T }, (_, i) => i);
  const led = ledSets(independence, weights, leaders, vectors, Math.min(T, d));
  return Math.min(...led.map(({ needed }) => needed)) - 1;
}

const positive = (random: Random, count: number) =>
  Float64Array.from({ length: count }, () => Math.exp(random.normal()));

test('vectors and weights of any kind prove nothing of whole numbers that is not so', async () => {
  const random = randomSource(1, 'whole numbers');
  let most = 0;
  for (let i = 0; i < 400; i++) {
    const T = 4 + random.integer(5);
    const d = 2 + random.integer(5);
    const rows = Array.from({ length: T }, () => Array.from({ length: d }, () => random.integer(5) - 2));
    if (i % 2 === 0) rows[T - 1] = rows[0].map((value, c) => value + rows[1][c] - rows[2][c]);
    if (rows.some((row) => row.every((value) => value === 0))) continue;
    const expected = exactKruskalRank(rows);
    const independence = independenceOf({ data: Float64Array.from(rows.flat()), shape: [T, d] }, 'float64');
    const vectors = Float64Array.from({ length: T * d }, () => random.normal());
    const own = independence.rows.map((value, at) => value + 0.3 * vectors[at]);
    for (const v of [vectors, own, independence.rows]) {
      const proved = provedBy(independence, positive(random, T), v);
      assert.ok(proved <= expected, `${proved} of ${expected}: ${JSON.stringify(rows)}`);
    }
    if (i % 10 !== 0) continue;
    const found = await boundByLeaders(independence, Math.min(T, d), 1e9);
    assert.ok(found!.atLeast <= expected, `${found!.atLeast} of ${expected}: ${JSON.stringify(rows)}`);
    most = Math.max(most, found!.atLeast);
  }
  assert.ok(most >= 3, `${most}`);
});

test('at a tolerance no vector excludes a set that an SVD finds dependent', async () => {
  const random = randomSource(2, 'tolerance');
  const proved = { something: 0, all: 0 };
  for (let i = 0; i < 40; i++) {
    const [T, d] = [5 + random.integer(4), 3 + random.integer(4)];
    const rtol = 10 ** -(0.5 + 5 * random.uniform());
    const features = normal(T, d, i);
    // The rows of one small set lie as near to dependence as the tolerance allows, on either side, and differ in length.
    const size = 2 + random.integer(2);
    const distance = rtol * 10 ** (random.uniform() - 0.5);
    for (let c = 0; c < d; c++) {
      let sum = distance * features.data[c];
      for (let j = 1; j < size; j++) sum += features.data[j * d + c];
      features.data[c] = sum;
    }
    for (let row = 0; row < T; row++) {
      const length = 10 ** (random.uniform() - 0.5);
      for (let c = 0; c < d; c++) features.data[row * d + c] *= length;
    }
    const expected = kruskalRankBySvd(features, rtol);
    const independence = independenceOf(features, rtol);
    const found = await boundByLeaders(independence, Math.min(T, d), 1e9);
    const by = provedBy(independence, positive(random, T), independence.rows);
    const where = `matrix ${i}, rtol ${rtol}: ${JSON.stringify(Array.from(features.data))}`;
    for (const value of [found!.atLeast, by]) assert.ok(value <= expected, `${value} of ${expected}: ${where}`);
    if (found!.atLeast > 1) proved.something++;
    if (found!.atLeast === expected) proved.all++;
  }
  assert.ok(proved.something > 15 && proved.all > 3, JSON.stringify(proved));
});

function kruskalRankBySvd({ data, shape: [T, d] }: Matrix, ratio: number): number {
  for (let k = 1; k <= Math.min(T, d); k++) {
    for (const subset of subsets(T, k)) {
      const rows = Float64Array.from(subset.flatMap((row) => Array.from(data.subarray(row * d, (row + 1) * d))));
      const values = singularValues({ data: rows, shape: [k, d] });
      if (!(values[k - 1] > ratio * values[0])) return k - 1;
    }
  }
  return Math.min(T, d);
}

test('a set just inside of the tolerance is not excluded, one well outside of it is', async () => {
  const [T, d] = [40, 30];
  for (const [factor, excluded] of [
    [0.999, false],
    [1000, true],
  ] as const) {
    const features = normal(T, d, 7);
    const rtol = 1e-4;
    // Three orthogonal rows of length 1, and a fourth that differs from their sum by a right angle and so much.
    for (let row = 0; row < 4; row++) features.data.fill(0, row * d, (row + 1) * d);
    for (let row = 0; row < 3; row++) for (const at of [row * d + row, 3 * d + row]) features.data[at] = 1;
    const distance = 4 * factor * rtol;
    features.data[3 * d + 3] = distance;
    const values = singularValues({ data: features.data.slice(0, 4 * d), shape: [4, d] });
    assert.equal(values[3] / values[0] > rtol, excluded);
    const found = await boundByLeaders(independenceOf(features, rtol), d, 1e9);
    if (excluded) assert.ok(found!.atLeast >= 4, `${found!.atLeast}`);
    else assert.ok(found!.atLeast < 4, `${found!.atLeast}`);
  }
});

test('NaN, rows of hardly any length and a tolerance above all prove nothing', () => {
  const features = normal(8, 5, 3);
  const independence = independenceOf(features, 'float64');
  const weights = new Float64Array(8).fill(1);
  assert.equal(provedBy(independence, weights, new Float64Array(40).fill(NaN)), 0);
  assert.equal(provedBy(independence, weights, new Float64Array(40)), 0);
  assert.equal(
    provedBy(
      independence,
      weights.map(() => NaN),
      independence.rows,
    ),
    0,
  );
  assert.equal(provedBy(independenceOf(features, 0.999), weights, independence.rows), 0);
  for (let c = 0; c < 5; c++) features.data[c] *= 1e-200;
  assert.ok(provedBy(independenceOf(features, 'float64'), weights, independence.rows) <= 1);
});

test('bounds that coherence and branch and bound do not reach', async () => {
  for (const [T, d, least] of [
    [200, 128, 13],
    [500, 384, 28],
    [1000, 384, 15],
  ] as const) {
    const before = tf.memory().numTensors;
    const found = await boundByLeaders(independenceOf(normal(T, d, 5), 'float64'), d, 3e9);
    assert.ok(found!.atLeast >= least, `${T} x ${d}: ${found!.atLeast}`);
    assert.ok(found!.spent <= 3e9, `${found!.spent}`);
    assert.equal(tf.memory().numTensors, before);
  }
});

test('where the rows share a mean and a spectrum that falls by eight orders of magnitude', async () => {
  const random = randomSource(6, 'ill-conditioned');
  const [T, d] = [200, 60];
  const scales = Float64Array.from({ length: d }, (_, c) => 10 ** ((-8 * c) / d));
  const data = Float64Array.from({ length: T * d }, (_, at) => scales[at % d] * random.normal() + 3);
  const bound = async (rtol: Rtol) => (await boundByLeaders(independenceOf({ data, shape: [T, d] }, rtol), d, 1e9))!;
  assert.ok((await bound('float64')).atLeast >= 5);
  const coarse = await bound('float32');
  assert.ok(coarse.atLeast >= 2 && coarse.atLeast <= 5, `${coarse.atLeast}`);
});

test('a budget too small for a single check claims nothing, one for a few steps claims less', async () => {
  const independence = independenceOf(normal(300, 200, 8), 'float64');
  assert.equal(await boundByLeaders(independence, 200, 1e5), null);
  const [few, many] = [await boundByLeaders(independence, 200, 6e7), await boundByLeaders(independence, 200, 1e9)];
  assert.ok(few!.spent <= 6e7 && few!.atLeast >= 2 && few!.atLeast < many!.atLeast, JSON.stringify([few, many]));
});
