import { cholesky, inFloat64, qr, tf, toTensor, triangularSolve, valuesOf } from '../../tensor';
import { exactProduct, exactProductError } from './exact-product';
import { succeeded } from './gram';
import { UNIT } from './rounding';

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
 * nearly the last bit (`./exact-product`), and the rest is bounded as in `./rounding`. A part of M that is positive definite proves that so
 * many eigenvalues are positive, whether or not W is singular (Cauchy's interlacing).
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

  /** Whether M(s), or its rows and columns `chosen`, times `sign` is proved to be positive definite. */
  isDefinite(s: number, sign: 1 | -1 = 1, chosen: ArrayLike<number> | null = null): boolean {
    return this.factors(s, sign, -1, chosen);
  }

  /** Whether A A^T is proved to have an eigenvalue below s. */
  hasBelow(s: number): boolean {
    return !this.factors(s, 1, 1, null);
  }

  private factors(s: number, sign: 1 | -1, towards: 1 | -1, chosen: ArrayLike<number> | null): boolean {
    const places = chosen ?? this.imageSquares.map((_, i) => i);
    const { k, gramOfImage, gramOfMap } = this;
    const size = places.length;
    if (size === 0) return true;
    const shift = towards * this.slack(s, places);
    const matrix = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      const row = places[i] * k;
      for (let j = 0; j <= i; j++) {
        const at = row + places[j];
        matrix[i * size + j] = sign * (gramOfImage[at] - s * gramOfMap[at]);
      }
      matrix[i * (size + 1)] += shift;
    }
    return inFloat64(() => succeeded(cholesky(toTensor(matrix, [1, size, size]))))[0] === 1;
  }

  /** Of the product W A, the two Grams, their difference and the factorization. */
  private slack(s: number, places: ArrayLike<number>): number {
    let [image, map, peaks] = [0, 0, 0];
    for (let i = 0; i < places.length; i++) {
      image += this.imageSquares[places[i]];
      map += this.mapSquares[places[i]];
      peaks += this.mapPeaks[places[i]];
    }
    const ofProduct = 2 ** -51 * Math.sqrt(image) + this.productError * Math.sqrt(peaks);
    const { k, d } = this;
    return 1.01 * (ofProduct * (2 * Math.sqrt(image) + ofProduct) + (2 * k + d + 24) * UNIT * (image + s * map));
  }
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
