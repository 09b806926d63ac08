import { InputError } from '../input-error';
import {
  cholesky,
  convert,
  epsilonOf,
  fusedDefinite,
  hasFusedOps,
  inFloat64,
  inPrecision,
  precisionOf,
  tf,
  toTensor,
  valuesOf,
} from '../tensor';
import { decideExactly } from './exact/decide';
import { succeeded } from './proofs/gram';
import { rankFromEigenvalues } from './proofs/gram-eigenvalues';
import { choleskySlack, SMALLEST_TRACE } from './proofs/rounding';
import { prepareRows } from './proofs/rows';
import { singularValues } from './proofs/singular-values';
import { verifiedEigenvalues } from './proofs/verified-eigenvalues';
import { verifiedRank } from './proofs/verified-rank';
import { rankAt, relativeTolerance, type Rtol } from './tolerance';

export interface ContextRankOptions {
  readonly rtol: Rtol;
  /** Of how many contexts, from the first on, sigma_min / sigma_max is computed by SVD (0). */
  readonly sigmaRatios?: number;
}

export interface ContextRanks {
  /**
   * Rank of each context matrix at the tolerance, `[B]`; -1 where the smallest singular value is too near to the tolerance to
   * tell. That a rank is n, or is not, is proved.
   */
  readonly ranks: Int32Array;
  /** The ratio to sigma_max that counts as zero. */
  readonly tolerance: number;
  /** sigma_min / sigma_max of the first contexts. */
  readonly sigmaRatio: Float64Array;
}

/**
 * How many columns, in multiples of n, are looked at before all of them are. On the paper's four layers sigma_min of so many
 * is 1.2 to 13 times what has to be proved, of 1.1 n at times too little.
 */
const FIRST_COLUMNS = 1.25;

/**
 * Ranks of context matrices `[B, n, d]` (paper, Assumption 2: each should be n), of either precision, each at the tolerance
 * relative to its own largest singular value. The arithmetic is float64.
 *
 * Full rank is mostly proved from some of the columns: leaving columns out can only lower sigma_min, and the Frobenius norm
 * of the whole matrix is above its sigma_max, so one shifted Cholesky of the smaller Gram settles it at a fraction of the
 * whole Gram's cost. Where it does not, the whole Gram is tried, then its eigenvalues count the rank, and where they are too
 * near to the tolerance, the singular vectors do.
 *
 * @throws InputError naming the context when a value is not finite.
 */
export function contextRanks(contexts: tf.Tensor3D, { rtol, sigmaRatios = 0 }: ContextRankOptions): ContextRanks {
  const [batch, n, d] = contexts.shape;
  const tolerance = relativeTolerance(rtol, n, d);
  const ranks = new Int32Array(batch).fill(-1);
  const openOnes = () => Array.from(ranks.keys()).filter((index) => ranks[index] < 0);
  if (n <= d) {
    const traces = upperTraces(contexts);
    for (const share of [...new Set([columnShare(n, d), 1])]) {
      const tried = openOnes();
      const proved = ofFullRank(contexts, tried, traces, tolerance, share);
      tried.forEach((index, i) => {
        if (proved[i] === 1) ranks[index] = n;
      });
    }
  }

  let values: Values | null = null;
  const context = (index: number) => (values ??= valuesOf(contexts)).subarray(index * n * d, (index + 1) * n * d);
  const matrix = (index: number) => ({ data: context(index), shape: [n, d] as const });
  const open = openOnes();
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
  for (const index of open) {
    if (ranks[index] >= 0) continue;
    const { rank } = verifiedRank(prepareRows(matrix(index)).values, [n, d], tolerance);
    // Whether all rows are independent is known better than how many are where they are not.
    ranks[index] = rank ?? rankOfRows(context(index), n, d, tolerance);
  }

  const sigmaRatio = Float64Array.from({ length: Math.min(batch, sigmaRatios) }, (_, index) => {
    const sigmas = singularValues(matrix(index));
    return sigmas[0] === 0 ? 0 : sigmas[sigmas.length - 1] / sigmas[0];
  });
  return { ranks, tolerance, sigmaRatio };
}

type Values = Float32Array | Float64Array;

/** n if the rows are proved to be independent; if they are proved not to be, what an SVD makes of them; else -1. */
function rankOfRows(context: Values, n: number, d: number, tolerance: number): number {
  const { independent } = decideExactly(Float64Array.from(context), [n, d], tolerance);
  if (independent === null) return -1;
  return independent ? n : Math.min(n - 1, rankAt(singularValues({ data: context, shape: [n, d] }), tolerance));
}

/** Whether squares neither overflow nor underflow; not true of NaN. */
const isUsable = (trace: number) => trace >= SMALLEST_TRACE && trace < 1 / SMALLEST_TRACE;

/** Upper bounds of the squared Frobenius norms, `[B]`; sums of squares, rounded in any order. */
function upperTraces(contexts: tf.Tensor3D): number[] {
  const [batch, n, d] = contexts.shape;
  const precision = precisionOf(contexts);
  return inPrecision(precision, () =>
    tf.tidy(() => {
      const vectors = contexts.reshape([batch, 1, n * d]);
      // A product reads them once and writes nothing; squares would be written out.
      const sums = valuesOf(tf.matMul(vectors, vectors, false, true));
      return Array.from(sums, (sum) => sum * (1 + n * d * epsilonOf(precision)));
    }),
  );
}

/** For each of the `chosen` contexts 1 when that share of its columns proves that it has rank n, else 0. */
function ofFullRank(
  contexts: tf.Tensor3D,
  chosen: readonly number[],
  traces: readonly number[],
  tolerance: number,
  share: number,
): Uint8Array {
  const precision = precisionOf(contexts);
  // Below this, squares that underflow in float32 could matter.
  const smallest = precision === 'float32' ? 2 ** -80 : 0;
  const able = chosen.map((index) => isUsable(traces[index]) && traces[index] > smallest);
  if (!able.includes(true)) return new Uint8Array(chosen.length);
  const largest = Math.max(...chosen.filter((_, i) => able[i]).map((index) => traces[index]));
  const columns = inPrecision(precision, () => tf.tidy(() => someColumns(among(contexts, chosen), share)));
  const factored = inFloat64(() => {
    const rows = precision === 'float64' ? columns : convert(columns, 'float64');
    const [, n, width] = rows.shape;
    // One shift for all: it must only be large enough, and contexts of one layer hardly differ.
    const shift = tolerance ** 2 * largest + choleskySlack(width, n, largest);
    if (hasFusedOps()) return Uint8Array.from(valuesOf(fusedDefinite(rows, shift)));
    return succeeded(cholesky(tf.sub(tf.matMul(rows, rows, false, true), scaledIdentity(shift, n))));
  });
  columns.dispose();
  return factored.map((passed, i) => (able[i] ? passed : 0));
}

const among = (contexts: tf.Tensor3D, chosen: readonly number[]) =>
  chosen.length === contexts.shape[0] ? contexts : (tf.gather(contexts, [...chosen]) as tf.Tensor3D);

/** Neighbouring columns may belong together, as the columns of one head do: some of each group are taken. */
const groupOfColumns = (d: number) => [64, 32, 16, 8].find((size) => d % size === 0) ?? d;

/** The share of each group's columns that makes {@link FIRST_COLUMNS} in all, at most 1. */
function columnShare(n: number, d: number): number {
  const group = groupOfColumns(d);
  return Math.min(group, Math.ceil((group * FIRST_COLUMNS * n) / d)) / group;
}

/** The first columns of each group, a copy. */
function someColumns(contexts: tf.Tensor3D, share: number): tf.Tensor3D {
  const [batch, n, d] = contexts.shape;
  if (share === 1) return contexts.clone();
  const group = groupOfColumns(d);
  const kept = Math.round(share * group);
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
    return verifiedEigenvalues(tf.matMul(rows, rows, false, true));
  });
  return traces.map((trace, index) => rankFromEigenvalues(eigenvalues, index, d, trace, tolerance));
}

/** `[1, n, n]`. */
function scaledIdentity(scale: number, n: number): tf.Tensor3D {
  const values = new Float64Array(n * n);
  for (let i = 0; i < n; i++) values[i * (n + 1)] = scale;
  return toTensor(values, [1, n, n]) as tf.Tensor3D;
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
