/**
 * Each fast method against the definition: thousands of random matrices with a singular value planted next to the
 * tolerance, and their singular values by SVD in float64. The SVD itself is off by some eps * sigma_max, so the comparison is
 * made where the planted value is further than that from the tolerance, which at float32's tolerance is a distance of 1e-9.
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
import { IndependenceTest } from 'attention-capacity/rank/proofs/independence';
import { InertiaCounter } from 'attention-capacity/rank/proofs/inertia';
import type { Method } from 'attention-capacity/rank/proofs/proof';
import { RankCounter } from 'attention-capacity/rank/proofs/rank-count';
import { prepareRows } from 'attention-capacity/rank/proofs/rows';
import type { tf } from 'attention-capacity/tensor/index';
import { inPrecision, type Matrix, type Random, randomSource, toTensor } from 'attention-capacity/tensor/index';
import { testInFloat64 } from './in-float64';
import { firstRows, normalMatrix, rowsOf, stacked, withSingularValues } from './matrices';

const TRIALS = process.env.ATTENTION_TEST_ALL ? 6000 : 2400;

/** ± 10^u for u uniform in [-10, -1]: as many matrices at a distance of 1e-9 from the tolerance as of 1e-2. */
function distance(random: Random): number {
  return (random.uniform() < 0.5 ? -1 : 1) * 10 ** (-10 + 9 * random.uniform());
}

/**
 * k x d, the smallest singular value at (1 + distance) times the tolerance; the largest stands out, as in a layer's
 * features, unless `flat`.
 */
function atTheEdge(k: number, d: number, tolerance: number, random: Random, flat = false): Matrix {
  const sigmas = Float64Array.from({ length: k }, () => 10 ** (-3 * random.uniform() - (flat ? 0 : 1)));
  sigmas[0] = 1;
  if (k > 1) sigmas[k - 1] = tolerance * (1 + distance(random));
  return withSingularValues(k, d, sigmas, random);
}

/** How sure the SVD is, as a relative distance of the nearest singular value from the tolerance. */
function margin(sigmas: Float64Array, tolerance: number): number {
  return Math.min(...Array.from(sigmas, (sigma) => Math.abs(sigma / sigmas[0] / tolerance - 1)));
}

testInFloat64(`verdicts at the edge of the tolerance, ${TRIALS} matrices`, () => {
  const random = randomSource(1, 'verdicts at the edge');
  const methods: Partial<Record<Method, number>> = {};
  let compared = 0;
  let independentOnes = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const k = 2 + random.integer(18);
    const d = k + random.integer(8);
    const rtol = trial % 2 === 0 ? 'float32' : 1e-3;
    const tolerance = relativeTolerance(rtol, k, d);
    const edge = atTheEdge(k, d, tolerance, random, trial % 4 < 2);
    // A few more rows, so that the spectrum of all rows does not settle it.
    const more = normalMatrix(3, d, random);
    const rows = prepareRows(stacked(edge, { ...more, data: more.data.map((value) => value / 100) }));
    const sigmas = singularValues(edge);
    const [{ independent, method }] = new IndependenceTest(rows, rtol).judge(
      [firstRows(k)],
      random.uniform() < 0.5 ? 'dependent' : 'independent',
    );
    methods[method] = (methods[method] ?? 0) + 1;
    if (margin(sigmas, tolerance) < 1e-9) continue;
    compared++;
    if (independent) independentOnes++;
    assert.equal(independent, rankAt(sigmas, tolerance) === k, `trial ${trial}, k ${k}, by ${method}`);
  }
  assert.ok(compared > 0.7 * TRIALS, `${compared} compared`);
  assert.ok(independentOnes > 0.3 * compared && independentOnes < 0.7 * compared);
  for (const method of ['cholesky', 'double-double'] as const) {
    assert.ok((methods[method] ?? 0) > 0.05 * TRIALS, JSON.stringify(methods));
  }
});

testInFloat64(`many subsets of one matrix, proofs that learn from each other, against SVD`, () => {
  const random = randomSource(1, 'many subsets');
  for (const [rtol, above] of [
    ['float32', 6],
    [1e-3, 6],
    [0.02, 25],
  ] as const) {
    const [T, d, k] = [60, 30, 24];
    const tolerance = relativeTolerance(rtol, k, d);
    const features = withSingularValues(
      T,
      d,
      // The last one is so much above the tolerance as the hardest subsets of 24 lose.
      Float64Array.from({ length: d }, (_, i) => (i === 0 ? 4 : 0.5 * (above * tolerance) ** (i / (d - 1)))),
      random,
    );
    const judge = new IndependenceTest(prepareRows(features), rtol);
    let independentOnes = 0;
    for (let round = 0; round < TRIALS / 60; round++) {
      const subsets = Array.from({ length: 20 }, () => random.subset(T, k));
      judge.judge(subsets).forEach(({ independent, method }, i) => {
        const sigmas = singularValues(rowsOf(features, subsets[i]));
        if (independent) independentOnes++;
        if (margin(sigmas, tolerance) > 1e-9) assert.equal(independent, rankAt(sigmas, tolerance) === k, method);
      });
    }
    const share = independentOnes / (20 * Math.ceil(TRIALS / 60));
    assert.ok(share > 0.02 && share < 0.98, `${rtol}: ${share} independent`);
  }
});

testInFloat64(`proofs of dependence by the spectrum of all rows, ${TRIALS} subsets`, () => {
  const random = randomSource(1, 'interlacing');
  let interlaced = 0;
  for (let trial = 0; trial < TRIALS / 20; trial++) {
    const [T, d, k] = [40, 20, 16];
    const tolerance = relativeTolerance('float32', k, d);
    const sigmas = Float64Array.from({ length: d }, (_, i) => (i < 14 ? 1 : tolerance * 2 ** (1 - random.integer(5))));
    const features = withSingularValues(T, d, sigmas.sort().reverse(), random);
    const judge = new IndependenceTest(prepareRows(features), 'float32');
    const subsets = Array.from({ length: 20 }, () => random.subset(T, k));
    judge.judge(subsets).forEach(({ independent, method }, i) => {
      if (method === 'interlacing') interlaced++;
      const ofSubset = singularValues(rowsOf(features, subsets[i]));
      if (margin(ofSubset, tolerance) > 1e-9) assert.equal(independent, rankAt(ofSubset, tolerance) === k, method);
    });
  }
  assert.ok(interlaced > TRIALS / 20, `${interlaced} by interlacing`);
});

testInFloat64(
  `ranks by inertia and by eigenvalues, ${TRIALS} matrices with several singular values at the edge`,
  () => {
    const random = randomSource(1, 'inertia');
    let byInertia = 0;
    let straddled = 0;
    let byEigenvalues = 0;
    let provedBelow = 0;
    for (let trial = 0; trial < TRIALS; trial++) {
      const k = 8 + random.integer(16);
      const d = k + random.integer(6);
      // The Gram tells eigenvalues apart to 1e-8 of this tolerance's square.
      const tolerance = 1e-3;
      const planted = Float64Array.from({ length: k }, (_, i) =>
        i === 0 ? 1 : i < k / 3 ? tolerance * (1 + distance(random)) : 10 ** (-1 - 4 * random.uniform()),
      );
      const features = withSingularValues(k, d, planted, random);
      const sigmas = singularValues(features);
      if (margin(sigmas, tolerance) < 1e-9) continue;
      const rank = rankAt(sigmas, tolerance);
      const judge = new IndependenceTest(prepareRows(features), tolerance);
      const counted = new RankCounter(judge).count([firstRows(k)])[0];
      assert.equal(counted.rank, rank, `trial ${trial}`);
      assert.equal(counted.nearest !== null, margin(sigmas, tolerance) <= 1e-6, `trial ${trial}: nearness`);
      if (counted.nearest === null) byEigenvalues++;
      // The scale of the prepared rows is a power of two, read off the first squared norm.
      const scale = judge.gram.trace(firstRows(k)) / sigmas.reduce((sum, sigma) => sum + sigma ** 2, 0);
      const shift = scale * (tolerance * sigmas[0]) ** 2 * 10 ** (0.2 * random.uniform() - 0.1);
      const width = 10 ** (-1 - 6 * random.uniform());
      const [low, high] = [shift * (1 - width), shift * (1 + width)];
      const within = new InertiaCounter(judge.gram).countWithin([firstRows(k)], [low], [high])[0];
      const squares = Array.from(sigmas, (sigma) => scale * sigma ** 2);
      // What the SVD itself may be off by.
      const rounding = 1e-13 * squares[0];
      if (squares.some((square) => Math.abs(square - low) < rounding || Math.abs(square - high) < rounding)) continue;
      const above = (bound: number) => squares.filter((square) => square > bound).length;
      if (within.oneBelow) {
        provedBelow++;
        assert.ok(squares[k - 1] < low, `trial ${trial}: proved to be dependent`);
      }
      if (within.above === null) {
        if (above(low) !== above(high)) straddled++;
        continue;
      }
      byInertia++;
      assert.equal(within.above, above(low), `trial ${trial}: inertia, lower end`);
      assert.equal(within.above, above(high), `trial ${trial}: inertia, upper end`);
    }
    assert.ok(provedBelow > TRIALS / 10, `${provedBelow} proved to be dependent`);
    assert.ok(straddled > TRIALS / 50, `${straddled} with an eigenvalue in the interval`);
    assert.ok(byInertia > TRIALS / 10, `${byInertia} by inertia`);
    assert.ok(byEigenvalues > TRIALS / 10, `${byEigenvalues} by eigenvalues`);
  },
);

testInFloat64('ranks of 340-subsets, where inertia is the method that is used, against SVD', () => {
  const random = randomSource(1, 'large subsets');
  const [T, d, k] = [420, 350, 340];
  const features = withSingularValues(
    T,
    d,
    Float64Array.from({ length: d }, (_, i) => (i === 0 ? 30 : 10 ** ((-6 * i) / d))),
    random,
  );
  const judge = new IndependenceTest(prepareRows(features), 'float32');
  const subsets = Array.from({ length: 24 }, () => random.subset(T, k));
  const counted = new RankCounter(judge).count(subsets);
  counted.forEach(({ rank, nearest }, i) => {
    const sigmas = singularValues(rowsOf(features, subsets[i]));
    assert.equal(rank, rankAt(sigmas, judge.tolerance(k)));
    assert.equal(nearest, null);
  });
});

testInFloat64('verdicts that the count of the rank gives, where some of 330-subsets are dependent, against SVD', () => {
  const random = randomSource(1, 'by count');
  const [T, d, k] = [700, 340, 330];
  const tolerance = relativeTolerance('float32', k, d);
  // The hardest subsets of 330 lose a factor of some twenty against all rows, of which one direction is thirty times longer.
  const features = withSingularValues(
    T,
    d,
    Float64Array.from({ length: d }, (_, i) => (i === 0 ? 30 : (330 * tolerance) ** (i / (d - 1)))),
    random,
  );
  const judge = new IndependenceTest(prepareRows(features), 'float32');
  const counter = new RankCounter(judge);
  const subsets = Array.from({ length: 24 }, () => random.subset(T, k));
  const verdicts = judge.judge(subsets, 'dependent', (open) => counter.provesDependent(open));
  const counted = counter.count(subsets);
  let byCount = 0;
  verdicts.forEach(({ independent, method }, i) => {
    const rank = rankAt(singularValues(rowsOf(features, subsets[i])), tolerance);
    assert.equal(independent, rank === k, method);
    assert.equal(counted[i].rank, rank);
    if (method === 'inertia') byCount++;
  });
  const dependent = verdicts.filter(({ independent }) => !independent).length;
  assert.ok(dependent > 4 && dependent < 20, `${dependent} dependent`);
  assert.ok(byCount > dependent / 2, `${byCount} by their counts`);
});

test('ranks of subsets of equal rows, of zero rows and of both, at once and by SVD', async () => {
  const random = randomSource(1, 'equal rows');
  const [T, d, k] = [500, 340, 330];
  const row = normalMatrix(1, d, random).data;
  // Small enough that its square underflows beside the other's.
  const tiny = row.map((value) => value * 1e-200);
  for (const [kind, rowAt, ranks] of [
    ['equal', () => row, [1]],
    ['zero', () => new Float64Array(d), [0]],
    ['equal and tiny', () => tiny, [1]],
    ['zero or equal', (i: number) => (i % 2 ? row : new Float64Array(d)), [1]],
  ] as const) {
    const features = {
      data: Float64Array.from({ length: T * d }, (_, i) => rowAt(Math.floor(i / d))[i % d]),
      shape: [T, d] as [number, number],
    };
    const test = await testKruskalRank(features, {
      k,
      draws: 3,
      seed: 0,
      rtol: 'float32',
      ranksDraws: 3,
      sigmaDraws: 0,
    });
    assert.deepEqual(Object.keys(test.ranks).map(Number), ranks, kind);
    assert.equal(test.satisfied, 0);
    const [subset] = [rowsOf(features, firstRows(k))];
    assert.equal(rankAt(singularValues(subset), test.tolerance), ranks[0], kind);
  }
});

test(`where the independent prefixes of ${TRIALS} permutations end, against SVD`, async () => {
  const [T, d, permutations] = [120, 48, TRIALS / 12];
  const lengthsSeen = new Set<number>();
  for (let matrix = 0; matrix < 12; matrix++) {
    const random = randomSource(matrix, 'prefixes');
    const rtol = matrix % 2 === 0 ? 'float32' : 1e-3;
    const tolerance = relativeTolerance(rtol, 1, d);
    // One direction stands out, or none does; the smallest singular values are below the tolerance, or just above it.
    const largest = matrix % 3 === 0 ? 1 : 30;
    const smallest = (matrix % 4 < 2 ? 0.02 : 1.5) * largest * tolerance;
    const sigmas = Float64Array.from({ length: d }, (_, i) => (i === 0 ? largest : smallest ** (i / (d - 1))));
    const features = withSingularValues(T, d, sigmas, random);
    const { lengths } = await kruskalCurve(features, { permutations, seed: matrix, rtol });
    inPrecision('float64', () => {
      lengths.forEach((length, index) => {
        lengthsSeen.add(length);
        const order = randomSource(matrix, 'permutations', index).permutation(T);
        for (const k of [length, length + 1]) {
          if (k > d) continue;
          const ofPrefix = singularValues(rowsOf(features, order.subarray(0, k)));
          if (margin(ofPrefix, tolerance) < 1e-9) continue;
          assert.equal(
            rankAt(ofPrefix, tolerance) === k,
            k === length,
            `matrix ${matrix}, permutation ${index}, ${k} rows`,
          );
        }
      });
    });
  }
  assert.ok(lengthsSeen.size > 20, `${lengthsSeen.size} different lengths`);
});

testInFloat64(`context ranks at the edge of float32's tolerance, ${TRIALS} contexts`, () => {
  const random = randomSource(1, 'contexts');
  const [n, d, batch] = [12, 40, 20];
  const tolerance = relativeTolerance('float32', n, d);
  let full = 0;
  for (let trial = 0; trial < TRIALS / batch; trial++) {
    const stack = new Float64Array(batch * n * d);
    const expected: (number | null)[] = [];
    for (let index = 0; index < batch; index++) {
      const context =
        index % 2 === 0
          ? atTheEdge(n, d, tolerance, random)
          : withSingularValues(
              n,
              d,
              Float64Array.from({ length: n }, () => 10 ** (-4 * random.uniform())),
              random,
            );
      stack.set(context.data, index * n * d);
      const sigmas = singularValues(context);
      expected.push(margin(sigmas, tolerance) > 1e-9 ? rankAt(sigmas, tolerance) : null);
    }
    const contexts = inPrecision('float64', () => toTensor(stack, [batch, n, d])) as tf.Tensor3D;
    contextRanks(contexts, { rtol: 'float32' }).ranks.forEach((rank, index) => {
      if (expected[index] !== null) assert.equal(rank, expected[index], `trial ${trial}, context ${index}`);
      if (rank === n) full++;
    });
    contexts.dispose();
  }
  assert.ok(full > TRIALS / 4);
});
