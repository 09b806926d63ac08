import { InputError } from '../input-error';
import { cholesky, convert, eigvalsh, epsilonOf, inPrecision, precisionOf, tf, toTensor, valuesOf } from '../tensor';
import { succeeded } from './gram';
import { inFloat64 } from './in-float64';
import { rankFromEigenvalues } from './gram-eigenvalues';
import { choleskySlack, SMALLEST_TRACE } from './rounding';
import { singularValues } from './singular-values';
import { rankAt, relativeTolerance, type Rtol } from './tolerance';

export interface ContextRankOptions {
  readonly rtol: Rtol;
  /** Of how many contexts, from the first on, sigma_min / sigma_max is computed by SVD (0). */
  readonly sigmaRatios?: number;
}

export interface ContextRanks {
  /** Rank of each context matrix at the tolerance, `[B]`. */
  readonly ranks: Int32Array;
  /** The ratio to sigma_max that counts as zero. */
  readonly tolerance: number;
  /** sigma_min / sigma_max of the first contexts. */
  readonly sigmaRatio: Float64Array;
}

/** How many columns, in multiples of n, are looked at before all of them are. */
const FIRST_COLUMNS = 1.5;

/**
 * Ranks of context matrices `[B, n, d]` (paper, Assumption 2: each should be n), of either precision, each at the tolerance
 * relative to its own largest singular value. The arithmetic is float64.
 *
 * Full rank is mostly proved from some of the columns: leaving columns out can only lower sigma_min, and the Frobenius norm
 * of the whole matrix is above its sigma_max, so one shifted Cholesky of the smaller Gram settles it at a fraction of the
 * whole Gram's cost. Where it does not, the eigenvalues of the whole Gram count the rank, and where they are too near to
 * the tolerance, an SVD does.
 *
 * @throws InputError naming the context when a value is not finite.
 */
export function contextRanks(contexts: tf.Tensor3D, { rtol, sigmaRatios = 0 }: ContextRankOptions): ContextRanks {
  const [batch, n, d] = contexts.shape;
  const tolerance = relativeTolerance(rtol, n, d);
  const ranks = new Int32Array(batch).fill(-1);
  for (const index of ofFullRank(contexts, tolerance)) ranks[index] = n;

  let values: Values | null = null;
  const context = (index: number) => (values ??= valuesOf(contexts)).subarray(index * n * d, (index + 1) * n * d);
  const matrix = (index: number) => ({ data: context(index), shape: [n, d] as const });
  const open = Array.from(ranks.keys()).filter((index) => ranks[index] < 0);
  const traces = new Map(open.map((index) => [index, squaredNorm(context(index))]));
  for (const [index, trace] of traces) {
    if (Number.isNaN(trace) || (trace === Infinity && !context(index).every(Number.isFinite))) {
      throw new InputError(`the contexts must be finite, but number ${index} of the batch (counted from 0) is not.`);
    }
  }
  const usable = open.filter((index) => n <= d && isUsable(traces.get(index)!));
  const byEigenvalues = rankByEigenvalues(
    usable.map(context),
    usable.map((index) => traces.get(index)!),
    n,
    d,
    tolerance,
  );
  byEigenvalues.forEach((rank, i) => {
    if (rank !== null) ranks[usable[i]] = rank;
  });
  for (const index of open) if (ranks[index] < 0) ranks[index] = rankAt(singularValues(matrix(index)), tolerance);

  const sigmaRatio = Float64Array.from({ length: Math.min(batch, sigmaRatios) }, (_, index) => {
    const sigmas = singularValues(matrix(index));
    return sigmas[0] === 0 ? 0 : sigmas[sigmas.length - 1] / sigmas[0];
  });
  return { ranks, tolerance, sigmaRatio };
}

type Values = Float32Array | Float64Array;

/** Whether squares neither overflow nor underflow; not true of NaN. */
const isUsable = (trace: number) => trace >= SMALLEST_TRACE && trace < 1 / SMALLEST_TRACE;

/** Which of the contexts are proved to have rank n by some of their columns. */
function ofFullRank(contexts: tf.Tensor3D, tolerance: number): number[] {
  const [batch, n, d] = contexts.shape;
  if (batch === 0 || n > d) return [];
  const precision = precisionOf(contexts);
  const { traces, rows } = inPrecision(precision, () =>
    tf.tidy(() => ({
      // Sums of squares, rounded in any order.
      traces: Array.from(
        valuesOf(tf.sum(tf.square(contexts), [1, 2])),
        (trace) => trace * (1 + n * d * epsilonOf(precision)),
      ),
      rows: convert(someColumns(contexts), 'float64'),
    })),
  );
  const factored = inFloat64(() => {
    const columns = rows.shape[2];
    const shifts = traces.map((trace) => tolerance ** 2 * trace + choleskySlack(columns, n, trace));
    const shifted = tf.sub(tf.matMul(rows, rows, false, true), shiftedIdentity(shifts, n));
    rows.dispose();
    return succeeded(cholesky(shifted));
  });
  // Below this, squares that underflow in float32 could matter.
  const smallest = precision === 'float32' ? 2 ** -80 : 0;
  return Array.from(factored.keys()).filter(
    (index) => factored[index] === 1 && isUsable(traces[index]) && traces[index] > smallest,
  );
}

/**
 * Columns of `[B, n, d]`, some of each group: neighbouring columns may belong together, as the columns of one head do. At
 * least 1.5 n, or all.
 */
function someColumns(contexts: tf.Tensor3D): tf.Tensor3D {
  const [batch, n, d] = contexts.shape;
  const group = [64, 32, 16, 8].find((size) => d % size === 0) ?? d;
  const kept = Math.min(group, Math.ceil((group * FIRST_COLUMNS * n) / d));
  if (kept === group) return contexts;
  return contexts
    .reshape([batch * n, d / group, group])
    .slice([0, 0, 0], [batch * n, d / group, kept])
    .reshape([batch, n, (d / group) * kept]);
}

function rankByEigenvalues(
  matrices: readonly Values[],
  traces: readonly number[],
  n: number,
  d: number,
  tolerance: number,
): (number | null)[] {
  if (matrices.length === 0) return [];
  const all = new Float64Array(matrices.length * n * d);
  matrices.forEach((matrix, index) => all.set(matrix, index * n * d));
  const eigenvalues = inFloat64(() => {
    const rows = toTensor(all, [matrices.length, n, d]) as tf.Tensor3D;
    return valuesOf(eigvalsh(tf.matMul(rows, rows, false, true))) as Float64Array;
  });
  return traces.map((trace, index) =>
    rankFromEigenvalues(eigenvalues.subarray(index * n, (index + 1) * n), d, trace, tolerance),
  );
}

/** `[B, n, n]` of multiples of the identity. */
function shiftedIdentity(shifts: readonly number[], n: number): tf.Tensor3D {
  const scales = toTensor(shifts, [shifts.length, 1, 1]);
  const identity = new Float64Array(n * n);
  for (let i = 0; i < n; i++) identity[i * (n + 1)] = 1;
  return tf.mul(scales, toTensor(identity, [1, n, n])) as tf.Tensor3D;
}

function squaredNorm(values: Values): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += values[i] * values[i];
    b += values[i + 1] * values[i + 1];
    c += values[i + 2] * values[i + 2];
    d += values[i + 3] * values[i + 3];
  }
  for (let i = whole; i < values.length; i++) a += values[i] * values[i];
  return a + b + c + d;
}
