/**
 * The verdict on which everything here rests: are these rows linearly independent at the tolerance? A set S of k rows of
 * X [T, d] is dependent when sigma_min(X_S) <= ratio(k) * sigma_max(X_S), with ratio(k) = max(k, d) * eps or the user's
 * number (PyTorch's `matrix_rank` convention), and always when k > d.
 *
 * Adding a row to S can only lower sigma_min (interlacing) and raise sigma_max and the ratio, so every superset of a
 * dependent set is dependent. Hence the Kruskal rank at a tolerance is well defined (the size of the smallest dependent
 * set, less one), and greedy deletion ends in a minimal dependent set.
 */
import type { LinearIndependence } from '../exact/linear-independence';
import { IndependenceTest } from '../proofs/independence';
import type { Method } from '../proofs/proof';
import { gatherRows, prepareRows, type Rows } from '../proofs/rows';
import { sigmaRatioOf } from '../proofs/singular-values';
import type { Rtol } from '../tolerance';

/** Multiplications in the time that a verdict takes (10^9 a second): by its Gram, by calls into TensorFlow, by finer arithmetic. */
function costOf(method: Method, k: number, d: number): number {
  switch (method) {
    case 'definition':
    case 'equal rows':
    case 'cholesky':
      return cholesky(k);
    case 'double-double':
      return 1e5 + 60 * k * k * (k + d);
    case 'multiprecision':
      return 2e5 + 300 * k * k * (3 * k + d);
    case 'modular':
      return 1e5 + 20 * k * k * (k + d);
    default:
      return 3e6 + 4 * k * k * (k + d);
  }
}

/** Of one Cholesky factorization of a small set, in plain JavaScript. */
export const cholesky = (k: number) => k ** 3 / 6 + 4 * k * k + 300;

export class Independence {
  readonly count: number;
  readonly columns: number;
  /** The rows [T, d] times one power of two, so that the largest magnitude lies in [1/2, 1): no verdict changes. */
  readonly rows: Float64Array;
  readonly squaredNorms: Float64Array;
  /** The rows as they were given, [T, d]. */
  readonly original: Float32Array | Float64Array;
  private readonly test: IndependenceTest;
  /** Sums of the k largest squared norms. */
  private readonly largestSquares: Float64Array;

  /** With `exactly`, without a tolerance: see {@link IndependenceTest}. */
  constructor(
    private readonly prepared: Rows,
    readonly rtol: Rtol,
    readonly exactly: LinearIndependence | null = null,
  ) {
    const { count, columns, values, squaredNorms } = prepared;
    this.count = count;
    this.columns = columns;
    this.rows = values;
    this.squaredNorms = squaredNorms;
    this.original = prepared.original;
    this.test = new IndependenceTest(prepared, rtol, exactly);
    const descending = Float64Array.from(this.squaredNorms).sort().reverse();
    this.largestSquares = new Float64Array(this.count + 1);
    for (let k = 1; k <= this.count; k++) this.largestSquares[k] = this.largestSquares[k - 1] + descending[k - 1];
  }

  /** X X^T [T, T] of the rows. */
  get gram(): Float64Array {
    return this.test.gram.table!;
  }

  /** The ratio of sigma_max below which a singular value of k rows does not count. */
  ratio(k: number): number {
    return this.test.tolerance(k);
  }

  /** An upper bound of sigma_max over all sets of k rows: no set has a larger Frobenius norm. */
  largestSigma(k: number): number {
    return Math.sqrt(this.largestSquares[Math.min(k, this.count)]) * (1 + this.columns * Number.EPSILON);
  }

  /** How many of the sets judged so far are proved to be neither independent nor dependent. */
  undecided = 0;

  /** Multiplications that verdicts have cost so far, those of other arithmetic at their price. */
  spent = 0;

  /** Whether the set is proved to be dependent. Not to be so proves its independence where `undecided` has not grown. */
  dependent(set: ArrayLike<number>): boolean {
    const { independent, method } = this.test.judgeOne(set);
    this.spent += costOf(method, set.length, this.columns);
    if (independent === null) this.undecided++;
    return independent === false;
  }

  /** sigma_min / sigma_max of a set by SVD in float64, and the ratio below which it is dependent. */
  sigma(set: ArrayLike<number>): { ratio: number; tolerance: number } {
    const ratio = set.length > this.columns ? 0 : sigmaRatioOf(this.prepared, Int32Array.from(set).sort());
    return { ratio, tolerance: this.ratio(set.length) };
  }

  /** The set's rows, scaled once more so that rows which are tiny beside the others of X do not underflow. */
  scaled(set: ArrayLike<number>): Float64Array {
    const { original, columns } = this.prepared;
    return prepareRows({ data: gatherRows(original, columns, set), shape: [set.length, columns] }).values;
  }

  /** The set's Gram matrix in this order, lower triangle, row by row with stride k; overwritten by the next call. */
  gather(set: ArrayLike<number>): Float64Array {
    return this.test.gram.lower(Int32Array.from(set));
  }
}
