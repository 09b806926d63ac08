import { cholesky, inFloat64, qr, svd, tf, toTensor, triangularSolve, valuesOf } from '../../tensor';
import { ColumnInertia } from './column-inertia';
import { exactProduct, exactProductError } from './exact-product';
import { batchSize, Gram } from './gram';
import { choleskySlack, UNIT } from './rounding';
import type { Rows } from './rows';

/**
 * A proof of independence where a Gram is blind.
 *
 * A float64 Gram knows nothing of singular values below about 1e-7 sigma_max. But most of a layer's ill-conditioning is
 * common to all subsets of its rows: it sits in the columns. With X = U Sigma V^T (all rows) and the r leading columns of V,
 *
 *     sigma_min(S X) >= sigma_min(S X V_r) / ||V_r||   and   S X V_r = (S A) Sigma_r + S E,
 *
 * where S picks the subset's rows and A = X V_r Sigma_r^-1 is well conditioned: all that a subset adds. So
 *
 *     sigma_min(S X) >= (sigma_min(S A) sigma_r - ||S E||_F) / ||V_r||,
 *
 * and sigma_min(S A) is bounded by one Cholesky of a sub-Gram of A A^T, which is as cheap as for X itself. It holds for any
 * V, Sigma and A: how well they were computed decides only how much is proved. X V_r is computed to nearly the last bit
 * (`./exact-product`), so that E is rounding of single elements, not of sums.
 */
export class Preconditioner {
  private constructor(
    private readonly gram: Gram,
    /** A `[T, r]`. */
    private readonly scaled: Float64Array,
    /** The diagonal of Sigma_r, descending. */
    private readonly scales: Float64Array,
    /** Upper bound of ||V_r||. */
    private readonly stretch: number,
    /** Upper bound of ||row i of E||^2, `[T]`. */
    private readonly squaredErrors: Float64Array,
  ) {}

  /**
   * For each subset, whether sigma_min is proved to exceed its bound. `bounds` are upper bounds of the tolerance: what
   * sigma_min must exceed, in the scale of the rows.
   */
  proves(subsets: readonly Int32Array[], bounds: readonly number[]): Uint8Array {
    const { gram, scales } = this;
    const shifts = subsets.map((subset, index) => {
      const needed = this.needed(subset, bounds[index]) / scales[scales.length - 1];
      return needed * needed + choleskySlack(gram.columns, subset.length, gram.trace(subset));
    });
    return gram.factors(subsets, shifts);
  }

  /**
   * The same, finer, for the price of a second factorization and two triangular solves: where the direction that makes S A
   * ill-conditioned is not the last one of Sigma_r, sigma_min(S A) sigma_r is far too low. With G = S A (S A)^T the matrix
   * P = Sigma_r^-1 (S A)^T G^-1 is a right inverse of S A Sigma_r, so that sigma_min(S A Sigma_r) >= 1 / ||P||, and
   *
   *     ||P||^2 <= 1 / (sigma_m^2 lambda_min(G)) + the sum over j > m of ||y_j||^2 / sigma_j^2,   y_j = G^-1 (column j of S A),
   *
   * for any m: only the last columns, of small sigma_j, have to be solved for. lambda_min(G) has a bound by a Cholesky
   * factorization of G less a shift; a computed y_j leaves a residual of at most
   * (r + 3 k + 10) u trace(G) ||y_j|| (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1 and 10.4).
   */
  provesByInverse(subsets: readonly Int32Array[], bounds: readonly number[]): Uint8Array {
    const { gram, scales } = this;
    const k = subsets[0].length;
    const residuals = subsets.map((subset) => (gram.columns + 3 * k + 10) * UNIT * 1.01 * gram.trace(subset));
    const shifts = residuals.map((residual) => 40 * residual);
    const results = gram.factors(subsets, shifts);
    const places = Array.from(results.keys()).filter((i) => results[i] === 1);
    const size = batchSize(k);
    for (let start = 0; start < places.length; start += size) {
      const batch = places.slice(start, start + size);
      const needed = batch.map((i) => this.needed(subsets[i], bounds[i]));
      // At least lambda_min(G): choleskySlack is less than a residual.
      const smallest = batch.map((i) => shifts[i] - residuals[i]);
      const worst = Math.max(...needed.map((value, at) => value / Math.sqrt(smallest[at])));
      const leading = scales.filter((scale) => scale >= 4 * worst).length;
      const squares = this.squaresOfInverses(
        batch.map((i) => subsets[i]),
        Math.min(leading, scales.length - 1),
      );
      batch.forEach((i, at) => {
        const ofLeading = leading === 0 ? 0 : 1 / (scales[leading - 1] ** 2 * smallest[at]);
        const ofOthers = squares[at] * (1 + residuals[i] / smallest[at]) ** 2;
        // Written so that NaN proves nothing.
        results[i] = (ofLeading + ofOthers) * needed[at] ** 2 * (1 + 1e-9) < 1 ? 1 : 0;
      });
    }
    return results;
  }

  /** For each subset the sum over the columns j from `leading` on of ||G^-1 (column j of S A)||^2 / sigma_j^2. */
  private squaresOfInverses(subsets: readonly Int32Array[], leading: number): ArrayLike<number> {
    const { gram, scaled, scales } = this;
    const [batch, k, last] = [subsets.length, subsets[0].length, scales.length - leading];
    const columns = new Float64Array(batch * k * last);
    subsets.forEach((subset, index) => {
      subset.forEach((row, i) => {
        const end = (row + 1) * scales.length;
        columns.set(scaled.subarray(end - last, end), (index * k + i) * last);
      });
    });
    return inFloat64(() => {
      const unshifted = subsets.map(() => 0);
      const factor = cholesky(gram.leading(subsets, unshifted, k));
      const forward = triangularSolve(factor, toTensor(columns, [batch, k, last]));
      const solved = triangularSolve(factor, forward, { adjoint: true });
      const weighed = tf.div(solved, toTensor(scales.subarray(leading), [1, 1, last]));
      return Float64Array.from(valuesOf(tf.sum(tf.square(weighed), [1, 2])));
    });
  }

  /** What sigma_min(S A Sigma_r) has to exceed. */
  private needed(subset: Int32Array, bound: number): number {
    let squaredError = 0;
    for (const row of subset) squaredError += this.squaredErrors[row];
    return (bound * this.stretch + Math.sqrt(squaredError)) * (1 + 1e-12);
  }

  /** With the `kept` leading columns of V: for subsets of up to so many rows. */
  static of(rows: Rows, spectrum: Spectrum, kept: number): Preconditioner {
    const { count, columns } = rows;
    const leading = leadingColumns(spectrum, columns, kept);
    const image = exactProduct(rows.values, leading, count, columns, kept);
    const scaled = new Float64Array(count * kept);
    const squaredErrors = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      let largest = 0;
      for (let j = row * columns; j < (row + 1) * columns; j++) largest = Math.max(largest, Math.abs(rows.values[j]));
      const summed = exactProductError(columns) * largest;
      for (let j = 0; j < kept; j++) {
        const value = image[row * kept + j];
        scaled[row * kept + j] = value / spectrum.values[j];
        squaredErrors[row] += (2 ** -50 * Math.abs(value) + summed) ** 2;
      }
    }
    const gram = new Gram(scaled, count, kept);
    const scales = spectrum.values.slice(0, kept);
    const stretch = Math.sqrt(1 + skewOf(leading, columns, kept));
    return new Preconditioner(gram, scaled, scales, stretch, squaredErrors);
  }
}

/** The preconditioners of one matrix, made when first needed. */
export class Preconditioners {
  private spectrumOfAll: Spectrum | null = null;
  /** By the tolerance. */
  private readonly counters = new Map<number, ColumnInertia>();
  /** By the number of directions kept; each holds a T x T table, so there are never many. */
  private readonly made = new Map<number, Preconditioner>();

  constructor(private readonly rows: Rows) {}

  private get spectrum(): Spectrum {
    return (this.spectrumOfAll ??= spectrumOf(this.rows));
  }

  /** Counts singular values above a tolerance where the Gram is blind; null where there are fewer rows than columns. */
  columnInertia(tolerance: number): ColumnInertia | null {
    const { count, columns } = this.rows;
    if (count < columns) return null;
    const { values, right } = this.spectrum;
    if (!(values[0] > 0)) return null;
    const skew = () => skewOf(right, columns, columns);
    const counter = this.counters.get(tolerance) ?? new ColumnInertia(this.rows, values, right, skew(), tolerance);
    this.counters.clear();
    this.counters.set(tolerance, counter);
    return counter;
  }

  /** For subsets of k rows; null when the rows have no k dimensions that float64 tells from zero. */
  forSubsetsOf(k: number): Preconditioner | null {
    const sigmas = this.spectrum.values;
    let best = 0;
    for (let r = k; r <= sigmas.length; r++) if (worth(sigmas, k, r) > worth(sigmas, k, best)) best = r;
    if (best === 0) return null;
    for (const [kept, preconditioner] of this.made) {
      if (kept >= k && worth(sigmas, k, kept) > worth(sigmas, k, best) / 4) return preconditioner;
    }
    if (this.made.size >= MOST_PRECONDITIONERS) this.made.delete([...this.made.keys()][0]);
    const preconditioner = Preconditioner.of(this.rows, this.spectrum, best);
    this.made.set(best, preconditioner);
    return preconditioner;
  }
}

const MOST_PRECONDITIONERS = 3;

/**
 * What keeping r directions is worth for subsets of k: more make S A better conditioned (its smallest singular value is
 * about 1 - (k / r)^(1/2) of the largest, as for random matrices) and cost the smaller sigma_r.
 */
function worth(sigmas: Float64Array, k: number, r: number): number {
  if (r === 0 || sigmas[r - 1] <= 2 ** -46 * sigmas[0]) return 0;
  return sigmas[r - 1] * (1 - Math.sqrt((k - 0.9) / r));
}

/** Singular values and right singular vectors of all rows: `[p]` and `[d, p]`, p = min(T, d). */
interface Spectrum {
  readonly values: Float64Array;
  readonly right: Float64Array;
}

/** By QR and an SVD of R: small singular values keep their size up to rounding of the largest. */
function spectrumOf({ values, count, columns }: Rows): Spectrum {
  return inFloat64(() => {
    const rows = toTensor(values, [count, columns]);
    const [, sigmas, right] = svd(qr(rows)[1]);
    return { values: valuesOf(sigmas) as Float64Array, right: valuesOf(right) as Float64Array };
  });
}

function leadingColumns({ values, right }: Spectrum, columns: number, kept: number): Float64Array {
  const leading = new Float64Array(columns * kept);
  for (let i = 0; i < columns; i++) {
    leading.set(right.subarray(i * values.length, i * values.length + kept), i * kept);
  }
  return leading;
}

/** An upper bound of ||V^T V - I||: its Frobenius norm, with the rounding of the product on top. */
function skewOf(vectors: Float64Array, columns: number, kept: number): number {
  const products = inFloat64(() => {
    const v = toTensor(vectors, [columns, kept]) as tf.Tensor2D;
    return valuesOf(tf.matMul(v, v, true, false));
  });
  let squares = 0;
  for (let i = 0; i < kept; i++) {
    for (let j = 0; j < kept; j++) squares += (products[i * kept + j] - (i === j ? 1 : 0)) ** 2;
  }
  return Math.sqrt(squares) * (1 + 1e-9) + columns * kept * 2 ** -52;
}
