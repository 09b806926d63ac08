import { inFloat64, qr, svd, tf, toTensor, valuesOf } from '../../tensor';
import { exactProduct, exactProductError } from './exact-product';
import { Gram } from './gram';
import { choleskySlack } from './rounding';
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
    private readonly smallestScale: number,
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
    const { gram } = this;
    const shifts = subsets.map((subset, index) => {
      let squaredError = 0;
      for (const row of subset) squaredError += this.squaredErrors[row];
      const needed = ((bounds[index] * this.stretch + Math.sqrt(squaredError)) / this.smallestScale) * (1 + 1e-12);
      return needed * needed + choleskySlack(gram.columns, subset.length, gram.trace(subset));
    });
    return gram.factors(subsets, shifts);
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
    return new Preconditioner(gram, spectrum.values[kept - 1], stretchOf(leading, columns, kept), squaredErrors);
  }
}

/** The preconditioners of one matrix, made when first needed. */
export class Preconditioners {
  private spectrum: Spectrum | null = null;
  /** By the number of directions kept; each holds a T x T table, so there are never many. */
  private readonly made = new Map<number, Preconditioner>();

  constructor(private readonly rows: Rows) {}

  /** For subsets of k rows; null when the rows have no k dimensions that float64 tells from zero. */
  forSubsetsOf(k: number): Preconditioner | null {
    this.spectrum ??= spectrumOf(this.rows);
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

/** ||V||^2 <= 1 + ||V^T V - I||_F, with the rounding of the product on top. */
function stretchOf(vectors: Float64Array, columns: number, kept: number): number {
  const products = inFloat64(() => {
    const v = toTensor(vectors, [columns, kept]) as tf.Tensor2D;
    return valuesOf(tf.matMul(v, v, true, false));
  });
  let squares = 0;
  for (let i = 0; i < kept; i++) {
    for (let j = 0; j < kept; j++) squares += (products[i * kept + j] - (i === j ? 1 : 0)) ** 2;
  }
  return Math.sqrt(1 + Math.sqrt(squares) + columns * kept * 2 ** -52);
}
