/**
 * Rows seen through an invertible map of the columns. Features share a large mean, so all their rows are nearly parallel
 * and every bound on inner products is vacuous; but y_i = L^-1 x_i has the same exact dependencies for any invertible L,
 * and with L L^T = X^T X + alpha^2 I the rows spread out.
 *
 * At a tolerance the map has its price, and `slack` is it. Let S, |S| <= m, be dependent: some c, ||c|| = 1, has
 * ||sum c_i x_i|| <= tau = ratio(m) * max sigma_max(X_S). Put u_i = y_i / n_i, n_i = ||y_i||, and divide by the largest
 * |c_i n_i|; the row where it is attained is the leader l. Then
 *
 *     u_l + sum_{j in S, j != l} b_j u_j = r,   |b_j| <= 1,   ||r|| <= slack(m),
 *     slack(m) = (tau * (sum of the m largest n_i^-2)^(1/2) + m * rounding of the solve) / sigma_min(L).
 *
 * Every certificate below starts from this one line. Where slack(m) >= 1 it says nothing, and nothing is claimed.
 */
import { inFloat64, tf, toTensor, valuesOf } from '../../tensor';
import type { Independence } from './independence';
import { gatherRows } from '../proofs/rows';
import { factorize, solveLower } from '../proofs/small-cholesky';

export interface Preconditioned {
  /** Of the rows of X: alpha / ||X||_F, or null for the identity map. */
  readonly alpha: number | null;
  /** u_i . u_j for all rows, [T, T]. */
  readonly cosines: Float64Array;
  /** What rounding may have done to one of them, generously. */
  readonly cosineError: number;
  /** The bound on ||r|| for dependent sets of up to m rows. */
  slack(m: number): number;
}

/** A map before the T^2 inner products are paid for: the unit rows and the price. */
interface Candidate {
  readonly alpha: number | null;
  readonly unit: Float64Array;
  slack(m: number): number;
}

/** From mild to almost full whitening; a float64 X^T X carries no more. */
const ALPHAS = [1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5];
/** X^T X beyond this many columns is not worth its memory: there the identity has to do. */
const MOST_COLUMNS = 4096;
const SAMPLE = 256;
/** More than any cosine here is off by, and too little to matter: {@link rowsNeeded} adds it for each row. */
const ROUNDING = 1e-10;

/** The map, of a ladder from none to nearly full whitening, whose cosines leave the most room. */
export function precondition(independence: Independence): Preconditioned {
  const { count: T, columns: d, rows, gram } = independence;
  let best: { candidate: Candidate; score: number } = score(independence, identity(independence));
  if (d <= MOST_COLUMNS) {
    const second = product(rows, [T, d], true);
    let energy = 0;
    for (let i = 0; i < T; i++) energy += gram[i * T + i];
    for (const alpha of ALPHAS) {
      const candidate = whitened(independence, second, alpha, energy);
      if (candidate === null) break;
      const next = score(independence, candidate);
      if (next.score > best.score) best = next;
    }
  }
  const { alpha, unit, slack } = best.candidate;
  return { alpha, cosines: product(unit, [T, d], false), cosineError: cosineError(d), slack };
}

function identity(independence: Independence): Candidate {
  return normalised(independence, Float64Array.from(independence.rows), null, 1, 0);
}

function whitened(independence: Independence, second: Float64Array, alpha: number, energy: number): Candidate | null {
  const { count: T, columns: d, rows } = independence;
  const lower = Float64Array.from(second);
  if (factorize(lower, d, -alpha * alpha * energy) < d) return null;
  // L L^T = X^T X + alpha^2 I up to the rounding of the product and of Cholesky: a lower bound of sigma_min(L)^2.
  const smallest = alpha * alpha * energy - 4 * (T + d + 8) * Number.EPSILON * energy;
  if (!(smallest > 0)) return null;
  let frobenius = 0;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) frobenius += lower[i * d + j] ** 2;
  }
  const solved = solveRows(lower, rows, T, d);
  return normalised(independence, solved, alpha, Math.sqrt(smallest), Math.sqrt(frobenius));
}

function normalised(
  independence: Independence,
  mapped: Float64Array,
  alpha: number | null,
  smallestSigma: number,
  frobenius: number,
): Candidate {
  const { count: T, columns: d } = independence;
  const inverseSquares = new Float64Array(T);
  for (let i = 0; i < T; i++) {
    let sum = 0;
    for (let c = i * d; c < (i + 1) * d; c++) sum += mapped[c] * mapped[c];
    const norm = Math.sqrt(sum);
    inverseSquares[i] = 1 / sum;
    for (let c = i * d; c < (i + 1) * d; c++) mapped[c] /= norm;
  }
  inverseSquares.sort().reverse();
  const totals = new Float64Array(T + 1);
  for (let m = 1; m <= T; m++) totals[m] = totals[m - 1] + inverseSquares[m - 1];
  const solveError = 4 * (d + 8) * Number.EPSILON * frobenius;
  return {
    alpha,
    unit: mapped,
    slack(m) {
      const tau = independence.ratio(m) * independence.largestSigma(m);
      const slack = (tau * Math.sqrt(totals[Math.min(m, T)]) + m * solveError) / smallestSigma + cosineError(d);
      return Number.isNaN(slack) ? Infinity : slack;
    },
  };
}

/** How many rows a dependency needs at least, by cosines, in the worst sampled row and then on average. */
function score(independence: Independence, candidate: Candidate): { candidate: Candidate; score: number } {
  const { count: T, columns: d } = independence;
  const step = Math.max(1, Math.floor(T / SAMPLE));
  const sampled = Array.from({ length: Math.ceil(T / step) }, (_, i) => i * step);
  const some = gatherRows(candidate.unit, d, sampled);
  const cosines = cross(some, candidate.unit, sampled.length, T, d);
  let least = Infinity;
  let sum = 0;
  for (let i = 0; i < sampled.length; i++) {
    const needed = rowsNeeded(cosines.subarray(i * T, (i + 1) * T), sampled[i], candidate.slack);
    least = Math.min(least, needed);
    sum += needed;
  }
  return { candidate, score: least + sum / sampled.length / (T + 1) };
}

/** The fewest rows that a dependency led by row `leader` can have: its m - 1 largest cosines must reach 1 - slack(m). */
export function rowsNeeded(cosines: Float64Array, leader: number, slack: (m: number) => number): number {
  const magnitudes = cosines.map(Math.abs);
  magnitudes[leader] = 0;
  magnitudes.sort();
  let sum = 0;
  for (let m = 1; m <= magnitudes.length; m++) {
    if (m > 1) sum += magnitudes[magnitudes.length - (m - 1)];
    // Written so that NaN claims nothing.
    if (!(sum + slack(m) + m * ROUNDING < 1)) return m;
  }
  return magnitudes.length + 1;
}

function cosineError(d: number): number {
  return 2 * (d + 8) * Number.EPSILON;
}

/** A A^T, or A^T A, of the rows [T, d] in float64. */
function product(rows: Float64Array, shape: readonly [number, number], transposed: boolean): Float64Array {
  return inFloat64(() => {
    const a = toTensor(rows, shape) as tf.Tensor2D;
    return float64ValuesOf(transposed ? tf.matMul(a, a, true, false) : tf.matMul(a, a, false, true));
  });
}

function cross(a: Float64Array, b: Float64Array, m: number, n: number, d: number): Float64Array {
  return inFloat64(() => {
    const left = toTensor(a, [m, d]) as tf.Tensor2D;
    const right = toTensor(b, [n, d]) as tf.Tensor2D;
    return float64ValuesOf(tf.matMul(left, right, false, true));
  });
}

function float64ValuesOf(tensor: tf.Tensor): Float64Array {
  return valuesOf(tensor) as Float64Array;
}

/** L^-1 x for each of the T rows x. */
function solveRows(lower: Float64Array, rows: Float64Array, T: number, d: number): Float64Array {
  const solved = Float64Array.from(rows);
  for (let r = 0; r < T; r++) solveLower(lower, d, d, solved.subarray(r * d, (r + 1) * d));
  return solved;
}
