/**
 * Whether blocks of a table, or Grams, are positive definite: against matrices whose smallest eigenvalue is known, and
 * against a Cholesky factorization written out here.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  definiteBlocks,
  fusedDefinite,
  hasFusedOps,
  inFloat64,
  kernels,
  randomSource,
  tf,
  toTensor,
  valuesOf,
} from 'attention-capacity/tensor/index';

const skip = kernels === 'native' ? false : `TensorFlow computes with its own kernels (${kernels})`;

/** alpha I + beta 1 1^T: every block of n rows has the eigenvalues alpha (n - 1 times) and alpha + n beta. */
function planted(size: number, alpha: number, beta: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, i) => beta + (i % (size + 1) === 0 ? alpha : 0));
}

/** Whether A[s, s] - shift I passes a Cholesky factorization, row by row. */
function isDefinite(table: Float64Array, size: number, subset: Int32Array, shift: number): boolean {
  const n = subset.length;
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let value = table[subset[i] * size + subset[j]] - (i === j ? shift : 0);
      for (let m = 0; m < j; m++) value -= factor[i * n + m] * factor[j * n + m];
      if (i === j && !(value > 0)) return false;
      factor[i * n + j] = i === j ? Math.sqrt(value) : value / factor[j * n + j];
    }
  }
  return true;
}

function together(subsets: readonly Int32Array[]): Int32Array {
  return Int32Array.from(subsets.flatMap((subset) => [...subset]));
}

test('a block is definite up to its smallest eigenvalue and not beyond, in every size', { skip }, () => {
  const size = 200;
  const [alpha, beta] = [3, 0.5];
  const table = planted(size, alpha, beta);
  for (const n of [2, 3, 63, 64, 65, 128, 199, 200]) {
    const subset = randomSource(1, 'rows', n).subset(size, n);
    const shifts = Float64Array.from([0, 2.999999, 3.000001, 3.0001, 100]);
    const answers = definiteBlocks(table, size, together(Array(5).fill(subset)), n, shifts);
    assert.deepEqual([...answers!], [1, 1, 0, 0, 0], `n = ${n}`);
  }
  // One row: its own eigenvalue is alpha + beta.
  assert.deepEqual([...definiteBlocks(table, size, Int32Array.of(7, 7), 1, Float64Array.of(3.4, 3.6))!], [1, 0]);
});

test('blocks of random tables are told as by a factorization written out', { skip }, () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(1e6), (n, seed) => {
      const size = 50;
      const source = randomSource(seed, 'table');
      const rows = Float64Array.from({ length: size * 60 }, () => source.normal());
      const table = inFloat64(() => {
        const x = toTensor(rows, [size, 60]) as tf.Tensor2D;
        return valuesOf(tf.matMul(x, x, false, true)) as Float64Array;
      });
      // In any order: a block's rows need not ascend.
      const subsets = Array.from({ length: 12 }, () => Int32Array.from(source.subset(size, n)).reverse());
      const shifts = Float64Array.from(subsets, () => 60 * source.uniform() ** 2);
      const expected = subsets.map((subset, i) => (isDefinite(table, size, subset, shifts[i]) ? 1 : 0));
      assert.deepEqual([...definiteBlocks(table, size, together(subsets), n, shifts)!], expected);
    }),
    { numRuns: 100 },
  );
});

test('no number and infinity are not definite, and do not spoil the other blocks', { skip }, () => {
  const size = 70;
  for (const bad of [NaN, Infinity, -Infinity]) {
    const table = planted(size, 1, 0);
    table[5 * size + 9] = bad;
    table[9 * size + 5] = bad;
    table[20 * (size + 1)] = bad;
    const blocks = [
      [5, 6, 7],
      [5, 8, 9],
      [19, 20, 21],
      [1, 2, 3],
    ].map((rows) => Int32Array.from(rows));
    const answers = definiteBlocks(table, size, together(blocks), 3, new Float64Array(4));
    assert.deepEqual([...answers!], [1, 0, 0, 1], String(bad));
  }
});

test('rows outside of the table, and lengths that do not fit, are refused', { skip }, () => {
  const table = planted(4, 1, 0);
  const one = Float64Array.of(0);
  for (const row of [-1, 4]) {
    assert.throws(() => definiteBlocks(table, 4, Int32Array.of(0, row), 2, one), /no such row/);
  }
  assert.throws(() => definiteBlocks(table, 5, Int32Array.of(0, 1), 2, one), /lengths do not fit/);
  assert.throws(() => definiteBlocks(table, 4, Int32Array.of(0, 1, 2), 2, one), /lengths do not fit/);
  assert.equal(definiteBlocks(table, 4, new Int32Array(0), 2, new Float64Array(0))!.length, 0);
});

test('a Gram x x^T is definite up to its smallest eigenvalue and not beyond', { skip }, () => {
  assert.ok(hasFusedOps());
  for (const [n, w] of [
    [1, 1],
    [5, 9],
    [64, 64],
    [197, 246],
  ]) {
    inFloat64(() => {
      // Rows 2 e_i, and one of the stack with a row e_0: eigenvalues 4, and 1.
      const stack = new Float64Array(3 * n * w);
      for (let index = 0; index < 3; index++) for (let i = 0; i < n; i++) stack[(index * n + i) * w + i] = 2;
      stack[n * w] = 1;
      stack[2 * n * w] = NaN;
      const x = toTensor(stack, [3, n, w]) as tf.Tensor3D;
      const told = (shift: number) => [...valuesOf(fusedDefinite(x, shift))];
      assert.deepEqual(told(0.99), [1, 1, 0], `${n} x ${w}`);
      assert.deepEqual(told(3.99), [1, 0, 0], `${n} x ${w}`);
      assert.deepEqual(told(4.01), [0, 0, 0], `${n} x ${w}`);
    });
  }
});
