/** Matrices of which the singular values are known, for the tests of this room. */
import { inPrecision, qr, type Matrix, type Random, tf, toTensor, valuesOf } from 'attention-capacity/tensor/index';

export function matrix(rows: number, columns: number, entry: (i: number, j: number) => number): Matrix {
  const data = Float64Array.from({ length: rows * columns }, (_, index) =>
    entry(Math.floor(index / columns), index % columns),
  );
  return { data, shape: [rows, columns] };
}

export function normalMatrix(rows: number, columns: number, random: Random): Matrix {
  return matrix(rows, columns, () => random.normal());
}

/** Random orthonormal rows or columns, whichever are fewer, times the singular values between them. */
export function withSingularValues(rows: number, columns: number, sigmas: ArrayLike<number>, random: Random): Matrix {
  const p = Math.min(rows, columns);
  if (sigmas.length !== p) throw new RangeError(`expected ${p} singular values, got ${sigmas.length}`);
  let data: Float64Array | undefined;
  inPrecision('float64', () =>
    tf.tidy(() => {
      const normal = (m: number) => toTensor(normalMatrix(m, p, random).data, [m, p]);
      const [left] = qr(normal(rows));
      const [right] = qr(normal(columns));
      const scaled = tf.mul(left, toTensor(Float64Array.from(sigmas), [1, p]));
      data = Float64Array.from(valuesOf(tf.matMul(scaled as tf.Tensor2D, right as tf.Tensor2D, false, true)));
    }),
  );
  return { data: data!, shape: [rows, columns] };
}

export function rowsOf({ data, shape: [, columns] }: Matrix, rows: ArrayLike<number>): Matrix {
  const picked = new Float64Array(rows.length * columns);
  Array.from(rows).forEach((row, index) =>
    picked.set(data.subarray(row * columns, (row + 1) * columns), index * columns),
  );
  return { data: picked, shape: [rows.length, columns] };
}

/** One matrix above the other. */
export function stacked(above: Matrix, below: Matrix): Matrix {
  const [m, columns] = above.shape;
  return {
    data: Float64Array.from([...above.data, ...below.data]),
    shape: [m + below.shape[0], columns],
  };
}

/** 0 … n - 1. */
export const firstRows = (n: number) => Int32Array.from({ length: n }, (_, index) => index);

/** From 1 down to `last`, evenly on a logarithmic scale. */
export function geometric(count: number, last: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => (count === 1 ? 1 : last ** (i / (count - 1))));
}

/** The rank of a matrix of whole numbers, by Bareiss' elimination: they stay whole numbers. */
export function exactRank({ data, shape: [rows, columns] }: Matrix): number {
  const a = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => BigInt(data[i * columns + j])),
  );
  let rank = 0;
  let previous = 1n;
  for (let column = 0; column < columns && rank < rows; column++) {
    const pivot = a.findIndex((row, i) => i >= rank && row[column] !== 0n);
    if (pivot < 0) continue;
    [a[rank], a[pivot]] = [a[pivot], a[rank]];
    for (let i = rank + 1; i < rows; i++) {
      for (let j = columns - 1; j >= column; j--) {
        a[i][j] = (a[i][j] * a[rank][column] - a[i][column] * a[rank][j]) / previous;
      }
    }
    previous = a[rank][column];
    rank++;
  }
  return rank;
}
