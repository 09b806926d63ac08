import { inFloat64, qr, tf, toTensor, triangularSolve, valuesOf, type Matrix } from '../../tensor';

/** Q R of a tall matrix A [m, n], or of A^T where A is wide; q [max, min], r [min, min] upper triangular, row-major. */
export interface Factors {
  readonly shape: readonly [rows: number, columns: number];
  readonly q: Float64Array;
  readonly r: Float64Array;
}

/** Householder QR of A, or of its transpose, whichever is tall; float64. */
export function factorize({ data, shape }: Matrix): Factors {
  const wide = shape[0] < shape[1];
  const [p, k] = [Math.max(...shape), Math.min(...shape)];
  const both = inFloat64(() => {
    const a = toTensor(data, shape);
    return valuesOf(tf.concat(qr(wide ? tf.transpose(a) : a))) as Float64Array; // Q above R
  });
  return { shape, q: both.subarray(0, p * k), r: both.subarray(p * k) };
}

/**
 * The x with least |A x - b|; where many reach 0, the shortest of them.
 *
 * Where R has a zero on its diagonal, x is not finite.
 */
export function solve({ shape, q, r }: Factors, b: Float32Array | Float64Array): Float64Array {
  const wide = shape[0] < shape[1];
  const [p, k] = [Math.max(...shape), Math.min(...shape)];
  for (let i = 0; i < k; i++) if (r[i * k + i] === 0) return new Float64Array(shape[1]).fill(NaN);
  return inFloat64(() => {
    const [qTensor, rTensor, right] = [toTensor(q, [p, k]), toTensor(r, [k, k]), toTensor(b, [shape[0], 1])];
    const x = wide
      ? tf.matMul(qTensor, triangularSolve(rTensor, right, { lower: false, adjoint: true }))
      : triangularSolve(rTensor, tf.matMul(qTensor, right, true), { lower: false });
    return valuesOf(x) as Float64Array;
  });
}

/** The problem whose solution has the least |A x - b|^2 + ridge^2 |x|^2. */
export function withRidge(
  { data, shape: [rows, columns] }: Matrix,
  b: Float32Array | Float64Array,
  ridge: number,
): [Factors, Float64Array] {
  const longer = new Float64Array((rows + columns) * columns);
  longer.set(data);
  for (let i = 0; i < columns; i++) longer[(rows + i) * columns + i] = ridge;
  const right = new Float64Array(rows + columns);
  right.set(b);
  return [factorize({ data: longer, shape: [rows + columns, columns] }), right];
}

/**
 * A lower bound of sigma_min / sigma_max that the factors prove, 1 / (|R^-1|_F |R|_F): one triangular inverse, no singular
 * values. At most min(m, n) times too small. 0 where R is singular.
 */
export function provedSigmaRatio({ shape, r }: Factors): number {
  const k = Math.min(...shape);
  for (let i = 0; i < k; i++) if (!(Math.abs(r[i * k + i]) > 0)) return 0;
  const inverse = inFloat64(
    () => valuesOf(triangularSolve(toTensor(r, [k, k]), tf.eye(k), { lower: false })) as Float64Array,
  );
  const ratio = 1 / (frobenius(inverse) * frobenius(r));
  return Number.isFinite(ratio) ? ratio : 0;
}

function frobenius(values: Float64Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares);
}
