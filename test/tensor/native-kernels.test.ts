/**
 * The native kernels: that TensorFlow takes them, that they compute what its own do (a process without them is the other
 * implementation), exact products of whole numbers, and that threads change nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import {
  epsilonOf,
  fusedAttention,
  fusedLayerNorm,
  fusedLinear,
  inPrecision,
  kernels,
  nativeCalls,
  openblasDescription,
  type Precision,
  randomSource,
  svd,
  tf,
  toTensor,
  valuesOf,
} from 'attention-capacity/tensor/index';
import { runNode } from '../setup/scripts';
import { compute, names } from './every-kernel';

const library = JSON.stringify(require.resolve('attention-capacity/tensor/index'));
const precisions = ['float32', 'float64'] as const;

/** Runs `run` in both precisions, without leaving tensors. */
function inBoth(run: (precision: Precision) => void): void {
  for (const precision of precisions) inPrecision(precision, () => tf.tidy(() => run(precision)));
}

const largest = (values: ArrayLike<number>) =>
  Array.prototype.reduce.call(
    values,
    (most, value) => Math.max(most as number, Math.abs(value as number)),
    0,
  ) as number;

const integers = (label: string, count: number) => {
  const source = randomSource(3, label);
  return Float64Array.from({ length: count }, () => source.integer(41) - 20);
};

const skip = kernels === 'native' ? false : `TensorFlow computes with its own kernels (${kernels})`;

test('TensorFlow takes the native kernels, all of them, in both precisions', { skip }, () => {
  assert.equal(kernels, 'native');
  assert.match(openblasDescription()!, /^OpenBLAS \d[\d.]+ for \S+, \d+ threads?$/);
  for (const precision of precisions) {
    for (const name of names) {
      const before = nativeCalls();
      compute(name, precision);
      assert.ok(nativeCalls() > before, `${name} in ${precision}`);
    }
  }
});

test("no setting of TensorFlow's puts other kernels before them", { skip }, async () => {
  // On processors with AVX-512 VNNI, oneDNN takes the products unless it is switched off.
  const program = `
    const { tf, nativeCalls } = require(${library});
    tf.matMul(tf.ones([2, 2]), tf.ones([2, 2])).dataSync();
    console.log(nativeCalls());`;
  const { stdout, stderr } = await runNode(['-e', program], { TF_ENABLE_ONEDNN_OPTS: '1' });
  assert.equal(stdout, '1\n', stderr);
});

test("without them TensorFlow's own kernels compute the same", async (t) => {
  const { status, stdout, stderr } = await runNode([require.resolve('./every-kernel')], {
    ATTENTION_KERNELS: 'tensorflow',
  });
  assert.equal(status, 0, stderr);
  const theirs = JSON.parse(stdout) as Record<Precision, Record<string, number[]>>;
  for (const precision of precisions) {
    let farthest = 0;
    for (const name of names) {
      const own = compute(name, precision);
      const other = theirs[precision][name];
      assert.equal(own.length, other.length);
      const difference = largest(own.map((value, i) => value - other[i])) / largest(other);
      // Sums of up to 300 products; the condition number of the Gram matrices is about 60.
      assert.ok(difference < 100 * epsilonOf(precision), `${name} in ${precision}: ${difference}`);
      farthest = Math.max(farthest, difference);
    }
    t.diagnostic(`${precision}: largest difference ${farthest.toExponential(1)} of the largest element`);
  }
});

test('products of whole numbers are exact, for every shape, transposed or not, one or many', () => {
  const length = fc.integer({ min: 0, max: 70 });
  const shapes = fc.record({ m: length, n: length, k: length, left: fc.boolean(), right: fc.boolean() });
  const stacks = fc.constantFrom<[number[], number[]]>(
    [[], []],
    [[3], [3]],
    [
      [2, 1],
      [1, 2],
    ],
    [[5], []],
    [[0], [1]],
  );
  fc.assert(
    fc.property(shapes, stacks, ({ m, n, k, left, right }, [before, beside]) => {
      const sizes = [before, beside].map((shape) => shape.reduce((product, axis) => product * axis, 1));
      const a = integers('a', sizes[0] * m * k);
      const b = integers('b', sizes[1] * n * k);
      inBoth(() => {
        const x = toTensor(a, [...before, ...(left ? [k, m] : [m, k])]);
        const y = toTensor(b, [...beside, ...(right ? [n, k] : [k, n])]);
        const product = tf.matMul(x, y, left, right);
        const values = valuesOf(product);
        const shape = product.shape.slice(0, -2);
        const pad = (stack: number[]) => [...shape.map(() => 1), ...stack].slice(stack.length);
        const offset = (index: number, stack: number[]) => {
          let [rest, at, stride] = [index, 0, 1];
          for (let axis = shape.length - 1; axis >= 0; axis--) {
            const own = pad(stack)[axis];
            at += (own > 1 ? rest % shape[axis] : 0) * stride;
            rest = Math.floor(rest / shape[axis]);
            stride *= own;
          }
          return at;
        };
        for (let index = 0; index < values.length; index++) {
          const stack = Math.floor(index / (m * n));
          const [i, j] = [Math.floor((index % (m * n)) / n), index % n];
          const [p, q] = [offset(stack, before) * m * k, offset(stack, beside) * n * k];
          let sum = 0;
          for (let l = 0; l < k; l++)
            sum += a[p + (left ? l * m + i : i * k + l)] * b[q + (right ? j * k + l : l * n + j)];
          if (values[index] !== sum) assert.fail(`element ${index}: ${values[index]}, not ${sum}`);
        }
      });
    }),
    { numRuns: 60, seed: 1 },
  );
});

test('large products of whole numbers are exact however they are cut', () => {
  for (const [m, n, k] of [
    [1000, 37, 101],
    [37, 1000, 101],
    [513, 515, 64],
    [1, 3000, 800],
    [3000, 1, 800],
  ]) {
    // Row i of the left is i mod 7 - 3 everywhere, column j of the right j mod 5 - 2: the product is their product, k times.
    const left = Float64Array.from({ length: m * k }, (_, index) => (Math.floor(index / k) % 7) - 3);
    const right = Float64Array.from({ length: k * n }, (_, index) => ((index % n) % 5) - 2);
    inBoth(() => {
      const values = valuesOf(tf.matMul(toTensor(left, [m, k]), toTensor(right, [k, n])));
      const wrong = values.findIndex(
        (value, index) => value !== k * ((Math.floor(index / n) % 7) - 3) * (((index % n) % 5) - 2),
      );
      assert.equal(wrong, -1, `[${m}, ${k}] x [${k}, ${n}]`);
    });
  }
});

test('vectors, empty sums and a matrix times its own transpose are exact too', () => {
  for (const [m, k] of [
    [1, 1],
    [1, 500],
    [500, 1],
    [3, 0],
    [15, 16],
    [33, 40],
    [197, 300],
    [600, 200],
  ]) {
    const a = integers('a', m * k);
    const b = integers('b', k);
    inBoth(() => {
      const x = toTensor(a, [m, k]);
      const [column, row] = [toTensor(b, [k, 1]), toTensor(b, [1, k])];
      const dots = Array.from({ length: m }, (_, i) => b.reduce((sum, value, l) => sum + value * a[i * k + l], 0));
      const turned = tf.transpose(x);
      for (const product of [
        tf.matMul(x, column),
        tf.matMul(x, row, false, true),
        tf.matMul(turned, column, true),
        tf.matMul(row, x, false, true),
        tf.matMul(row, turned),
        tf.matMul(column, turned, true),
      ]) {
        assert.deepEqual([...valuesOf(product)], dots, `${m} x ${k}`);
      }
      const squares = Array.from({ length: m * m }, (_, index) => {
        const [i, j] = [Math.floor(index / m) * k, (index % m) * k];
        let sum = 0;
        for (let l = 0; l < k; l++) sum += a[i + l] * a[j + l];
        return sum;
      });
      assert.deepEqual([...valuesOf(tf.matMul(x, x, false, true))], squares);
      assert.deepEqual([...valuesOf(tf.matMul(turned, turned, true, false))], squares);
      // The same memory in another shape: m products of one row with all rows.
      assert.deepEqual([...valuesOf(tf.matMul(x.reshape([m, 1, k]), x, false, true))], squares);
    });
  }
});

test('an element of a product is the same to the last bit on any number of threads', async () => {
  const program = `
    const { tf, inPrecision, toTensor, valuesOf } = require(${library});
    const hash = require('node:crypto').createHash('sha256');
    const all = Float64Array.from({ length: 3e6 }, (_, i) => Math.sin(i * 1.7));
    const numbers = (size) => all.slice(0, size);
    for (const precision of ['float32', 'float64']) inPrecision(precision, () => {
      const sizes = [[60, 257, 130], [333, 200, 501], [501, 200, 333], [13, 3000, 200], [1, 768, 3072], [1576, 384, 770]];
      for (const [m, k, n] of sizes) {
        for (const left of [false, true]) {
          for (const right of [false, true]) {
            const a = toTensor(numbers(m * k), left ? [k, m] : [m, k]);
            if (left !== right) hash.update(valuesOf(tf.matMul(a, a, left, right)));
            hash.update(valuesOf(tf.matMul(a, toTensor(numbers(k * n), right ? [n, k] : [k, n]), left, right)));
          }
        }
      }
    });
    process.stdout.write(hash.digest('hex'));`;
  const hashes: string[] = [];
  for (const threads of [1, 2, 3, 16]) {
    hashes.push((await runNode(['-e', program], { TF_NUM_INTRAOP_THREADS: String(threads) })).stdout);
  }
  assert.match(hashes[0], /^[0-9a-f]{64}$/);
  assert.equal(new Set(hashes).size, 1, hashes.join(' '));
});

test('svd gives orthonormal vectors and the matrix back', () => {
  for (const [m, n] of [
    [40, 40],
    [60, 20],
    [20, 60],
    [1, 5],
  ]) {
    inBoth((precision) => {
      const source = randomSource(2, `svd ${m} ${n}`);
      const a = toTensor(
        Float64Array.from({ length: 2 * m * n }, () => source.normal()),
        [2, m, n],
      );
      const [u, s, v] = svd(a);
      const p = Math.min(m, n);
      assert.deepEqual(
        [u.shape, s.shape, v.shape],
        [
          [2, m, p],
          [2, p],
          [2, n, p],
        ],
      );
      const allowed = 30 * Math.max(m, n) * epsilonOf(precision);
      assert.ok(largest(valuesOf(tf.matMul(u, u, true).sub(tf.eye(p)))) < allowed);
      assert.ok(largest(valuesOf(tf.matMul(v, v, true).sub(tf.eye(p)))) < allowed);
      assert.ok(
        largest(valuesOf(tf.matMul(u.mul(s.expandDims(1)), v, false, true).sub(a))) < allowed * largest(valuesOf(a)),
      );
    });
  }
});

test('attention reads a mask that forbids, and gives no number where all is forbidden', () => {
  inBoth(() => {
    const one = (label: string) => toTensor(integers(label, 6), [1, 3, 1, 2]) as tf.Tensor4D;
    const [q, k, v] = [one('q'), one('k'), one('v')];
    const onlyItself = toTensor([0, -Infinity, -Infinity, -Infinity, 0, -Infinity, -Infinity, -Infinity, 0], [3, 3]);
    assert.deepEqual([...valuesOf(fusedAttention(q, k, v, 0.5, onlyItself))], [...integers('v', 6)]);
    const nothing = toTensor(new Float64Array(9).fill(-Infinity), [3, 3]);
    assert.ok(valuesOf(fusedAttention(q, k, v, 0.5, nothing)).every(Number.isNaN));
  });
});

test('shapes that do not fit are refused', () => {
  inBoth(() => {
    const matrix = (m: number, n: number) => tf.ones([m, n]) as tf.Tensor2D;
    const vector = (n: number) => tf.ones([n]) as tf.Tensor1D;
    const heads = (n: number) => tf.ones([1, n, 2, 3]) as tf.Tensor4D;
    assert.throws(() => fusedLinear(matrix(2, 3), matrix(5, 4), vector(5)), /expected x \[rows, d\], weight \[m, d\]/);
    assert.throws(() => fusedLinear(matrix(2, 3), matrix(5, 3), vector(4)), /expected x \[rows, d\], weight \[m, d\]/);
    assert.throws(
      () => fusedLayerNorm(matrix(2, 3), 0, vector(2), vector(3)),
      /expected x \[\.\.\., d\], weight \[d\]/,
    );
    assert.throws(() => fusedAttention(heads(2), heads(3), heads(4), 1, null), /expected query \[B, m, H, d\]/);
    assert.throws(() => fusedAttention(heads(2), heads(3), heads(3), 1, matrix(3, 3)), /mask does not broadcast/);
  });
});

test('memory does not grow', () => {
  const outsideOfJavaScript = () => {
    const { rss, heapTotal, arrayBuffers } = process.memoryUsage();
    return (rss - heapTotal - arrayBuffers) / 1e6;
  };
  const repeat = (times: number) => {
    for (let i = 0; i < times; i++) for (const name of names) compute(name, 'float64');
    return outsideOfJavaScript();
  };
  const before = repeat(10);
  const after = repeat(20);
  // A result that stayed would be 10 to 1000 kB, twenty times over.
  assert.ok(after - before < 12, `${before.toFixed(1)} MB, then ${after.toFixed(1)} MB`);
});

test("Node's other threads are served as well, several at once", async () => {
  // Row i of the left is i, column j of the right is j: element (i, j) of the product is 64 i j, and their sum is known.
  const n = 300;
  const program = `
    const { tf, toTensor, inPrecision } = require(${library});
    const sums = new Set();
    inPrecision('float64', () => {
      const left = toTensor(Float64Array.from({ length: ${n} * 64 }, (_, i) => Math.floor(i / 64)), [${n}, 64]);
      const right = toTensor(Float64Array.from({ length: 64 * ${n} }, (_, i) => i % ${n}), [64, ${n}]);
      for (let i = 0; i < 100; i++) sums.add(tf.tidy(() => tf.sum(tf.matMul(left, right)).dataSync()[0]));
    });
    require('node:worker_threads').parentPort.postMessage([...sums]);`;
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => {
      return new Promise((resolve, reject) => {
        new Worker(program, { eval: true }).once('message', resolve).once('error', reject);
      });
    }),
  );
  const sum = (n * (n - 1)) / 2;
  assert.deepEqual(answers, Array(4).fill([64 * sum * sum]));
});

test('an unknown choice of kernels is one sentence', async () => {
  const { status, stderr } = await runNode(['-e', `require(${library})`], { ATTENTION_KERNELS: 'mkl' });
  assert.equal(status, 1);
  assert.match(stderr, /InputError: ATTENTION_KERNELS: expected native or tensorflow, got mkl/);
});
