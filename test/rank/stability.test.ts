/** The same seed gives the same draws and the same answers, however the work is cut up, interrupted or carried out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError, interruptWork, watchWith } from 'attention-capacity';
import {
  contextRanks,
  kruskalCurve,
  KruskalCurveInterrupted,
  KruskalTestInterrupted,
  singularValues,
  testKruskalRank,
} from 'attention-capacity/rank/index';
import { IndependenceTest } from 'attention-capacity/rank/proofs/independence';
import { drawnSubset } from 'attention-capacity/rank/kruskal-test';
import { prepareRows } from 'attention-capacity/rank/proofs/rows';
import { inPrecision, type Matrix, randomSource, tf, toTensor } from 'attention-capacity/tensor/index';
import { matrix, normalMatrix, rowsOf, withSingularValues } from './matrices';

/** Rows whose random 12-subsets are dependent about as often as not, at a ratio of 1e-3. */
const random = randomSource(1, 'stability');
const sigmas = Float64Array.from({ length: 16 }, (_, i) => (i === 0 ? 3 : 0.5 * (6 * 1e-3) ** (i / 15)));
const features = withSingularValues(50, 16, sigmas, random);
const options = { k: 12, draws: 400, seed: 5, rtol: 1e-3, ranksDraws: 300, sigmaDraws: 20 } as const;

test('draws depend on the seed, k and their number only', () => {
  assert.deepEqual(Array.from(drawnSubset(0, 20, 5, 0)), Array.from(randomSource(0, 'subsets', 5, 0).subset(20, 5)));
  assert.notDeepEqual(drawnSubset(0, 200, 5, 0), drawnSubset(0, 200, 5, 1));
  assert.notDeepEqual(drawnSubset(0, 200, 5, 0), drawnSubset(1, 200, 5, 0));
});

test('more draws begin with the fewer', async () => {
  const all = await testKruskalRank(features, options);
  const some = await testKruskalRank(features, { ...options, draws: 50 });
  assert.deepEqual(some.sigmaRatio.values, all.sigmaRatio.values);
  assert.deepEqual(some.witness, all.witness);
  assert.ok(all.satisfied > 20 && all.satisfied < 380, `${all.satisfied} of 400`);
  const counted = Object.values(all.ranks).reduce((sum, count) => sum + count, 0);
  assert.equal(counted, 300);
});

test('the same verdicts one by one and all together, in any order of rows', () => {
  const rows = prepareRows(features);
  const subsets = Array.from({ length: 200 }, (_, draw) => drawnSubset(5, 50, 12, draw));
  const together = new IndependenceTest(rows, 1e-3).judge(subsets);
  const alone = subsets.map((subset) => new IndependenceTest(rows, 1e-3).judge([subset])[0]);
  const shuffled = subsets.map((subset) => random.permutation(12).map((i) => subset[i]));
  const reordered = new IndependenceTest(rows, 1e-3).judge(shuffled);
  subsets.forEach((_, i) => {
    assert.equal(alone[i].independent, together[i].independent);
    assert.equal(reordered[i].independent, together[i].independent);
  });
});

test('float32 and float64 storage of the same numbers: the same result', async () => {
  const rounded = Float32Array.from(features.data);
  const single = await testKruskalRank({ data: rounded, shape: features.shape }, options);
  const double = await testKruskalRank({ data: Float64Array.from(rounded), shape: features.shape }, options);
  assert.deepEqual(single, double);
});

test('the witness is the first dependent draw, and SVD agrees', async () => {
  const { witness, tolerance } = await testKruskalRank(features, options);
  assert.ok(witness);
  const ofWitness = singularValues(rowsOf(features, witness.rows));
  assert.ok(Math.abs(ofWitness[11] / ofWitness[0] - witness.sigmaRatio) < 1e-10 * witness.sigmaRatio);
  assert.ok(witness.sigmaRatio <= tolerance);
});

/** Interrupts once `after` steps are done. */
function interruptAfter(after: number): void {
  watchWith({
    begin: () => ({
      update: (done) => {
        if (done >= after) interruptWork();
      },
      end: () => undefined,
    }),
  });
}

test('an interrupted test resumes', async () => {
  const whole = await testKruskalRank(features, { ...options, draws: 20000, ranksDraws: 15000 });
  interruptAfter(200);
  const error = await testKruskalRank(features, { ...options, draws: 20000, ranksDraws: 15000 }).catch(
    (e: unknown) => e,
  );
  watchWith();
  assert.ok(error instanceof KruskalTestInterrupted, String(error));
  assert.ok(error.progress.done > 0 && error.progress.done < 20000, `${error.progress.done}`);
  const from = JSON.parse(JSON.stringify(error.progress)) as typeof error.progress;
  const resumed = await testKruskalRank(features, { ...options, draws: 20000, ranksDraws: 15000, from });
  // Which proof was tried first may differ; what was found may not.
  assert.deepEqual({ ...resumed, decidedBy: null }, { ...whole, decidedBy: null });
  await assert.rejects(testKruskalRank(features, { ...options, seed: 6, from }), InputError);
});

test('an interrupted curve resumes', async () => {
  const whole = await kruskalCurve(features, { permutations: 2000, seed: 2, rtol: 1e-3 });
  interruptAfter(10);
  const error = await kruskalCurve(features, { permutations: 2000, seed: 2, rtol: 1e-3 }).catch((e: unknown) => e);
  watchWith();
  assert.ok(error instanceof KruskalCurveInterrupted, String(error));
  const from = JSON.parse(JSON.stringify(error.progress)) as typeof error.progress;
  assert.deepEqual(await kruskalCurve(features, { permutations: 2000, seed: 2, rtol: 1e-3, from }), whole);
});

test('the curve is what SVD says of every prefix', async () => {
  for (const rtol of [1e-3, 'float32', 'float64'] as const) {
    const { lengths, points } = await kruskalCurve(features, { permutations: 30, seed: 2, rtol });
    lengths.forEach((length, index) => {
      const order = randomSource(2, 'permutations', index).permutation(50);
      let longest = 0;
      for (let k = 1; k <= 16; k++) {
        const ofPrefix = singularValues(rowsOf(features, order.subarray(0, k)));
        const cut = typeof rtol === 'number' ? rtol : 16 * (rtol === 'float32' ? 2 ** -23 : 2 ** -52);
        if (ofPrefix[k - 1] > cut * ofPrefix[0]) longest = k;
      }
      assert.equal(length, longest);
    });
    points.forEach(({ k, satisfied, fraction, ci95 }) => {
      assert.equal(satisfied, lengths.filter((length) => length >= k).length);
      assert.ok(ci95[0] <= fraction && fraction <= ci95[1]);
    });
  }
});

test('no tensor is left behind', async () => {
  const run = async () => {
    await testKruskalRank(features, { ...options, draws: 30 });
    await testKruskalRank(features, { ...options, draws: 30, rtol: 'float64', k: 16 });
    await kruskalCurve(features, { permutations: 5, seed: 0, rtol: 1e-3 });
    const contexts = inPrecision('float32', () => toTensor(features.data, [2, 25, 16])) as tf.Tensor3D;
    contextRanks(contexts, { rtol: 'float32', sigmaRatios: 1 });
    contexts.dispose();
    await testKruskalRank(features, { ...options, k: 99 }).catch(() => undefined);
  };
  await run();
  const before = tf.memory();
  await run();
  assert.equal(tf.memory().numTensors, before.numTensors);
  assert.equal(tf.memory().numDataBuffers, before.numDataBuffers);
});

test('memory is flat in the number of draws', async () => {
  const wide = normalMatrix(300, 120, random);
  const run = (draws: number) => testKruskalRank(wide, { k: 120, draws, seed: 0, rtol: 'float32', sigmaDraws: 1 });
  await run(1000);
  const before = process.memoryUsage().rss;
  await run(3000);
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  // The Grams of 3000 draws would take 330 MiB, their factors as much again.
  assert.ok(grown < 120, `${grown.toFixed(0)} MiB more`);
});

const bad: [string, Matrix, object, RegExp][] = [
  ['k = 0', features, { k: 0 }, /^k: expected a positive whole number, got 0$/],
  ['k = -3', features, { k: -3 }, /^k: expected a positive whole number, got -3$/],
  ['k = 2.5', features, { k: 2.5 }, /^k: expected a positive whole number, got 2.5$/],
  ['k = NaN', features, { k: NaN }, /^k: expected a positive whole number, got NaN$/],
  ['k > T', normalMatrix(3, 16, random), { k: 4 }, /^k: expected at most 3, the number of vectors, got 4;/],
  ['k > d', features, { k: 17 }, /^k: expected at most 16, the number of components of each vector, got 17$/],
  ['no draws', features, { draws: 0 }, /draws: expected a whole number of at least 1, got 0/],
  ['rtol', features, { rtol: 1.5 }, /^rtol: expected float32, float64 or a number between 0 and 1, got '1.5'$/],
  [
    'rtol below rounding',
    features,
    { rtol: 1.7e-15 },
    /^rtol: expected at least 1.8e-15, .* got 1.7e-15; .* rank --exact$/,
  ],
  ['NaN', matrix(20, 16, (i, j) => (i === 7 && j === 3 ? NaN : 1)), {}, /row 7 .* holds NaN in column 3/],
  ['infinity', matrix(20, 16, (i, j) => (i === 19 && j === 0 ? -Infinity : 1)), {}, /row 19 .* holds -Infinity/],
  [
    'no rows',
    { data: new Float64Array(0), shape: [0, 16] },
    { k: 1 },
    /^k: expected at most 0, the number of vectors, got 1;/,
  ],
  ['too few values', { data: new Float64Array(5), shape: [20, 16] }, {}, /expected 320 values, got 5/],
];
for (const [name, features_, change, message] of bad) {
  test(`bad input: ${name}`, async () => {
    await assert.rejects(testKruskalRank(features_, { ...options, ...change }), (error: unknown) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}

test('bad input: a context that is not finite', () => {
  const contexts = inPrecision('float32', () => toTensor([1, 2, 3, NaN], [2, 1, 2])) as tf.Tensor3D;
  assert.throws(() => contextRanks(contexts, { rtol: 'float32' }), /number 1 of the batch/);
  contexts.dispose();
});
