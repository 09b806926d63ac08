/**
 * At float64's tolerance a Gram of the rows is blind. Verdicts and counts of ranks that come from a change of columns
 * common to all subsets, on subsets whose singular values are planted, among other rows.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Preconditioners } from 'attention-capacity/rank/proofs/preconditioner';
import { IndependenceTest } from 'attention-capacity/rank/proofs/independence';
import { RankCounter } from 'attention-capacity/rank/proofs/rank-count';
import { prepareRows } from 'attention-capacity/rank/proofs/rows';
import { singularValues } from 'attention-capacity/rank/index';
import { randomSource, type Matrix, type Random } from 'attention-capacity/tensor/index';
import { firstRows, matrix, withSingularValues } from './matrices';

const K = 48;
const TOLERANCE = K * 2 ** -52;

/** The first K of `count` rows have the singular values `sigmas`; the others are random combinations of them, as rows of one layer are. */
function among(count: number, sigmas: Float64Array, random: Random): Matrix {
  const first = withSingularValues(K, K, sigmas, random);
  const others = Array.from({ length: count - K }, () => {
    const weights = Array.from({ length: K }, () => random.normal() / Math.sqrt(K));
    return Array.from({ length: K }, (_, j) => weights.reduce((sum, w, i) => sum + w * first.data[i * K + j], 0));
  });
  return matrix(count, K, (i, j) => (i < K ? first.data[i * K + j] : others[i - K][j]));
}

/** From 1 down; the last `below` are below the tolerance, all at least a fifth away from it. */
function planted(below: number, spread: number): Float64Array {
  const above = K - below;
  return Float64Array.from({ length: K }, (_, i) =>
    i < above ? (1.25 * TOLERANCE) ** (i / (above - 1)) : 0.8 * TOLERANCE * spread ** (i - above),
  );
}

test('ranks are counted where the Gram is blind, whether the spectrum has a gap at the tolerance or none', () => {
  const random = randomSource(0, 'blind');
  for (const count of [K, 70, 110]) {
    for (const [below, spread] of [
      [0, 1],
      [1, 1],
      [7, 0.9],
      [20, 0.5],
      [30, 0.01],
    ]) {
      const features = among(count, planted(below, spread), random);
      const rows = prepareRows(features);
      const independence = new IndependenceTest(rows, 'float64');
      const subset = firstRows(K);
      const [{ rank, nearest }] = new RankCounter(independence).count([subset]);
      assert.deepEqual({ rank, nearest }, { rank: K - below, nearest: null });
      assert.equal(independence.judge([subset])[0].independent, below === 0);
      const counter = independence.columnInertia(K)!;
      // In the scale of the rows; the planted sigma_max is 1.
      const scale = (rows.values[0] / features.data[0]) * TOLERANCE;
      assert.equal(counter.countWithin(subset, 0.9 * scale, 1.1 * scale), K - below);
      const [sigmas, bounds] = [singularValues(features), counter.squaredSpectrum];
      // The SVD is right to some units of sigma_max.
      const least = Array.from(sigmas, (sigma) => Math.max(0, sigma - 1e-14 * sigmas[0]) * (scale / TOLERANCE));
      least.forEach((sigma, i) => assert.ok(bounds[i] >= sigma ** 2));
    }
  }
});

test('a count between two tolerances with a singular value between them is left open', () => {
  const random = randomSource(1, 'blind');
  const features = among(80, planted(5, 0.9), random);
  const rows = prepareRows(features);
  const counter = new Preconditioners(rows).columnInertia(TOLERANCE)!;
  const scale = (rows.values[0] / features.data[0]) * TOLERANCE;
  assert.equal(counter.countWithin(firstRows(K), 0.75 * scale, 1.1 * scale), null);
});

test('the inverse proves independence up to nearly the smallest singular value, and not beyond it', () => {
  const random = randomSource(2, 'blind');
  const least = 100 * TOLERANCE;
  for (let trial = 0; trial < 10; trial++) {
    const sigmas = Float64Array.from({ length: K }, (_, i) => (i === K - 1 ? least : 10 ** (-i / 8)));
    const rows = prepareRows(among(50, sigmas, random));
    const scale = Math.sqrt(rows.squaredNorms.slice(0, K).reduce((sum, square) => sum + square, 0) / squares(sigmas));
    const preconditioner = new Preconditioners(rows).forSubsetsOf(K)!;
    const subset = firstRows(K);
    const proved = preconditioner.provesByInverse([subset, subset], [0.9 * least * scale, 1.01 * least * scale]);
    assert.deepEqual(Array.from(proved), [1, 0]);
  }
});

const squares = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0);
