/**
 * Rows mapped so that they spread out: y_i = M x_i with M^-1 M^-T close to X^T X + alpha^2 ||X||_F^2 I. At alpha = 0 the y_i
 * would have Y^T Y = I. How well M was computed decides how good a certificate becomes, never whether it holds.
 */
import { cholesky, inFloat64, scalar, tf, toTensor, triangularSolve, valuesOf } from '../../tensor';

export interface Whitening {
  readonly alpha: number;
  /** y_i / ||y_i||, [T, d]. */
  readonly unit: Float64Array;
  /** ||y_i||, [T]. */
  readonly lengths: Float64Array;
  /** M^T w for each of the rows w [n, d], so that x_i . M^T w = y_i . w. */
  back(w: Float64Array): Float64Array;
}

/** With this ridge, relative to ||X||_F^2, a float64 X^T X has a Cholesky factor for all that rounding does. */
const FIRST_ALPHA = 1e-6;

/** X^T X [d, d] of the rows [T, d], which all whitenings start from. */
export function secondMoments(rows: Float64Array, T: number, d: number): Float64Array {
  return inFloat64(() => {
    const x = toTensor(rows, [T, d]) as tf.Tensor2D;
    return Float64Array.from(valuesOf(tf.matMul(x, x, true, false)));
  });
}

/**
 * The whitening of rows [T, d] at `alpha` > 0. Below 10^-6 in two rounds, as in shifted Cholesky-QR (Fukaya, Kannan,
 * Nakatsukasa, Yamamoto, Yanagisawa, SIAM J. Sci. Comput. 42, 2020): the second factors what the first left, where a
 * float64 X^T X is no longer blind. Null where float64 finds no factor.
 */
export function whiten(
  rows: Float64Array,
  T: number,
  d: number,
  moments: Float64Array,
  alpha: number,
): Whitening | null {
  let energy = 0;
  for (let j = 0; j < d; j++) energy += moments[j * d + j];
  const factors: Float64Array[] = [];
  const columns = inFloat64(() => {
    const identity = toTensor(identityOf(d), [d, d]) as tf.Tensor2D;
    const ridge = (relative: number, matrix: tf.Tensor) => matrix.mul(scalar(relative ** 2 * energy));
    const add = (factor: tf.Tensor) => factors.push(Float64Array.from(valuesOf(factor)));
    const first = cholesky(toTensor(moments, [d, d]).add(ridge(Math.max(alpha, FIRST_ALPHA), identity)));
    add(first);
    const y = triangularSolve(first, (toTensor(rows, [T, d]) as tf.Tensor2D).transpose()) as tf.Tensor2D;
    if (alpha >= FIRST_ALPHA) return Float64Array.from(valuesOf(y.transpose()));
    const inverse = triangularSolve(first, identity) as tf.Tensor2D;
    const left = tf.matMul(y, y, false, true).add(ridge(alpha, tf.matMul(inverse, inverse, false, true)));
    const second = cholesky(left);
    add(second);
    return Float64Array.from(valuesOf(triangularSolve(second, y).transpose()));
  });
  const lengths = new Float64Array(T);
  for (let i = 0; i < T; i++) {
    const y = columns.subarray(i * d, (i + 1) * d);
    let sum = 0;
    for (let j = 0; j < d; j++) sum += y[j] * y[j];
    const length = Math.sqrt(sum);
    // NaN where there was no factor.
    if (!(length > 0)) return null;
    lengths[i] = length;
    for (let j = 0; j < d; j++) y[j] /= length;
  }
  return { alpha, unit: columns, lengths, back: (w) => applyTransposed(factors, d, w) };
}

function applyTransposed(factors: readonly Float64Array[], d: number, w: Float64Array): Float64Array {
  return inFloat64(() => {
    let columns: tf.Tensor = (toTensor(w, [w.length / d, d]) as tf.Tensor2D).transpose();
    for (const factor of [...factors].reverse()) {
      columns = triangularSolve(toTensor(factor, [d, d]), columns, { adjoint: true });
    }
    return Float64Array.from(valuesOf(columns.transpose()));
  });
}

function identityOf(d: number): Float64Array {
  return Float64Array.from({ length: d * d }, (_, at) => (at % (d + 1) === 0 ? 1 : 0));
}
