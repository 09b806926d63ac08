/**
 * What must hold for any matrix: a planted rank is found; permuting rows, scaling by a power of two and mixing columns
 * orthogonally change no verdict whose margin exceeds 1e-6; and for small whole numbers the verdict is that of exact
 * rational arithmetic.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { singularValues, testKruskalRank } from 'attention-capacity/rank/index';
import { IndependenceTest } from 'attention-capacity/rank/proofs/independence';
import { prepareRows } from 'attention-capacity/rank/proofs/rows';
import { inPrecision, type Matrix, qr, randomSource, tf, toTensor, valuesOf } from 'attention-capacity/tensor/index';
import { exactRank, firstRows, geometric, matrix, normalMatrix, rowsOf, withSingularValues } from './matrices';

const RUNS = { numRuns: process.env.ATTENTION_TEST_ALL ? 500 : 60, seed: 1 };

const shape = fc.record({
  k: fc.integer({ min: 1, max: 14 }),
  more: fc.integer({ min: 0, max: 12 }),
  wider: fc.integer({ min: 0, max: 9 }),
  smallest: fc.integer({ min: -9, max: 0 }).map((exponent) => 10 ** exponent),
  seed: fc.nat(1e6),
  rtol: fc.constantFrom<'float32' | 'float64' | number>('float32', 'float64', 1e-2),
});

const independent = (features: Matrix, subset: Int32Array, rtol: 'float32' | 'float64' | number) =>
  new IndependenceTest(prepareRows(features), rtol).judge([subset])[0].independent;

test('a planted rank is found', async () => {
  await fc.assert(
    fc.asyncProperty(shape, fc.double({ min: 0, max: 1, noNaN: true }), async ({ k, wider, seed }, share) => {
      const d = k + wider;
      const rank = Math.max(1, Math.round(share * k));
      const sigmas = geometric(k, 1e-3).map((sigma, i) => (i < rank ? sigma : 0));
      const features = withSingularValues(k, d, sigmas, randomSource(seed, 'property'));
      const found = await testKruskalRank(features, {
        k,
        draws: 1,
        seed,
        rtol: 'float64',
        ranksDraws: 1,
        sigmaDraws: 0,
      });
      assert.deepEqual(found.ranks, { [rank]: 1 });
    }),
    RUNS,
  );
});

test('no verdict changes under row permutations, powers of two and orthogonal mixing of columns', () => {
  fc.assert(
    fc.property(shape, fc.integer({ min: -900, max: 900 }), ({ k, more, wider, smallest, seed, rtol }, exponent) => {
      const random = randomSource(seed, 'property');
      const [T, d] = [k + more, k + wider];
      const features = withSingularValues(T, d, geometric(Math.min(T, d), smallest), random);
      const subset = random.subset(T, k);
      const sigmas = singularValues(rowsOf(features, subset));
      const tolerance = new IndependenceTest(prepareRows(features), rtol).tolerance(k);
      fc.pre(Math.abs(sigmas[k - 1] / sigmas[0] / tolerance - 1) > (rtol === 'float64' ? 0.5 : 1e-6));
      const verdict = independent(features, subset, rtol);

      const order = random.permutation(T);
      const place = new Int32Array(T);
      order.forEach((row, i) => (place[row] = i));
      assert.equal(
        independent(
          rowsOf(features, order),
          subset.map((row) => place[row]),
          rtol,
        ),
        verdict,
        'permuted',
      );
      const scaled = features.data.map((value) => value * 2 ** exponent);
      assert.equal(independent({ data: scaled, shape: features.shape }, subset, rtol), verdict, 'scaled');
      assert.equal(independent(mixed(features, random.integer(1e6)), subset, rtol), verdict, 'mixed');
    }),
    RUNS,
  );
});

function mixed({ data, shape: [T, d] }: Matrix, seed: number): Matrix {
  const normal = normalMatrix(d, d, randomSource(seed, 'mix'));
  const values = inPrecision('float64', () => {
    const product = tf.tidy(() => {
      const [rotation] = qr(toTensor(normal.data, [d, d]));
      return tf.matMul(toTensor(data, [T, d]) as tf.Tensor2D, rotation as tf.Tensor2D);
    });
    const copy = Float64Array.from(valuesOf(product));
    product.dispose();
    return copy;
  });
  return { data: values, shape: [T, d] };
}

test('small whole numbers: the verdict of fraction-free elimination', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(1e6),
      (k, wider, largest, seed) => {
        const random = randomSource(seed, 'whole numbers');
        const d = k + wider;
        const features = matrix(k, d, () => random.integer(2 * largest + 1) - largest);
        // A whole-number matrix of this size is singular or has sigma_min / sigma_max above 1e-7.
        assert.equal(independent(features, firstRows(k), 'float64'), exactRank(features) === k);
      },
    ),
    { ...RUNS, numRuns: 5 * RUNS.numRuns },
  );
});
