import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descend, isSlow, startAt, type Problem } from 'attention-capacity/memorization/capacity/levenberg-marquardt';
import { randomSource, tf } from 'attention-capacity/tensor';

function problem(
  R: number,
  P: number,
  residual: (x: Float64Array, i: number) => number,
  slope: (x: Float64Array, i: number, j: number) => number,
): Problem {
  const residuals = (point: Float64Array) => Float64Array.from({ length: R }, (_, i) => residual(point, i));
  return {
    residuals,
    linearize: (point) => ({
      residuals: residuals(point),
      jacobian: {
        data: Float64Array.from({ length: R * P }, (_, at) => slope(point, Math.floor(at / P), at % P)),
        shape: [R, P],
      },
    }),
  };
}

function solve(
  problem: Problem,
  start: readonly number[],
  most: number,
): { point: Float64Array; norms: readonly number[] } {
  let descent = startAt(Float64Array.from(start));
  for (let i = 0; i < most; i++) {
    const next = descend(problem, descent);
    if (next === null) break;
    assert.equal(next.norms.length, next.iterations + 1);
    assert.ok(next.norms[next.iterations] <= next.norms[next.iterations - 1], 'no step makes the residuals larger');
    descent = next;
  }
  return descent;
}

test('Rosenbrock’s valley ends at (1, 1)', () => {
  // 10 (y - x^2) and 1 - x: J. More, B. Garbow, K. Hillstrom, problem 1.
  const valley = problem(
    2,
    2,
    ([x, y], i) => (i === 0 ? 10 * (y - x * x) : 1 - x),
    ([x], i, j) => (i === 0 ? [-20 * x, 10][j] : [-1, 0][j]),
  );
  const { point } = solve(valley, [-1.2, 1], 100);
  assert.ok(Math.hypot(point[0] - 1, point[1] - 1) < 1e-9, `${point}`);
});

test('Powell’s singular function: the Jacobian has rank 2 of 4 at the solution', () => {
  const [s5, s10] = [Math.sqrt(5), Math.sqrt(10)];
  const powell = problem(
    4,
    4,
    ([a, b, c, d], i) => [a + 10 * b, s5 * (c - d), (b - 2 * c) ** 2, s10 * (a - d) ** 2][i],
    ([a, b, c, d], i, j) =>
      [
        [1, 10, 0, 0],
        [0, 0, s5, -s5],
        [0, 2 * (b - 2 * c), -4 * (b - 2 * c), 0],
        [2 * s10 * (a - d), 0, 0, -2 * s10 * (a - d)],
      ][i][j],
  );
  const { point } = solve(powell, [3, -1, 0, 1], 100);
  assert.ok(Math.max(...point.map(Math.abs)) < 1e-4, `${point}`);
});

for (const [R, P] of [
  [12, 30],
  [30, 12],
]) {
  test(`${R} linear residuals of ${P} unknowns: the least squares`, () => {
    const random = randomSource(0, 'levenberg-marquardt', R);
    const matrix = Float64Array.from({ length: R * P }, () => random.normal());
    const right = Float64Array.from({ length: R }, () => random.normal());
    const row = (x: Float64Array, i: number) => x.reduce((sum, value, j) => sum + value * matrix[i * P + j], 0);
    const linear = problem(
      R,
      P,
      (x, i) => row(x, i) - right[i],
      (_, i, j) => matrix[i * P + j],
    );
    const { point, norms } = solve(linear, new Array<number>(P).fill(0), 60);
    if (R < P) {
      assert.ok(norms.at(-1)! < 1e-12, `${norms.at(-1)}`);
      return;
    }
    // At the least squares the residuals are orthogonal to the columns.
    const left = linear.residuals(point);
    const slopes = Array.from({ length: P }, (_, j) =>
      left.reduce((sum, value, i) => sum + value * matrix[i * P + j], 0),
    );
    assert.ok(Math.max(...slopes.map(Math.abs)) < 1e-6, `${slopes}`);
  });
}

test('where no step helps there is none; a crawl counts as slow; no tensor is left', () => {
  const before = tf.memory().numTensors;
  const flat = problem(
    2,
    1,
    () => 1,
    () => 0,
  );
  assert.equal(descend(flat, startAt(Float64Array.of(0))), null);
  const crawl = Array.from({ length: 101 }, (_, i) => 1 - i / 10_000);
  assert.ok(isSlow({ ...startAt(Float64Array.of(0)), iterations: 100, norms: crawl }));
  assert.ok(!isSlow({ ...startAt(Float64Array.of(0)), iterations: 99, norms: crawl.slice(1) }));
  assert.equal(tf.memory().numTensors, before);
});
