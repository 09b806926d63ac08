import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from 'attention-capacity';
import { searchKruskalRank } from 'attention-capacity/rank/kruskal-bounds';
import { randomSource, tf, type Matrix } from 'attention-capacity/tensor';

/** Normal numbers around a common mean. */
function features(T: number, d: number, seed: number, mean = 0): Matrix & { readonly data: Float64Array } {
  const random = randomSource(seed, 'planted');
  return { data: Float64Array.from({ length: T * d }, () => mean + random.normal()), shape: [T, d] };
}

/** Makes one row a combination of others, in float64. */
function plant({ data, shape: [, d] }: Matrix, row: number, terms: Readonly<Record<number, number>>): void {
  for (let c = 0; c < d; c++) {
    data[row * d + c] = Object.entries(terms).reduce((sum, [other, factor]) => sum + factor * data[+other * d + c], 0);
  }
}

test('four dependent rows among 400 in 64 dimensions are found, and nothing smaller is proved to exist', async () => {
  for (const rtol of ['float64', 'float32'] as const) {
    const matrix = features(400, 64, 1);
    plant(matrix, 100, { 7: 1, 200: -2, 333: 0.5 });
    const { atLeast, atMost, witness, witnessSigma } = await searchKruskalRank(matrix, { rtol, seed: 0 });
    assert.deepEqual({ atLeast, atMost, witness }, { atLeast: 3, atMost: 3, witness: [7, 100, 200, 333] });
    assert.ok(witnessSigma!.ratio <= witnessSigma!.tolerance);
  }
});

test('an affine dependency of five rows among 500 in 100 dimensions is found behind a large common mean', async () => {
  const matrix = features(500, 100, 2, 20);
  plant(matrix, 499, { 0: 0.7, 250: -0.2, 333: 0.1, 444: 0.4 });
  const { atLeast, atMost, witness } = await searchKruskalRank(matrix, { rtol: 'float64', seed: 0 });
  assert.deepEqual({ atLeast, atMost, witness }, { atLeast: 4, atMost: 4, witness: [0, 250, 333, 444, 499] });
});

test('a row that another one repeats, scaled and with the other sign, makes the rank 1', async () => {
  const matrix = features(800, 40, 3, 1);
  plant(matrix, 731, { 12: -1e-6 });
  const { atLeast, atMost, witness } = await searchKruskalRank(matrix, { rtol: 1e-9, seed: 0 });
  assert.deepEqual({ atLeast, atMost, witness }, { atLeast: 1, atMost: 1, witness: [12, 731] });
});

test('a zero row makes the rank 0, whatever the size of the others', async () => {
  for (const scale of [1e-300, 1, 1e300]) {
    const matrix = features(20, 8, 4);
    matrix.data.forEach((value, i) => (matrix.data[i] = i >= 24 && i < 32 ? 0 : value * scale));
    const { atLeast, atMost, witness } = await searchKruskalRank(matrix, { rtol: 'float64', seed: 0 });
    assert.deepEqual({ atLeast, atMost, witness }, { atLeast: 0, atMost: 0, witness: [3] });
  }
});

test('a row far shorter than the tolerance allows is dependent with any other', async () => {
  const matrix = features(10, 6, 5);
  for (let c = 0; c < 6; c++) matrix.data[4 * 6 + c] *= 1e-290;
  const { atMost, witness } = await searchKruskalRank(matrix, { rtol: 'float64', seed: 0 });
  assert.equal(atMost, 1);
  assert.ok(witness!.includes(4) && witness!.length === 2);
});

test('where nothing is planted no witness is claimed, and the certificate stays below the truth', async () => {
  const matrix = features(300, 48, 6);
  const bounds = await searchKruskalRank(matrix, { rtol: 'float64', seed: 0, operations: 5e8 });
  assert.equal(bounds.witness, null);
  assert.equal(bounds.atMost, 48);
  assert.ok(bounds.atLeast >= 3 && bounds.atLeast <= 48, `${bounds.atLeast}`);
});

test('at float32 tolerance a minimal near-dependent set is found that random subsets hardly ever are', async () => {
  const matrix = features(300, 48, 6);
  const bounds = await searchKruskalRank(matrix, { rtol: 'float32', seed: 0, operations: 1e9 });
  assert.ok(bounds.atMost < 48, `${bounds.atMost}`);
  assert.ok(bounds.witnessSigma!.ratio <= 48 * 2 ** -23);
});

test('no more rows than columns: one SVD decides, or leads to the witness', async () => {
  const matrix = features(30, 60, 7);
  const whole = await searchKruskalRank(matrix, { rtol: 'float64', seed: 0 });
  assert.deepEqual([whole.atLeast, whole.atMost, whole.witness], [30, 30, null]);
  plant(matrix, 29, { 3: 1, 4: 1, 5: 1 });
  const planted = await searchKruskalRank(matrix, { rtol: 'float64', seed: 0 });
  assert.deepEqual([planted.atLeast, planted.atMost, planted.witness], [3, 3, [3, 4, 5, 29]]);
});

test('more rows than one Gram holds: pairs are proved in blocks', async () => {
  const matrix = features(6100, 3, 8);
  plant(matrix, 6099, { 1: 3 });
  const { atLeast, atMost, witness } = await searchKruskalRank(matrix, { rtol: 'float64', seed: 0 });
  assert.deepEqual({ atLeast, atMost, witness }, { atLeast: 1, atMost: 1, witness: [1, 6099] });
});

test('the same seed gives the same bounds, and no tensor is left behind', async () => {
  const matrix = features(120, 30, 9);
  plant(matrix, 50, { 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1 });
  const before = tf.memory().numTensors;
  const first = await searchKruskalRank(matrix, { rtol: 'float32', seed: 5, operations: 1e8 });
  const second = await searchKruskalRank(matrix, { rtol: 'float32', seed: 5, operations: 1e8 });
  assert.deepEqual(first, second);
  assert.equal(tf.memory().numTensors, before);
});

test('sets known to be dependent bound the rank even when the search may not spend anything', async () => {
  const matrix = features(400, 64, 1);
  plant(matrix, 100, { 7: 1, 200: -2, 333: 0.5, 12: 1, 13: 1, 14: 2, 15: -1 });
  const known = [[1, 2, 7, 12, 13, 14, 15, 100, 200, 300, 333]];
  const { atMost, witness } = await searchKruskalRank(matrix, { rtol: 'float64', seed: 0, operations: 1, known });
  assert.deepEqual([atMost, witness], [7, [7, 12, 13, 14, 15, 100, 200, 333]]);
});

test('NaN, an empty matrix and a tolerance out of range are named', async () => {
  const matrix = features(5, 4, 0);
  matrix.data[9] = NaN;
  await assert.rejects(searchKruskalRank(matrix, { rtol: 'float64', seed: 0 }), (error: Error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /row 2/);
    return true;
  });
  const empty = { data: new Float64Array(0), shape: [0, 4] as const };
  await assert.rejects(searchKruskalRank(empty, { rtol: 'float64', seed: 0 }), InputError);
  await assert.rejects(searchKruskalRank(features(5, 4, 0), { rtol: 2, seed: 0 }), InputError);
});
