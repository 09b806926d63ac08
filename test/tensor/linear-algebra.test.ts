/**
 * The factorizations in both precisions, on matrices whose answer is known exactly and by residuals, which as in
 * LAPACK's tests are given as multiples of n * epsilon * the norm and have to stay below 30.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cholesky,
  eigvalsh,
  epsilonOf,
  inPrecision,
  type Precision,
  qr,
  randomSource,
  svdvals,
  tf,
  toTensor,
  triangularSolve,
  valuesOf,
} from 'attention-capacity/tensor/index';

const THRESHOLD = 30;

const fill = (rows: number, columns: number, entry: (i: number, j: number) => number) =>
  Float64Array.from({ length: rows * columns }, (_, index) => entry(Math.floor(index / columns), index % columns));
const square = (n: number, entry: (i: number, j: number) => number) => toTensor(fill(n, n, entry), [n, n]);
const hilbert = (n: number) => square(n, (i, j) => 1 / (i + j + 1));
const minimum = (n: number) => square(n, (i, j) => Math.min(i, j) + 1);
const random = (shape: number[], label: string) => {
  const source = randomSource(1, label);
  const size = shape.reduce((x, y) => x * y, 1);
  return toTensor(
    Float64Array.from({ length: size }, () => source.normal()),
    shape,
  );
};
const maximum = (a: tf.Tensor) => (a.size === 0 ? 0 : Math.max(...valuesOf(tf.tidy(() => a.abs().max()))));

/** Runs a test in both precisions and asserts that it leaves no tensor, of tfjs or of TensorFlow. */
function inBoth(name: string, run: (precision: Precision, epsilon: number) => void): void {
  const backend = tf.findBackend('tensorflow') as unknown as { getNumOfTFTensors(): number };
  const count = () => [tf.memory().numTensors, backend.getNumOfTFTensors()];
  for (const precision of ['float32', 'float64'] as const) {
    test(`${name}, ${precision}`, () => {
      const before = count();
      inPrecision(precision, () => tf.tidy(() => run(precision, epsilonOf(precision))));
      assert.deepEqual(count(), before);
    });
  }
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, allowed: number): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    assert.ok(error <= allowed, `element ${i}: got ${actual[i]}, expected ${expected[i]} within ${allowed}`);
  }
}

inBoth('cholesky of the Pascal matrix is the matrix of binomials, exactly', () => {
  const binomial = (n: number, k: number): number => (k > n ? 0 : k === 0 ? 1 : (binomial(n - 1, k - 1) * n) / k);
  const n = 10;
  const factor = valuesOf(cholesky(square(n, (i, j) => binomial(i + j, i))));
  assert.deepEqual([...factor], [...fill(n, n, binomial)]);
});

inBoth('cholesky of the Hilbert matrix has its closed form', (precision, epsilon) => {
  // L[i][j] = sqrt(2j + 1) i!^2 / ((i - j)! (i + j + 1)!), Choi 1983; the condition number at n = 4 is 1.6e4.
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const entry = (i: number, j: number) =>
    i < j ? 0 : (Math.sqrt(2 * j + 1) * factorial(i) ** 2) / (factorial(i - j) * factorial(i + j + 1));
  assertClose(valuesOf(cholesky(hilbert(4))), fill(4, 4, entry), 1.6e4 * epsilon);
});

inBoth('cholesky fails on the matrices of a stack that are not positive definite, and on those only', () => {
  const good = [4, 2, 2, 5];
  const goodFactor = [2, 0, 1, 2];
  const bad = [
    [1, 2, 2, 1], // indefinite
    [0, 0, 0, 0],
    [1, 1, 1, 1], // singular
    [-1, 0, 0, 1],
    [NaN, 0, 0, 1],
    [1, 0, Infinity, 1],
  ];
  const stack = toTensor([good, ...bad, good].flat(), [bad.length + 2, 2, 2]);
  const factors = valuesOf(cholesky(stack));
  assert.deepEqual([...factors.subarray(0, 4)], goodFactor);
  assert.deepEqual([...factors.subarray(-4)], goodFactor);
  bad.forEach((matrix, i) => {
    const [first, , below, last] = factors.subarray(4 * (i + 1));
    assert.ok(Number.isNaN(first) && Number.isNaN(below) && Number.isNaN(last), `${matrix.join(', ')} has a factor`);
  });
});

test('the Hilbert matrix of size 12 is positive definite in float64, not in float32', () => {
  const lastOfFactor = (precision: Precision) => inPrecision(precision, () => valuesOf(cholesky(hilbert(12))).at(-1));
  tf.engine().startScope();
  assert.ok(Number.isNaN(lastOfFactor('float32')));
  assert.ok(lastOfFactor('float64')! > 0);
  tf.engine().endScope();
});

inBoth('cholesky and eigvalsh read the lower triangle only', () => {
  const a = square(2, (i, j) => (i < j ? NaN : [4, 0, 2, 5][2 * i + j]));
  assert.deepEqual([...valuesOf(cholesky(a))], [2, 0, 1, 2]);
  assertClose(valuesOf(eigvalsh(a)), [(9 - Math.sqrt(17)) / 2, (9 + Math.sqrt(17)) / 2], 1e-6);
});

inBoth('eigvalsh of the min(i, j) matrix has its closed form, ascending', (precision, epsilon) => {
  const n = 50;
  const expected = Array.from(
    { length: n },
    (_, k) => 1 / (4 * Math.sin(((2 * (n - k) - 1) * Math.PI) / (4 * n + 2)) ** 2),
  );
  assertClose(valuesOf(eigvalsh(minimum(n))), expected, 30 * epsilon * expected[n - 1]);
});

inBoth('svdvals finds planted singular values, one of them tiny, descending', (precision, epsilon) => {
  // H D H with Sylvester's Hadamard matrix / 4, orthogonal and symmetric, whose entries are exact.
  const n = 16;
  const ones = (x: number) => x.toString(2).replaceAll('0', '').length;
  const hadamard = square(n, (i, j) => (ones(i & j) % 2 === 0 ? 0.25 : -0.25));
  for (const [planted, scale] of [
    [Array.from({ length: n }, (_, k) => n - k), 1],
    [Array.from({ length: n }, (_, k) => (k < n / 2 ? 1 : 0)), 1],
    [Array.from({ length: n }, (_, k) => (k < n - 1 ? 1 : 4 * epsilon)), 1],
    [Array.from({ length: n }, (_, k) => n - k), 2 ** 100],
    [Array.from({ length: n }, (_, k) => n - k), 2 ** -100],
  ] as [number[], number][]) {
    const sigma = planted.map((value) => value * scale);
    const a = tf.matMul(hadamard.mul(toTensor(sigma, [n])), hadamard);
    assertClose(valuesOf(svdvals(a)), sigma, THRESHOLD * epsilon * sigma[0]);
  }
});

inBoth('svdvals of wide, tall and stacked matrices are those of their transposes', (precision, epsilon) => {
  const a = random([3, 20, 50], 'wide');
  const wide = valuesOf(svdvals(a));
  assert.equal(wide.length, 60);
  assertClose(valuesOf(svdvals(a.transpose([0, 2, 1]))), wide, THRESHOLD * epsilon * wide[0]);
  for (const i of [0, 1, 2]) {
    assertClose(valuesOf(svdvals(a.slice([i], [1]).squeeze([0]))), wide.subarray(20 * i, 20 * i + 20), 1e-5 * wide[0]);
  }
});

inBoth('qr gives back the matrix by orthonormal columns and a triangle', (precision, epsilon) => {
  const rankOne = square(12, (i, j) => (i + 1) * (j + 1));
  for (const a of [
    random([40, 40], 'q'),
    random([60, 20], 'q'),
    random([20, 60], 'q'),
    random([3, 30, 10], 'q'),
    rankOne,
  ]) {
    const [m, n] = a.shape.slice(-2);
    const [q, r] = qr(a);
    assert.deepEqual(q.shape.slice(-2), [m, Math.min(m, n)]);
    assert.deepEqual(r.shape.slice(-2), [Math.min(m, n), n]);
    const unit = Math.max(m, n) * epsilon;
    assert.ok(maximum(tf.matMul(q, r).sub(a)) / (unit * maximum(a)) < THRESHOLD);
    assert.ok(maximum(tf.matMul(q, q, true, false).sub(tf.eye(Math.min(m, n)))) / unit < THRESHOLD);
    assert.equal(maximum(r.sub(tf.linalg.bandPart(r, 0, -1))), 0);
  }
});

inBoth('cholesky, triangularSolve and eigvalsh agree with the matrix they came from', (precision, epsilon) => {
  for (const n of [1, 7, 64, 197]) {
    const x = random([2, n, 2 * n], 'gram');
    const a = tf.matMul(x, x, false, true);
    const norm = n * epsilon * maximum(a);
    const l = cholesky(a);
    assert.ok(maximum(tf.matMul(l, l, false, true).sub(a)) / norm < THRESHOLD, `L L^T at n = ${n}`);

    const b = random([2, n, 3], 'right');
    const y = triangularSolve(l, b);
    assert.ok(
      maximum(tf.matMul(l, y).sub(b)) / (n * epsilon * maximum(l) * maximum(y)) < THRESHOLD,
      `L Y = B at n = ${n}`,
    );
    const z = triangularSolve(l, y, { adjoint: true });
    const residual = maximum(tf.matMul(l, z, true, false).sub(y));
    assert.ok(residual / (n * epsilon * maximum(l) * maximum(z)) < THRESHOLD, `L^T Z = Y at n = ${n}`);
    const upper = triangularSolve(l.transpose([0, 2, 1]), y, { lower: false });
    assertClose(valuesOf(upper), valuesOf(z), THRESHOLD * n * epsilon * maximum(z) * 10);

    const trace = valuesOf(tf.sum(tf.matMul(a, tf.eye(n)).mul(tf.eye(n)), [1, 2]));
    const eigenvalues = eigvalsh(a);
    assertClose(valuesOf(tf.sum(eigenvalues, 1)), trace, THRESHOLD * n * epsilon * maximum(eigenvalues));
  }
});

inBoth('triangularSolve does not read the other triangle, and a zero on the diagonal gives no number', () => {
  const b = toTensor([2, 9], [2, 1]);
  assert.deepEqual([...valuesOf(triangularSolve(toTensor([2, NaN, 1, 4], [2, 2]), b))], [1, 2]);
  assert.deepEqual([...valuesOf(triangularSolve(toTensor([4, 2, NaN, 3], [2, 2]), b, { lower: false }))], [-1, 3]);
  assert.ok(!Number.isFinite(valuesOf(triangularSolve(toTensor([2, 0, 1, 0], [2, 2]), b))[1]));
});

inBoth('NaN and infinity in the input come out as the documentation says', () => {
  const stack = toTensor([NaN, 0, 0, 1, 1, 0, 0, 2], [2, 2, 2]);
  assert.deepEqual([...valuesOf(svdvals(stack))], [NaN, NaN, 2, 1]);
  assert.deepEqual([...valuesOf(svdvals(toTensor([Infinity, 0, 0, 1], [2, 2])))], [NaN, NaN]);
  assert.deepEqual([...valuesOf(eigvalsh(stack))], [NaN, NaN, 1, 2]);
  assert.ok(valuesOf(eigvalsh(toTensor([Infinity, 2, 2, 1], [2, 2]))).every(Number.isNaN));
  assert.ok(valuesOf(qr(toTensor([NaN, 0, 0, 1], [2, 2]))[1]).some(Number.isNaN));
});

inBoth('empty stacks, empty matrices and single numbers', () => {
  for (const shape of [
    [0, 3, 3],
    [2, 0, 0],
  ]) {
    const empty = toTensor([], shape);
    for (const result of [
      cholesky(empty),
      eigvalsh(empty),
      svdvals(empty),
      ...qr(empty),
      triangularSolve(empty, empty),
    ]) {
      assert.equal(result.size, 0);
    }
  }
  const nine = toTensor([9], [1, 1]);
  assert.deepEqual([...valuesOf(cholesky(nine))], [3]);
  assert.deepEqual([...valuesOf(eigvalsh(nine))], [9]);
  assert.deepEqual([...valuesOf(svdvals(toTensor([-9], [1, 1])))], [9]);
  assert.deepEqual([...valuesOf(svdvals(toTensor([3, 4], [1, 2])))].map(Math.round), [5]);
  assert.deepEqual([...valuesOf(triangularSolve(nine, toTensor([1.125], [1, 1])))], [0.125]);
  assert.deepEqual([...valuesOf(svdvals(tf.zeros([3, 2])))], [0, 0]);
});

test('shapes that do not fit are named', () => {
  tf.engine().startScope();
  const message = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      assert.ok(error instanceof RangeError);
      return error.message;
    }
    return assert.fail('nothing was thrown');
  };
  const wide = tf.ones([4, 2, 3]);
  const vector = tf.ones([3]);
  assert.equal(
    message(() => cholesky(wide)),
    'cholesky: expected a square matrix or a stack of them, [..., n, n], got [4, 2, 3]',
  );
  assert.equal(
    message(() => eigvalsh(vector)),
    'eigvalsh: expected a square matrix or a stack of them, [..., n, n], got [3]',
  );
  assert.equal(
    message(() => svdvals(vector)),
    'svdvals: expected a matrix or a stack of matrices, got [3]',
  );
  assert.equal(
    message(() => qr(vector)),
    'qr: expected a matrix or a stack of matrices, got [3]',
  );
  assert.match(
    message(() => triangularSolve(tf.eye(3), tf.ones([2, 3]))),
    /as many rows, got \[3, 3\] and \[2, 3\]/,
  );
  tf.engine().endScope();
});
