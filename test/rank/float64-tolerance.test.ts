/**
 * Verdicts at float64's tolerance, where a float64 Gram knows nothing (it loses singular values below 1e-8 sigma_max): the
 * backward-error tests with planted singular values from 1e-2 down to 1e-14, and the product that the method rests on
 * against exact arithmetic.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exactProduct, exactProductError } from 'attention-capacity/rank/proofs/exact-product';
import {
  kruskalCurve,
  rankAt,
  relativeTolerance,
  singularValues,
  testKruskalRank,
} from 'attention-capacity/rank/index';
import { IndependenceTest } from 'attention-capacity/rank/proofs/independence';
import { Preconditioners } from 'attention-capacity/rank/proofs/preconditioner';
import type { Method } from 'attention-capacity/rank/proofs/proof';
import { prepareRows } from 'attention-capacity/rank/proofs/rows';
import { randomSource } from 'attention-capacity/tensor/index';
import { testInFloat64 } from './in-float64';
import { firstRows, geometric, normalMatrix, rowsOf, withSingularValues } from './matrices';

const TRIALS = process.env.ATTENTION_TEST_ALL ? 400 : 100;
const PLANTED = Array.from({ length: 13 }, (_, i) => 10 ** -(2 + i));

test('a planted smallest singular value, 1e-2 … 1e-14, is found on the right side of tolerances around it', async () => {
  const random = randomSource(1, 'planted');
  const [k, d] = [16, 20];
  for (const smallest of PLANTED) {
    for (const grading of ['graded', 'one small'] as const) {
      const sigmas = grading === 'graded' ? geometric(k, smallest) : geometric(k, 1).fill(smallest, k - 1);
      const features = withSingularValues(k, d, sigmas, random);
      // The matrix as stored is off by some eps, and so is its smallest singular value.
      const distance = 0.01 + 1e-15 / smallest;
      for (const [rtol, independent] of [
        [smallest / (1 + 4 * distance), true],
        [smallest * (1 + 4 * distance), false],
      ] as const) {
        const { satisfied, decidedBy } = await testKruskalRank(features, { k, draws: 1, seed: 0, rtol, sigmaDraws: 1 });
        assert.equal(satisfied === 1, independent, `${smallest} at ${rtol}, ${grading}: ${JSON.stringify(decidedBy)}`);
      }
    }
  }
});

testInFloat64('what the preconditioner proves is true, and it proves most of what is far from the tolerance', () => {
  const random = randomSource(1, 'preconditioner');
  let proved = 0;
  let asked = 0;
  for (const smallest of PLANTED.filter((value) => value >= 1e-11)) {
    for (let trial = 0; trial < TRIALS; trial++) {
      const d = 12 + random.integer(12);
      const T = 3 * d;
      const k = d - random.integer(3);
      const features = withSingularValues(T, d, geometric(d, smallest), random);
      const preconditioner = new Preconditioners(prepareRows(features)).forSubsetsOf(k);
      assert.ok(preconditioner);
      const subset = random.subset(T, k);
      const sigmas = singularValues(rowsOf(features, subset));
      const scale = Math.sqrt(
        prepareRows(features).squaredNorms.reduce((sum, value) => sum + value, 0) /
          Float64Array.from(features.data).reduce((sum, value) => sum + value ** 2, 0),
      );
      const proves = (bound: number) => preconditioner.proves([subset], [bound * scale])[0] === 1;
      // An SVD knows the smallest singular value up to some eps of the largest.
      assert.ok(!proves(sigmas[k - 1] * 1.001 + 4e-15), `${smallest}: proved more than is true`);
      asked++;
      if (proves(sigmas[k - 1] / 100)) proved++;
    }
  }
  assert.ok(proved > 0.8 * asked, `${proved} of ${asked} proved`);
});

testInFloat64('verdicts on subsets of graded features against SVD', () => {
  const random = randomSource(1, 'graded');
  const methods: Partial<Record<Method, number>> = {};
  let compared = 0;
  for (const smallest of [1e-4, 1e-8, 1e-11, 3e-14]) {
    const [T, d] = [90, 30];
    const features = withSingularValues(T, d, geometric(d, smallest), random);
    const judge = new IndependenceTest(prepareRows(features), 'float64');
    for (const k of [5, 20, 29, 30]) {
      const tolerance = relativeTolerance('float64', k, d);
      for (let round = 0; round < TRIALS / 8; round++) {
        const subsets = Array.from({ length: 20 }, () => random.subset(T, k));
        judge.judge(subsets).forEach(({ independent, method }, i) => {
          methods[method] = (methods[method] ?? 0) + 1;
          const sigmas = singularValues(rowsOf(features, subsets[i]));
          if (Math.abs(sigmas[k - 1] / sigmas[0] / tolerance - 1) < 0.5) return;
          compared++;
          assert.equal(independent, rankAt(sigmas, tolerance) === k, `${smallest}, k ${k}, by ${method}`);
        });
      }
    }
  }
  assert.ok(compared > 30 * TRIALS);
  for (const method of ['cholesky', 'preconditioned', 'congruence'] as const) {
    assert.ok((methods[method] ?? 0) > TRIALS / 4, JSON.stringify(methods));
  }
});

test('a curve at float64 tolerance ends where SVD says', async () => {
  const random = randomSource(1, 'curve');
  const [T, d] = [40, 24];
  const features = withSingularValues(
    T,
    d,
    geometric(d, 1e-10).map((sigma, i) => (i < 18 ? sigma : 0)),
    random,
  );
  const { lengths } = await kruskalCurve(features, { permutations: 20, seed: 3, rtol: 'float64' });
  assert.deepEqual(lengths, new Array(20).fill(18));
});

test('the product in slices is right to nearly the last bit of float64', () => {
  const random = randomSource(1, 'exact product');
  const [m, n, p] = [4, 61, 3];
  const graded = (rows: number, columns: number) =>
    Float64Array.from(normalMatrix(rows, columns, random).data, (value) => value * 10 ** (6 * random.uniform() - 3));
  const a = graded(m, n);
  const b = graded(n, p);
  const product = exactProduct(a, b, m, n, p);
  const unit = 200;
  const exact = (value: number) => {
    // A double is an integer times a power of two.
    const exponent = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value))) - 60;
    return BigInt(value * 2 ** -exponent) << BigInt(exponent + unit);
  };
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < p; j++) {
      let sum = 0n;
      let largestOfA = 0;
      let largestOfB = 0;
      for (let q = 0; q < n; q++) {
        sum += exact(a[i * n + q]) * exact(b[q * p + j]);
        largestOfA = Math.max(largestOfA, Math.abs(a[i * n + q]));
        largestOfB = Math.max(largestOfB, Math.abs(b[q * p + j]));
      }
      const off = sum - (exact(product[i * p + j]) << BigInt(unit));
      const error = Number((off < 0n ? -off : off) >> BigInt(unit)) * 2 ** -unit;
      const allowed = 2 ** -51 * Math.abs(product[i * p + j]) + exactProductError(n) * largestOfA * largestOfB;
      assert.ok(error <= allowed, `${error} > ${allowed}`);
    }
  }
});

test('subsets of all rows and all columns, d = T', async () => {
  const random = randomSource(1, 'square');
  const features = withSingularValues(18, 18, geometric(18, 1e-9), random);
  const { satisfied } = await testKruskalRank(features, { k: 18, draws: 3, seed: 0, rtol: 'float64' });
  assert.equal(satisfied, 3);
  const [verdict] = new IndependenceTest(prepareRows(features), 'float64').judge([firstRows(18)]);
  assert.equal(verdict.method, 'preconditioned');
});
