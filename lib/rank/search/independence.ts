/**
 * The verdict on which everything here rests: are these rows linearly independent at the tolerance? A set S of k rows of
 * X [T, d] is dependent when sigma_min(X_S) <= ratio(k) * sigma_max(X_S), with ratio(k) = max(k, d) * eps or the user's
 * number (PyTorch's `matrix_rank` convention), and always when k > d.
 *
 * Adding a row to S can only lower sigma_min (interlacing) and raise sigma_max and the ratio, so every superset of a
 * dependent set is dependent. Hence the Kruskal rank at a tolerance is well defined (the size of the smallest dependent
 * set, less one), and greedy deletion ends in a minimal dependent set.
 */
import { prepareRows, type Rows } from '../proofs/rows';
import { sigmaRatioOf } from '../proofs/singular-values';
import { relativeTolerance, type Rtol } from '../tolerance';

const EPS = Number.EPSILON;

export class Independence {
  readonly count: number;
  readonly columns: number;
  /** The rows [T, d] times one power of two, so that the largest magnitude lies in [1/2, 1): no verdict changes. */
  readonly rows: Float64Array;
  readonly squaredNorms: Float64Array;
  /** Sums of the k largest squared norms. */
  private readonly largestSquares: Float64Array;
  private buffer = new Float64Array(0);

  /** `gram` is X X^T [T, T] of the prepared rows. */
  constructor(
    private readonly prepared: Rows,
    readonly rtol: Rtol,
    readonly gram: Float64Array,
  ) {
    const { count, columns, values, squaredNorms } = prepared;
    this.count = count;
    this.columns = columns;
    this.rows = values;
    this.squaredNorms = squaredNorms;
    const descending = Float64Array.from(this.squaredNorms).sort().reverse();
    this.largestSquares = new Float64Array(this.count + 1);
    for (let k = 1; k <= this.count; k++) this.largestSquares[k] = this.largestSquares[k - 1] + descending[k - 1];
  }

  /** The ratio of sigma_max below which a singular value of k rows does not count. */
  ratio(k: number): number {
    return relativeTolerance(this.rtol, k, this.columns);
  }

  /** An upper bound of sigma_max over all sets of k rows: no set has a larger Frobenius norm. */
  largestSigma(k: number): number {
    return Math.sqrt(this.largestSquares[Math.min(k, this.count)]) * (1 + this.columns * EPS);
  }

  /** Whether the set is dependent at the tolerance. Cholesky where it proves the answer, SVD where it does not. */
  dependent(set: ArrayLike<number>): boolean {
    const k = set.length;
    const ratio = this.ratio(k);
    if (k > this.columns || ratio >= 1) return true;
    const sub = this.gather(set);
    const { low, high, trace } = sigmaBracket(sub, k);
    // What the Gram's rounding and Cholesky's backward error together can move an eigenvalue by (Higham, ASNA, ch. 10).
    const blur = 2 * (this.columns + k + 8) * EPS * trace;
    if (shiftedCholesky(sub, k, ratio * ratio * high * high + blur)) {
      return false;
    }
    const shift = ratio * ratio * low * low - blur;
    if (shift > 0 && !shiftedCholesky(this.gather(set), k, shift)) {
      return true;
    }
    return this.sigma(set).ratio <= ratio;
  }

  /** sigma_min / sigma_max of a set by SVD in float64, and the ratio below which it is dependent. */
  sigma(set: ArrayLike<number>): { ratio: number; tolerance: number } {
    const ratio =
      set.length > this.columns
        ? 0
        : sigmaRatioOf(
            this.scaled(set),
            Int32Array.from(set, (_, i) => i),
          );
    return { ratio, tolerance: this.ratio(set.length) };
  }

  /** The set's rows, scaled once more so that rows which are tiny beside the others of X do not underflow. */
  scaled(set: ArrayLike<number>): Rows {
    const d = this.columns;
    const chosen = new Float64Array(set.length * d);
    for (let i = 0; i < set.length; i++) chosen.set(this.rows.subarray(set[i] * d, (set[i] + 1) * d), i * d);
    return prepareRows({ data: chosen, shape: [set.length, d] });
  }

  /** The set's Gram matrix, lower triangle, row by row with stride k; overwritten by the next call. */
  gather(set: ArrayLike<number>): Float64Array {
    const k = set.length;
    if (this.buffer.length < k * k) this.buffer = new Float64Array(k * k);
    const { buffer, gram, count } = this;
    for (let i = 0; i < k; i++) {
      const row = set[i] * count;
      for (let j = 0; j <= i; j++) buffer[i * k + j] = gram[row + set[j]];
    }
    return buffer;
  }
}

/** sigma_max of the rows with this Gram (lower triangle), from both sides. */
function sigmaBracket(lower: Float64Array, k: number): { low: number; high: number; trace: number } {
  const ones = new Float64Array(k).fill(1);
  let trace = 0;
  for (let i = 0; i < k; i++) trace += lower[i * k + i];
  let vector = ones;
  let low = 0;
  let largestRowSum = 0;
  for (let step = 0; step < 3; step++) {
    const image = new Float64Array(k);
    const rowSums = step === 0 ? new Float64Array(k) : null;
    for (let i = 0; i < k; i++) {
      let sum = 0;
      const row = i * k;
      for (let j = 0; j < i; j++) {
        const entry = lower[row + j];
        sum += entry * vector[j];
        image[j] += entry * vector[i];
        if (rowSums) {
          rowSums[i] += Math.abs(entry);
          rowSums[j] += Math.abs(entry);
        }
      }
      image[i] += sum + lower[row + i] * vector[i];
      if (rowSums) rowSums[i] += lower[row + i];
    }
    if (rowSums) for (const sum of rowSums) largestRowSum = Math.max(largestRowSum, sum);
    const norm = euclidean(vector);
    const imageNorm = euclidean(image);
    if (norm === 0 || imageNorm === 0) break;
    // ||A v|| / ||v|| never exceeds the largest eigenvalue of A.
    low = Math.max(low, imageNorm / norm);
    vector = image.map((value) => value / imageNorm);
  }
  const margin = 1 + 4 * k * EPS;
  for (let i = 0; i < k; i++) low = Math.max(low, lower[i * k + i]);
  return { low: Math.sqrt(low / margin), high: Math.sqrt(Math.min(trace, largestRowSum) * margin), trace };
}

/** Whether A - shift I has a Cholesky factorization; A (lower triangle, stride k) is overwritten by it. */
export function shiftedCholesky(a: Float64Array, k: number, shift: number): boolean {
  for (let i = 0; i < k; i++) {
    const rowI = i * k;
    for (let j = 0; j < i; j++) {
      const rowJ = j * k;
      a[rowI + j] = (a[rowI + j] - dot(a, rowI, rowJ, j)) / a[rowJ + j];
    }
    const pivot = a[rowI + i] - shift - dot(a, rowI, rowI, i);
    if (!(pivot > 0)) return false;
    a[rowI + i] = Math.sqrt(pivot);
  }
  return true;
}

function euclidean(vector: Float64Array): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}

/** Four sums at once: one alone waits for each addition to finish before it starts the next. */
function dot(a: Float64Array, p: number, q: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let t = 0;
  for (; t + 3 < length; t += 4) {
    s0 += a[p + t] * a[q + t];
    s1 += a[p + t + 1] * a[q + t + 1];
    s2 += a[p + t + 2] * a[q + t + 2];
    s3 += a[p + t + 3] * a[q + t + 3];
  }
  for (; t < length; t++) s0 += a[p + t] * a[q + t];
  return s0 + s1 + (s2 + s3);
}
