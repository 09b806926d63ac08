import { cholesky, inFloat64, tf, toTensor, triangularSolve, valuesOf } from '../../tensor';
import { exactProduct, exactProductError } from './exact-product';
import { succeeded } from './gram';
import { UNIT } from './rounding';
import { exponentAbove, gatherRows, type Rows } from './rows';
import { verifiedEigenvalues } from './verified-eigenvalues';

const SLICES = 4;
/** Columns whose scale is so many times the tolerance are first taken to be in the leading block. */
const CLEARLY_ABOVE = 8;

/**
 * Counts singular values above a tolerance at which a Gram of the rows is blind.
 *
 * For all rows X `[T, d]`, T >= d, with right singular vectors V `[d, d]`, let X V = A Sigma + E, Sigma a diagonal of powers of two
 * near the singular values, none below the tolerance. (A product to 2^-51 of its elements is off by 2^-51 of A's, which moves
 * N below by 2^-50 trace(B^T B) at most; E is only what comes on top.) With B = S A for the rows S of a subset, the singular values of
 * B Sigma above t are as many as the positive eigenvalues of Sigma (B^T B - t^2 Sigma^-2) Sigma, and so of
 *
 *     N(t) = B^T B - t^2 Sigma^-2   `[d, d]`
 *
 * (Sylvester's law of inertia), a matrix whose elements are all of moderate size. Those of S X differ from them by ||S E|| and
 * by factors between the extreme singular values of V, so that a count that is the same at two t a little apart is
 * theirs. It is the size of a leading block that has a Cholesky factor plus the positive eigenvalues of its Schur complement
 * (Haynsworth), of N(t) moved by what rounding may have done to it: inner products of k terms (Higham, 3.1), the factorization
 * in blocks (`./rounding`).
 */
export class ColumnInertia {
  /** Upper bounds of the squared singular values of all rows, descending, `[d]`: of what columns from each on leave. */
  readonly squaredSpectrum: Float64Array;
  /** A, `[T, d]`. */
  private readonly scaled: Float64Array;
  private readonly scales: Float64Array;
  /** Upper bounds of ||row i of E||^2, `[T]`. */
  private readonly squaredErrors: Float64Array;
  /** Size of the leading block, as far as is known from other subsets. */
  private leading: number | null = null;

  /** `values` and `right` are all rows' singular values and vectors; `skew` bounds ||V^T V - I||. */
  constructor(
    rows: Rows,
    values: Float64Array,
    right: Float64Array,
    private readonly skew: number,
    tolerance: number,
  ) {
    const { count, columns: d } = rows;
    const image = exactProduct(rows.values, right, count, d, d, SLICES);
    this.scales = values.map((value) => 2 ** exponentAbove(Math.max(value, tolerance * values[0])));
    const squares = new Float64Array(d);
    this.squaredErrors = new Float64Array(count);
    let [lost, at] = [0, 0];
    for (let row = 0; row < count; row++) {
      let largest = 0;
      for (let j = row * d; j < (row + 1) * d; j++) largest = Math.max(largest, Math.abs(rows.values[j]));
      // No element of V is above 1 by more than its skew.
      const summed = exactProductError(d, SLICES) * largest * (1 + skew) + 2 ** -1000;
      this.squaredErrors[row] = d * summed ** 2;
      for (let j = 0; j < d; j++, at++) {
        squares[j] += image[at] * image[at];
        image[at] /= this.scales[j];
      }
      lost += this.squaredErrors[row];
    }
    this.scaled = image;
    this.squaredSpectrum = new Float64Array(d);
    for (let j = d - 1, tail = 0; j >= 0; j--) {
      tail += squares[j];
      this.squaredSpectrum[j] = ((Math.sqrt(tail) + Math.sqrt(lost)) * (1 + 1e-9)) ** 2 / (1 - skew);
    }
  }

  /** How many singular values of a subset's rows are above both of two tolerances, if none is between them; else null. */
  countWithin(subset: Int32Array, low: number, high: number): number | null {
    const k = subset.length;
    const d = this.scales.length;
    let squaredError = 0;
    for (const row of subset) squaredError += this.squaredErrors[row];
    const error = Math.sqrt(squaredError) * (1 + 1e-9);
    const ends = [
      low * Math.sqrt(1 - this.skew) * (1 - 1e-12) - error,
      high * Math.sqrt(1 + this.skew) * (1 + 1e-12) + error,
    ];
    if (!(ends[0] > 0)) return null;
    // No more than all rows have: then a factor of so many columns is all it takes.
    const most = this.squaredSpectrum.filter((value) => value > low * low).length;
    if (most > 0 && most < Math.min(k, d) && this.isAbove(subset, most, ends[1])) return most;
    return inFloat64(() => {
      const rows = toTensor(gatherRows(this.scaled, d, subset), [k, d]) as tf.Tensor2D;
      const gram = Float64Array.from(valuesOf(tf.matMul(rows, rows, true, false)));
      let trace = 0;
      for (let j = 0; j < d; j++) trace += gram[j * (d + 1)] + (ends[1] / this.scales[j]) ** 2;
      // Of the products, the diagonal, the factor of the leading block and its solutions, if these are no longer than the trace.
      const slack = 2 * (k + d + 32) * UNIT * 1.01 * trace;
      this.leading ??= this.scales.filter((scale) => scale > CLEARLY_ABOVE * high).length;
      for (let size = Math.min(this.leading, d - 1, k); size > 0; size = Math.floor(0.93 * size)) {
        const counts = this.countsFrom(gram, ends, slack, size, trace);
        if (counts === null) continue;
        this.leading = size;
        return counts[0] === counts[1] ? counts[0] : null;
      }
      return null;
    });
  }

  /** Whether N(t) is proved to be positive definite in its first `size` rows and columns. */
  private isAbove(subset: Int32Array, size: number, t: number): boolean {
    const k = subset.length;
    const columns = new Float64Array(k * size);
    subset.forEach((row, i) => {
      const start = row * this.scales.length;
      columns.set(this.scaled.subarray(start, start + size), i * size);
    });
    return inFloat64(() => {
      const rows = toTensor(columns, [k, size]) as tf.Tensor2D;
      const gram = Float64Array.from(valuesOf(tf.matMul(rows, rows, true, false)));
      let trace = 0;
      for (let j = 0; j < size; j++) trace += gram[j * (size + 1)];
      const slack = 2 * (k + size + 32) * UNIT * 1.01 * trace;
      for (let j = 0; j < size; j++) gram[j * (size + 1)] -= (t / this.scales[j]) ** 2 + slack;
      return succeeded(cholesky(toTensor(gram, [1, size, size])))[0] === 1;
    });
  }

  /**
   * The positive eigenvalues of N(low) + slack, then of N(high) - slack, by the factor of the first `size` columns; NaN where the
   * sign of one is not certain. Null where the first columns have no factor.
   */
  private countsFrom(
    gram: Float64Array,
    [low, high]: readonly number[],
    slack: number,
    size: number,
    trace: number,
  ): [low: number, high: number] | null {
    const d = this.scales.length;
    const rest = d - size;
    const [corner, cross, trailing] = [size * size, size * rest, rest * rest].map(
      (length) => new Float64Array(2 * length),
    );
    [
      { t: low, move: slack },
      { t: high, move: -slack },
    ].forEach(({ t, move }, index) => {
      for (let i = 0; i < d; i++) {
        const row = gram.subarray(i * d, (i + 1) * d);
        const diagonal = row[i] - (t / this.scales[i]) ** 2 + move;
        if (i < size) {
          const start = (index * size + i) * size;
          corner.set(row.subarray(0, i), start);
          corner[start + i] = diagonal;
          cross.set(row.subarray(size), (index * size + i) * rest);
        } else {
          const start = (index * rest + i - size) * rest;
          trailing.set(row.subarray(size), start);
          trailing[start + i - size] = diagonal;
        }
      }
    });
    const factor = cholesky(toTensor(corner, [2, size, size]));
    if (succeeded(factor).includes(0)) return null;
    const solved = triangularSolve(factor, toTensor(cross, [2, size, rest])) as tf.Tensor3D;
    const complement = tf.sub(
      toTensor(trailing, [2, rest, rest]),
      tf.matMul(solved, solved, true, false),
    ) as tf.Tensor3D;
    const squares = valuesOf(tf.sum(tf.square(solved), [1, 2]));
    const { values, errors } = verifiedEigenvalues(complement);
    return [0, 1].map((index) => {
      if (!(squares[index] <= trace)) return NaN;
      let count = size;
      for (let i = index * rest; i < (index + 1) * rest; i++) {
        if (!(Math.abs(values[i]) > errors[i])) return NaN;
        if (values[i] > 0) count++;
      }
      return count;
    }) as [number, number];
  }
}
