import { eigvalsh, inFloat64, tf, toTensor, valuesOf } from '../../tensor';
import { batchSize, type Gram } from './gram';
import { norm, type Rows } from './rows';
import { choleskySlack, rayleighSlack, UNIT } from './rounding';
import { verifiedEigenvalues } from './verified-eigenvalues';

/** A proved interval of sigma_max(S)^2 for each of some subsets. */
export interface Brackets {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** A bracket this tight is as good as the number itself. */
const TIGHT = 1e-8;
const MOST_STEPS = 6;

/**
 * Brackets the largest singular value of subsets of rows.
 *
 * From below by Rayleigh quotients: sigma_max(S)^2 >= ||S y||^2 for any unit vector y; the first y is the top right singular
 * vector of all rows together. From above by the trace, by all rows' sigma_max, and, where one direction dominates (as the
 * common mean does in a layer's features), by Temple's bound (Parlett, The Symmetric Eigenvalue Problem, 10.5):
 * lambda_1 <= theta + rho^2 / (theta - mu) with rho = ||S^T S y - theta y|| and mu = trace - theta >= lambda_2.
 */
export class LargestSingularValue {
  private readonly direction: Float64Array;
  /** x_i · y for the first y, `[T]`. */
  private readonly components: Float64Array;
  private spectrumOfAll: Float64Array | null = null;

  constructor(private readonly rows: Rows) {
    const { direction, components } = inFloat64(() => topDirection(rows));
    this.direction = direction;
    this.components = components;
  }

  /** Upper bounds of the squared singular values of all rows together, descending, `[min(T, d)]`; found when asked for. */
  get squaredSpectrum(): Float64Array {
    return (this.spectrumOfAll ??= inFloat64(() => squaredSpectrumOf(this.rows)));
  }

  /** A bracket that costs no more than reading the subset: `traces` are the sums of squared norms. */
  byTraces(subsets: readonly Int32Array[], traces: ArrayLike<number>): Brackets {
    const low = new Float64Array(subsets.length);
    const high = new Float64Array(subsets.length);
    for (const [index, subset] of subsets.entries()) {
      let rayleigh = 0;
      let longest = 0;
      for (const row of subset) {
        rayleigh += this.components[row] * this.components[row];
        longest = Math.max(longest, this.rows.squaredNorms[row]);
      }
      const error = rayleighSlack(this.rows.columns, subset.length, traces[index]);
      low[index] = Math.max(rayleigh, longest, traces[index] / subset.length) - error;
      high[index] = traces[index] + error;
    }
    return { low, high };
  }

  /** The same, from above by the spectrum of all rows as well. */
  roughly(subsets: readonly Int32Array[], traces: ArrayLike<number>): Brackets {
    const { low, high } = this.byTraces(subsets, traces);
    return { low, high: high.map((value) => Math.min(value, this.squaredSpectrum[0])) };
  }

  /** The bracket after a few steps of power iteration for all subsets at once: two matrix products a step. */
  closely(subsets: readonly Int32Array[], traces: ArrayLike<number>): Brackets {
    const brackets = this.roughly(subsets, traces);
    inFloat64(() => this.iterate(subsets, traces, brackets));
    return brackets;
  }

  private iterate(subsets: readonly Int32Array[], traces: ArrayLike<number>, { low, high }: Brackets): void {
    const { count, columns, values } = this.rows;
    const batch = subsets.length;
    const all = toTensor(values, [count, columns]) as tf.Tensor2D;
    const components = new Float64Array(batch * count);
    for (const [index, subset] of subsets.entries()) {
      for (const row of subset) components[index * count + row] = this.components[row];
    }
    const directions = new Float64Array(batch * columns);
    for (let index = 0; index < batch; index++) directions.set(this.direction, index * columns);
    for (let step = 0; step < MOST_STEPS; step++) {
      // S^T S y for each subset, [batch, columns].
      const images = product(components, [batch, count], all, false);
      let loose = 0;
      for (const [index, subset] of subsets.entries()) {
        let theta = 0;
        for (const row of subset) theta += components[index * count + row] ** 2;
        let residual = 0;
        let length = 0;
        for (let j = index * columns; j < (index + 1) * columns; j++) {
          residual += (images[j] - theta * directions[j]) ** 2;
          length += images[j] ** 2;
        }
        const error = rayleighSlack(this.rows.columns, subset.length, traces[index]);
        const rho = Math.sqrt(residual) + error;
        const gap = theta - (traces[index] - theta) - 3 * error;
        low[index] = Math.max(low[index], theta - error);
        if (gap > 0) {
          high[index] = Math.min(high[index], theta + error + rho ** 2 / gap);
          if (high[index] - low[index] > TIGHT * high[index]) loose++;
        }
        for (let j = index * columns; j < (index + 1) * columns; j++) directions[j] = images[j] / Math.sqrt(length);
      }
      if (loose === 0 || step === MOST_STEPS - 1) return;
      const projected = product(directions, [batch, columns], all, true);
      for (const [index, subset] of subsets.entries()) {
        for (const row of subset) components[index * count + row] = projected[index * count + row];
      }
    }
  }
}

/** `left` times `right`, or its transpose. The array is free again when this returns. */
function product(left: Float64Array, shape: readonly number[], right: tf.Tensor2D, transpose: boolean) {
  const rows = toTensor(left, shape) as tf.Tensor2D;
  const result = tf.matMul(rows, right, false, transpose);
  const values = valuesOf(result);
  tf.dispose([rows, result]);
  return values;
}

/**
 * Brackets of sigma_max^2 as tight as a Cholesky factorization tells: the eigenvalues of the Gram say where to look, and what is
 * proved is that b I - G has a factor for b just above the largest, and none for b just below it.
 */
export function tightBrackets(gram: Gram, subsets: readonly Int32Array[], traces: readonly number[]): Brackets {
  const k = subsets[0].length;
  const size = batchSize(k);
  const tops: number[] = [];
  for (let start = 0; start < subsets.length; start += size) {
    const batch = subsets.slice(start, start + size);
    const unshifted = batch.map(() => 0);
    const eigenvalues = inFloat64(() => valuesOf(eigvalsh(gram.leading(batch, unshifted, k))));
    batch.forEach((_, i) => tops.push(eigenvalues[(i + 1) * k - 1]));
  }
  return bracketsNear(gram, subsets, traces, tops);
}

/** The same where to look is known: `tops` are near to sigma_max^2. */
export function bracketsNear(
  gram: Gram,
  subsets: readonly Int32Array[],
  traces: readonly number[],
  tops: readonly number[],
): Brackets {
  const low = new Float64Array(subsets.length);
  const high = Float64Array.from(traces, (trace) => trace * (1 + 2 * choleskySlack(gram.columns, gram.count, 1)));
  const k = subsets[0].length;
  const size = batchSize(k);
  for (let start = 0; start < subsets.length; start += size) {
    const batch = subsets.slice(start, start + size);
    const own = tops.slice(start, start + size);
    // The trace of b I - G is at most k b.
    const slacks = own.map((top, i) => choleskySlack(gram.columns, k, traces[start + i] + k * top * 1.01));
    const [above, below] = [2, -2].map((times) => own.map((top, i) => top + times * slacks[i]));
    gram.bounds(batch, above).forEach((isBound, i) => {
      if (isBound === 1) high[start + i] = Math.min(high[start + i], above[i] + slacks[i]);
    });
    gram.bounds(batch, below).forEach((isBound, i) => {
      if (isBound === 0) low[start + i] = below[i] - slacks[i];
    });
  }
  return { low, high };
}

/** From the smaller of the two Grams. */
function squaredSpectrumOf({ values, count, columns, squaredNorms }: Rows): Float64Array {
  const rows = toTensor(values, [count, columns]) as tf.Tensor2D;
  const gram = count < columns ? tf.matMul(rows, rows, false, true) : tf.matMul(rows, rows, true, false);
  const trace = squaredNorms.reduce((sum, value) => sum + value, 0);
  const found = verifiedEigenvalues(tf.expandDims(gram, 0) as tf.Tensor3D);
  const ofGram = (Math.max(count, columns) + 8) * UNIT * 1.01 * trace;
  const upper = found.values.map((value, i) => Math.max(0, value) + found.errors[i] + ofGram);
  return upper.reverse();
}

/** The top right singular vector of all rows, by power iteration, and the rows' components along it. */
function topDirection({ values, count, columns }: Rows) {
  const rows = toTensor(values, [count, columns]) as tf.Tensor2D;
  // Any direction gives true bounds; a start without symmetry finds the top direction in practice.
  let direction: Float64Array = Float64Array.from({ length: columns }, (_, j) => 1 + ((j * 0.6180339887498949) % 1));
  for (let step = 0; step < 12; step++) {
    const next = tf.matMul(rows, tf.matMul(rows, toTensor(direction, [columns, 1]) as tf.Tensor2D), true, false);
    const image = valuesOf(next) as Float64Array;
    const length = norm(image);
    if (length === 0) break;
    direction = image.map((value) => value / length);
  }
  const length = norm(direction);
  direction = direction.map((value) => value / length);
  const components = valuesOf(tf.matMul(rows, toTensor(direction, [columns, 1]) as tf.Tensor2D)) as Float64Array;
  return { direction, components };
}
