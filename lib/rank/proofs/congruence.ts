import { cholesky, inFloat64, qr, tf, toTensor, triangularSolve, valuesOf } from '../../tensor';
import { exactProduct, exactProductError } from './exact-product';
import { succeeded } from './gram';
import { UNIT } from './rounding';
import { norm } from './rows';

/** Beyond this part of the largest diagonal element, R is rounding. */
const FLOOR = 2 ** -60;

/**
 * Signs of the eigenvalues of A A^T - s I for rows A `[k, d]`, where a Gram of A is too coarse to tell them.
 *
 * For any W `[k, k]` that is not singular the matrix
 *
 *     M(s) = W (A A^T - s I) W^T = (W A) (W A)^T - s W W^T
 *
 * has as many positive and as many negative eigenvalues (Sylvester's law of inertia; Golub and Van Loan, Matrix Computations,
 * 4th ed., section 8.1.5), and where the rows of W A are nearly orthonormal, those that belong to singular values near
 * sqrt(s) are near to 1 - s / sigma^2, not lost beside sigma_max^2. How W was found does not matter: W A is computed from it to
 * nearly the last bit (`./exact-product`), and the rest is bounded as in `./rounding`. That W is not singular need not be known: on a subspace
 * on which M is definite, W^T takes no vector to zero, so that A A^T - s I has at least as many eigenvalues of that sign.
 */
export class Congruence {
  private readonly gramOfImage: Float64Array;
  private readonly gramOfMap: Float64Array;
  /** Of each row of W A and of W the squared length; of each row of W the largest magnitude, squared. */
  private readonly imageSquares: Float64Array;
  private readonly mapSquares: Float64Array;
  private readonly mapPeaks: Float64Array;
  /** What the product may be off by, for a row of W whose largest magnitude is 1. */
  private readonly productError: number;

  constructor(
    rows: Float64Array,
    map: Float64Array,
    private readonly k: number,
    private readonly d: number,
    slices: number,
  ) {
    const image = exactProduct(map, rows, k, k, d, slices);
    this.gramOfImage = gramOf(image, k, d);
    this.gramOfMap = gramOf(map, k, k);
    this.imageSquares = diagonal(this.gramOfImage, k);
    this.mapSquares = diagonal(this.gramOfMap, k);
    this.mapPeaks = new Float64Array(k);
    for (let i = 0; i < k * k; i++) {
      const row = Math.floor(i / k);
      this.mapPeaks[row] = Math.max(this.mapPeaks[row], map[i] * map[i]);
    }
    const peaks = new Float64Array(d);
    for (let i = 0; i < k * d; i++) peaks[i % d] = Math.max(peaks[i % d], Math.abs(rows[i]));
    this.productError = exactProductError(k, slices) * Math.sqrt(peaks.reduce((sum, peak) => sum + peak * peak, 0));
  }

  /** Whether A A^T is proved to have no eigenvalue at or below s. */
  isAbove(s: number): boolean {
    return this.factors(s, -1);
  }

  /** Whether A A^T is proved to have an eigenvalue below s. */
  hasBelow(s: number): boolean {
    return !this.factors(s, 1);
  }

  /**
   * Whether A A^T is proved to have `count` eigenvalues above `high`, and all others below `low`: those of W A's first `count`
   * rows and of the others. The first rows' part of M(high) must be positive definite, and the Schur complement S of that part in M(low)
   * negative definite, by more than what an error e of M does to it: e (1 + ||P^-1 B||^2) for M(low) = [P B; B^T N].
   */
  countIs(count: number, low: number, high: number): boolean {
    const { k } = this;
    const rest = k - count;
    if (count > 0 && !this.factors(high, -1, count)) return false;
    if (rest === 0) return true;
    const matrix = this.shifted(low, k);
    return inFloat64(() => {
      const whole = toTensor(matrix, [k, k]) as tf.Tensor2D;
      const corner = tf.slice(whole, [count, count], [rest, rest]);
      if (count === 0) return definite(tf.neg(corner), this.slack(low, k));
      const factor = cholesky(tf.slice(whole, [0, 0], [count, count]));
      const solved = triangularSolve(factor, tf.slice(whole, [0, count], [count, rest]));
      const weights = triangularSolve(factor, solved, { adjoint: true });
      const complement = tf.sub(tf.matMul(solved as tf.Tensor2D, solved as tf.Tensor2D, true, false), corner);
      const [z, w] = [solved, weights].map((tensor) => norm(valuesOf(tensor)) ** 2);
      const error = this.slack(low, k) + (k + 8) * UNIT * 1.01 * z;
      return definite(
        complement,
        1.1 * error * (1 + w) + (k + 8) * UNIT * 1.01 * norm(valuesOf(complement)) * Math.sqrt(rest),
      );
    });
  }

  /** Whether the first `size` rows and columns of M(s), plus `side` times what they may be off by, have a Cholesky factor. */
  private factors(s: number, side: 1 | -1, size = this.k): boolean {
    const matrix = this.shifted(s, size);
    return inFloat64(() => definite(toTensor(matrix, [size, size]), -side * this.slack(s, size)));
  }

  /** The first `size` rows and columns of M(s). */
  private shifted(s: number, size: number): Float64Array {
    const { k, gramOfImage, gramOfMap } = this;
    const matrix = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      for (let j = 0, at = i * k; j < size; j++, at++) matrix[i * size + j] = gramOfImage[at] - s * gramOfMap[at];
    }
    return matrix;
  }

  /** Of the product W A, the two Grams, their difference and the factorization. */
  private slack(s: number, size: number): number {
    let [image, map, peaks] = [0, 0, 0];
    for (let i = 0; i < size; i++) {
      image += this.imageSquares[i];
      map += this.mapSquares[i];
      peaks += this.mapPeaks[i];
    }
    const ofProduct = 2 ** -51 * Math.sqrt(image) + this.productError * Math.sqrt(peaks);
    const { k, d } = this;
    return 1.01 * (ofProduct * (2 * Math.sqrt(image) + ofProduct) + (2 * k + d + 24) * UNIT * (image + s * map));
  }
}

/** Whether a matrix `[n, n]` minus `shift` times the identity has a Cholesky factor. */
function definite(matrix: tf.Tensor, shift: number): boolean {
  const n = matrix.shape[0];
  const values = Float64Array.from(valuesOf(matrix));
  for (let i = 0; i < n; i++) values[i * (n + 1)] -= shift;
  return succeeded(cholesky(toTensor(values, [1, n, n])))[0] === 1;
}

/** W with the rows of W A orthonormal up to rounding: R^-T, for A^T = Q R. `[k, k]`, lower triangular. */
export function orthonormalizer(rows: Float64Array, k: number, d: number): Float64Array {
  return inFloat64(() => {
    const [, r] = qr(tf.transpose(toTensor(rows, [k, d]) as tf.Tensor2D));
    const factor = Float64Array.from(valuesOf(r));
    let largest = 0;
    for (let i = 0; i < k; i++) largest = Math.max(largest, Math.abs(factor[i * (k + 1)]));
    for (let i = 0; i < k; i++) {
      const at = i * (k + 1);
      if (!(Math.abs(factor[at]) > FLOOR * largest)) factor[at] = FLOOR * largest;
    }
    const identity = new Float64Array(k * k);
    for (let i = 0; i < k; i++) identity[i * (k + 1)] = 1;
    const right = toTensor(identity, [k, k]);
    return Float64Array.from(
      valuesOf(triangularSolve(toTensor(factor, [k, k]), right, { lower: false, adjoint: true })),
    );
  });
}

function gramOf(rows: Float64Array, k: number, columns: number): Float64Array {
  return inFloat64(() => {
    const matrix = toTensor(rows, [k, columns]) as tf.Tensor2D;
    return Float64Array.from(valuesOf(tf.matMul(matrix, matrix, false, true)));
  });
}

function diagonal(matrix: Float64Array, k: number): Float64Array {
  return Float64Array.from({ length: k }, (_, i) => matrix[i * (k + 1)]);
}
