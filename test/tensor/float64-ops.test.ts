/**
 * The ops of tfjs in the float64 backend, one by one, against the same computed in JavaScript's doubles. The inputs
 * cannot be represented in float32, so an op that rounds on its way misses by 1e-8 of the largest element, and 1e-15 is
 * allowed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inPrecision, scalar, tf, toTensor, valuesOf } from 'attention-capacity/tensor/index';

const a = [1 / 3, -2 / 7, 1 + 1e-12, Math.PI, -Math.E, 1e-9];
const b = [0.1, 5 / 9, -1 - 1e-13, 1e5 + 1e-9, 0.7, -1 / 11];
const positive = a.map(Math.abs);
const [ROWS, COLUMNS] = [2, 3];

const A = () => toTensor(a, [ROWS, COLUMNS]);
const B = () => toTensor(b, [ROWS, COLUMNS]);
const P = () => toTensor(positive, [ROWS, COLUMNS]);
const vector = (values: number[]) => toTensor(values, [values.length]) as tf.Tensor1D;
const images = (values: number[], shape: number[]) => toTensor(values, shape) as tf.Tensor4D;
const indices = (values: number[]) => tf.tensor1d(values, 'int32');

const zip = (f: (x: number, y: number) => number) => a.map((x, i) => f(x, b[i]));
const rowsOf = (values: readonly number[]) => [values.slice(0, COLUMNS), values.slice(COLUMNS)];
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;
const variance = (values: readonly number[]) => mean(values.map((value) => (value - mean(values)) ** 2));
const softmax = (values: readonly number[]) => {
  const weights = values.map((value) => Math.exp(value - Math.max(...values)));
  return weights.map((weight) => weight / sum(weights));
};
const truth = (values: boolean[]) => values.map(Number);

/** x [m, n] times y [n, p]. */
function product(x: readonly number[], y: readonly number[], m: number, n: number, p: number): number[] {
  const entry = (i: number, j: number) => sum(Array.from({ length: n }, (_, k) => x[i * n + k] * y[k * p + j]));
  return Array.from({ length: m * p }, (_, index) => entry(Math.floor(index / p), index % p));
}

function transpose(x: readonly number[], rows: number, columns: number): number[] {
  return Array.from({ length: rows * columns }, (_, index) => x[(index % rows) * columns + Math.floor(index / rows)]);
}

const aTransposed = transpose(a, ROWS, COLUMNS);
const bTransposed = transpose(b, ROWS, COLUMNS);

/** erf by its series with positive terms only, which cancels no digits. */
function erf(x: number): number {
  let term = x;
  let total = x;
  for (let n = 1; n < 120; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

type Case = [name: string, actual: () => tf.Tensor, expected: readonly number[]];

const cases: Case[] = [
  ['add', () => A().add(B()), zip((x, y) => x + y)],
  ['sub', () => A().sub(B()), zip((x, y) => x - y)],
  ['mul', () => A().mul(B()), zip((x, y) => x * y)],
  ['div', () => A().div(B()), zip((x, y) => x / y)],
  ['mul by a scalar', () => A().mul(scalar(0.1)), a.map((x) => x * 0.1)],
  ['mul by a number that float32 can hold', () => A().mul(0.125), a.map((x) => x * 0.125)],
  ['add with broadcasting', () => A().add(toTensor([0.1, 0.2, 0.3], [3])), a.map((x, i) => x + [0.1, 0.2, 0.3][i % 3])],
  ['squaredDifference', () => tf.squaredDifference(A(), B()), zip((x, y) => (x - y) ** 2)],
  ['maximum', () => tf.maximum(A(), B()), zip(Math.max)],
  ['minimum', () => tf.minimum(A(), B()), zip(Math.min)],
  ['pow', () => tf.pow(P(), scalar(1 / 3)), positive.map((x) => x ** (1 / 3))],
  ['neg', () => tf.neg(A()), a.map((x) => -x)],
  ['abs', () => tf.abs(A()), positive],
  ['square', () => tf.square(A()), a.map((x) => x * x)],
  ['sqrt', () => tf.sqrt(P()), positive.map(Math.sqrt)],
  ['rsqrt', () => tf.rsqrt(P()), positive.map((x) => 1 / Math.sqrt(x))],
  ['exp', () => tf.exp(A()), a.map(Math.exp)],
  ['log', () => tf.log(P()), positive.map(Math.log)],
  ['tanh', () => tf.tanh(A()), a.map(Math.tanh)],
  ['sigmoid', () => tf.sigmoid(A()), a.map((x) => 1 / (1 + Math.exp(-x)))],
  ['erf', () => tf.erf(A()), a.map(erf)],
  ['sin', () => tf.sin(A()), a.map(Math.sin)],
  ['cos', () => tf.cos(A()), a.map(Math.cos)],
  ['relu', () => tf.relu(A()), a.map((x) => Math.max(x, 0))],
  ['floor', () => tf.floor(A()), a.map(Math.floor)],
  ['clipByValue', () => tf.clipByValue(A(), -0.5, 0.75), a.map((x) => Math.min(Math.max(x, -0.5), 0.75))],

  ['sum', () => tf.sum(A(), 1), rowsOf(a).map(sum)],
  ['mean', () => tf.mean(A(), 1), rowsOf(a).map(mean)],
  ['max', () => tf.max(A(), 1), rowsOf(a).map((row) => Math.max(...row))],
  ['min', () => tf.min(A(), 1), rowsOf(a).map((row) => Math.min(...row))],
  ['prod', () => tf.prod(A(), 1), rowsOf(a).map((row) => row.reduce((x, y) => x * y))],
  ['moments, mean', () => tf.moments(A(), 1).mean, rowsOf(a).map(mean)],
  ['moments, variance', () => tf.moments(A(), 1).variance, rowsOf(a).map(variance)],
  ['norm', () => tf.norm(A()), [Math.hypot(...a)]],
  ['cumsum', () => tf.cumsum(A(), 1), [a[0], a[0] + a[1], sum(a.slice(0, 3)), a[3], a[3] + a[4], sum(a.slice(3))]],
  ['softmax', () => tf.softmax(A()), rowsOf(a).flatMap(softmax)],
  ['logSoftmax', () => tf.logSoftmax(A()), rowsOf(a).flatMap((row) => softmax(row).map(Math.log))],
  ['logSumExp', () => tf.logSumExp(A(), 1), rowsOf(a).map((row) => Math.log(sum(row.map(Math.exp))))],

  ['matMul', () => tf.matMul(A(), tf.transpose(B())), product(a, bTransposed, 2, 3, 2)],
  ['matMul, left transposed', () => tf.matMul(A(), B(), true, false), product(aTransposed, b, 3, 2, 3)],
  ['matMul, right transposed', () => tf.matMul(A(), B(), false, true), product(a, bTransposed, 2, 3, 2)],
  [
    'matMul of stacks',
    () => tf.matMul(tf.stack([A(), B()]), tf.stack([B(), A()]), false, true),
    [...product(a, bTransposed, 2, 3, 2), ...product(b, aTransposed, 2, 3, 2)],
  ],
  ['einsum', () => tf.einsum('ij,kj->ik', A(), B()), product(a, bTransposed, 2, 3, 2)],
  ['dot', () => tf.dot(vector(a), vector(b)), [sum(zip((x, y) => x * y))]],
  ['outerProduct', () => tf.outerProduct(vector(a), vector(b)), a.flatMap((x) => b.map((y) => x * y))],
  [
    'conv2d of 1 x 3 x 2 patches',
    () => tf.conv2d(images([...a, ...b], [2, 1, 3, 2]), images(b, [1, 3, 2, 1]), 1, 'valid'),
    [sum(zip((x, y) => x * y)), sum(b.map((x) => x * x))],
  ],
  [
    'conv2d with strides and two channels out',
    () => tf.conv2d(images(a, [1, 1, 6, 1]), images(b.slice(0, 4), [1, 2, 1, 2]), [1, 2], 'valid'),
    [0, 2, 4].flatMap((i) => [0, 1].map((channel) => a[i] * b[channel] + a[i + 1] * b[2 + channel])),
  ],

  ['transpose', () => tf.transpose(A()), aTransposed],
  ['reshape', () => tf.reshape(A(), [3, 2]), a],
  ['concat', () => tf.concat([A(), B()], 1), [...a.slice(0, 3), ...b.slice(0, 3), ...a.slice(3), ...b.slice(3)]],
  ['stack', () => tf.stack([A(), B()]), [...a, ...b]],
  ['unstack', () => tf.unstack(A())[1], a.slice(3)],
  ['split', () => tf.split(A(), 3, 1)[2], [a[2], a[5]]],
  ['slice', () => tf.slice(A(), [0, 1], [2, 2]), [a[1], a[2], a[4], a[5]]],
  ['gather', () => tf.gather(A(), indices([2, 0]), 1), [a[2], a[0], a[5], a[3]]],
  [
    'pad',
    () =>
      tf.pad(A(), [
        [0, 1],
        [0, 0],
      ]),
    [...a, 0, 0, 0],
  ],
  ['tile', () => tf.tile(A(), [2, 1]), [...a, ...a]],
  ['reverse', () => tf.reverse(A(), 0), [...a.slice(3), ...a.slice(0, 3)]],
  ['expandDims and squeeze', () => tf.squeeze(tf.expandDims(A(), 0), [0]), a],
  ['where', () => tf.where(tf.greater(A(), 0), A(), B()), zip((x, y) => (x > 0 ? x : y))],
  ['bandPart', () => tf.linalg.bandPart(toTensor(a.slice(0, 4), [2, 2]), -1, 0), [a[0], 0, a[2], a[3]]],

  ['zeros and ones', () => tf.concat([tf.zeros([1]), tf.ones([1])]), [0, 1]],
  ['eye', () => tf.eye(2), [1, 0, 0, 1]],
  ['fill with a short number', () => tf.fill([2], 0.5), [0.5, 0.5]],
  ['cast of integers', () => tf.cast(indices([16_777_215, 3]), 'float32'), [16_777_215, 3]],
  ['cast to int32', () => tf.cast(A(), 'int32'), a.map(Math.trunc)],
  ['oneHot', () => tf.oneHot(indices([1, 0]), 3), [0, 1, 0, 1, 0, 0]],
  ['argMax', () => tf.argMax(A(), 1), [2, 0]],
  ['argMin', () => tf.argMin(A(), 1), [1, 1]],
  ['topk', () => tf.topk(A(), 2).values, [a[2], a[0], a[3], a[5]]],
  // What float32 would call equal.
  ['equal', () => tf.equal(A(), A().add(scalar(1e-15))), truth(a.map((x) => x === x + 1e-15))],
  ['notEqual', () => tf.notEqual(A(), A().mul(scalar(1 + 1e-15))), truth(a.map((x) => x !== x * (1 + 1e-15)))],
  ['greater', () => tf.greater(A().mul(scalar(1 + 1e-15)), A()), truth(a.map((x) => x * (1 + 1e-15) > x))],
  ['greaterEqual', () => tf.greaterEqual(A(), B()), truth(a.map((x, i) => x >= b[i]))],
  ['less', () => tf.less(A(), B()), truth(a.map((x, i) => x < b[i]))],
  ['lessEqual', () => tf.lessEqual(A(), A()), truth(a.map(() => true))],
  ['isNaN', () => tf.isNaN(A().div(scalar(0)).mul(scalar(0))), truth(a.map(() => true))],
];

for (const [name, actual, expected] of cases) {
  test(`${name} keeps the digits of a double`, () => {
    const tensors = tf.memory().numTensors;
    inPrecision('float64', () =>
      tf.tidy(() => {
        const result = actual();
        const values: ArrayLike<number> = result.dtype === 'float32' ? valuesOf(result) : result.dataSync();
        if (result.dtype === 'float32') assert.ok(values instanceof Float64Array);
        assert.equal(values.length, expected.length);
        const allowed = 4 * 2 ** -52 * Math.max(...expected.map(Math.abs));
        expected.forEach((value, i) => {
          assert.ok(Math.abs(values[i] - value) <= allowed, `element ${i}: got ${values[i]}, expected ${value}`);
        });
      }),
    );
    assert.equal(tf.memory().numTensors, tensors);
  });
}
