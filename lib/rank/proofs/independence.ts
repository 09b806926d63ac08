import { groupBy } from '../../statistics';
import { inFloat64, tf, toTensor, valuesOf } from '../../tensor';
import { batchSize, Gram } from './gram';
import { ranksFromGram } from './gram-eigenvalues';
import { LargestSingularValue } from './largest-singular-value';
import { Preconditioners } from './preconditioner';
import { choleskySlack, SMALLEST_TRACE } from './rounding';
import { hasZeroOrRepeatedRow, norm, type Rows } from './rows';
import { singularValuesOfSubsets } from './singular-values';
import { rankAt, relativeTolerance, type Rtol } from '../tolerance';

/**
 * What decided a verdict:
 * - `equal rows`: the subset holds a zero row or two equal rows;
 * - `interlacing`: sigma_k of a subset is at most sigma_k of all rows, and that is below the tolerance;
 * - `cholesky`: the shifted Gram has, or has not, a Cholesky factor;
 * - `inertia`: the same, by a factorization that counts the subset's rank;
 * - `preconditioned`: as `cholesky`, for the Gram of the rows after a common change of columns;
 * - `eigenvalues`: all eigenvalues of the Gram, where nothing cheaper bounds sigma_max closely enough;
 * - `svd`: none of these could tell, so the singular values themselves were computed.
 *
 * All but the last are proofs, rounding included; the last is as sharp as float64's SVD is.
 */
export type Method = 'equal rows' | 'interlacing' | 'cholesky' | 'inertia' | 'preconditioned' | 'eigenvalues' | 'svd';

export interface Verdict {
  /** Whether the smallest singular value is strictly greater than the tolerance times the largest. */
  readonly independent: boolean;
  readonly method: Method;
  /** The subset's singular values, where they had to be computed. */
  readonly singularValues: Float64Array | null;
}

/** Subsets that are judged together: enough to share the large matrix products, few enough to yield often. */
export const JUDGED_TOGETHER = 64;
/** A method that decides fewer than this is left out. */
const WORTH_TRYING = 0.05;
/** Distance from the tolerance, relative, within which a singular value is called near to it. */
export const NEAR = 1e-6;

/** What a factorization says of the first rows of an order, at the tolerance of so many of them as were guessed. */
export interface ProvedPrefixes {
  /**
   * How many are independent: the most from `from` to `to`, or 0 where `from` are not. Up to the guess that is proved at
   * their own tolerances, which are smaller; beyond, more could not be proved at their own.
   */
  independent: number;
  /** Whether one row more is proved to be dependent, at its own tolerance. */
  nextDependent: boolean;
}

/** A subset that is being judged. */
interface Candidate {
  readonly subset: Int32Array;
  /** trace of its Gram. */
  readonly trace: number;
  /** What rounding may move an eigenvalue of its Gram by. */
  readonly slack: number;
  /** A proved interval of the squared tolerance, tol^2 sigma_max^2. */
  low: number;
  high: number;
  verdict: Verdict | null;
}

/**
 * Judges whether subsets of rows are linearly independent at a tolerance relative to the largest singular value of each
 * subset. The verdict on a subset depends on its rows alone; which method gave it may depend on what was judged before,
 * because a method that keeps failing is left out, and the one that decided most is tried first.
 */
export class IndependenceTest {
  private gramOfRows: Gram | null = null;
  private largest: LargestSingularValue | null = null;
  private readonly preconditioners: Preconditioners;
  private readonly attempts = new Map<string, { tried: number; decided: number }>();
  /** How many of a dependent subset's rows usually suffice to show it, as a share of k. */
  private failingShare = 1;
  /** What most of the subsets were that were judged last. */
  private lastMostly: 'independent' | 'dependent' = 'independent';

  constructor(
    readonly rows: Rows,
    readonly rtol: Rtol,
  ) {
    this.preconditioners = new Preconditioners(rows);
  }

  get gram(): Gram {
    return (this.gramOfRows ??= new Gram(this.rows.values, this.rows.count, this.rows.columns));
  }

  get largestSingularValue(): LargestSingularValue {
    return (this.largest ??= new LargestSingularValue(this.rows));
  }

  /** The ratio to sigma_max that counts as zero for k rows. */
  tolerance(k: number): number {
    return relativeTolerance(this.rtol, k, this.rows.columns);
  }

  /**
   * Judges subsets of one size k <= d. The order of a subset's rows has no influence on its verdict. `expected` only says
   * which proof to try first; `byCount` proves some of them dependent in the course of other work that is wanted.
   */
  judge(
    subsets: readonly Int32Array[],
    expected: 'independent' | 'dependent' | 'as before' = 'as before',
    byCount?: (subsets: readonly Int32Array[]) => readonly boolean[],
  ): Verdict[] {
    const candidates = subsets.map((subset) => this.candidate(subset));
    const usable = this.withoutEqualRows(candidates).filter(({ trace }) => trace >= SMALLEST_TRACE);
    const bracketed = (closeness: 'roughly' | 'closely') =>
      this.withoutInterlacing(this.bracket(usable.filter(isOpen), closeness));
    const likely = expected === 'as before' ? this.lastMostly : expected;
    if (likely === 'dependent') {
      const open = bracketed('roughly');
      const proved = byCount?.(open.map(({ subset }) => subset)) ?? [];
      proved.forEach((isProved, i) => {
        if (isProved) open[i].verdict = verdict(false, 'inertia');
      });
      this.proveDependentByFew(open.filter(isOpen));
    } else {
      this.proveIndependent(this.isLarge(subsets) ? bracketed('roughly') : this.bracket(usable, 'byTraces'));
    }
    // What the likely proof leaves is mostly the other way round; sigma_max is now worth knowing closely.
    const left = bracketed('closely');
    if (likely === 'independent') this.proveDependent(left);
    this.proveIndependent(left.filter(isOpen));
    if (likely === 'dependent') this.proveDependent(left.filter(isOpen));
    this.byEigenvalues(usable.filter(isOpen));
    this.bySvd(candidates.filter(isOpen));
    const verdicts = candidates.map(({ verdict }) => verdict!);
    if (expected === 'as before') {
      const dependent = verdicts.filter(({ independent }) => !independent).length;
      this.lastMostly = 2 * dependent > verdicts.length ? 'dependent' : 'independent';
    }
    return verdicts;
  }

  /** What one factorization of each order's rows, made with the tolerance of its first `guesses[i]`, says of its prefixes. */
  provedPrefixes(
    orders: readonly Int32Array[],
    guesses: readonly number[],
    from: number,
    to: number,
  ): ProvedPrefixes[] {
    const candidates = orders.map((order, i) => this.candidate(order.subarray(0, guesses[i])));
    const proved = orders.map((): ProvedPrefixes => ({ independent: 0, nextDependent: false }));
    const usable = Array.from(candidates.keys()).filter((i) => candidates[i].trace >= SMALLEST_TRACE);
    if (usable.length === 0) return proved;
    const open = this.bracket(
      usable.map((i) => candidates[i]),
      'closely',
    );
    if (isBlind(open)) {
      for (const group of groupBy(open, ({ subset }) => subset.length).values()) {
        this.proveIndependent(this.withoutInterlacing(group));
      }
      for (const i of usable) if (candidates[i].verdict?.independent) proved[i].independent = guesses[i];
      return proved;
    }
    const size = batchSize(to);
    for (let start = 0; start < usable.length; start += size) {
      const batch = usable.slice(start, start + size);
      const arranged = batch.map((i) => leadingAscending(orders[i].subarray(0, to), from));
      const shifts = batch.map((i) => shiftToProve(candidates[i]));
      const found = this.gram.longestFactors(arranged, shifts, from, to);
      const dependent = this.dependentBy(
        arranged,
        found.map(({ weights }) => weights),
        batch.map((i) => candidates[i].low),
      );
      batch.forEach((i, place) => {
        const { length } = found[place];
        proved[i] = { independent: length, nextDependent: length + 1 >= guesses[i] && dependent[place] };
      });
    }
    return proved;
  }

  /**
   * Whether a combination of rows is so short that it proves them dependent: sigma_min <= ||S^T v|| / ||v||. `bounds` are
   * lower bounds of their squared tolerances.
   */
  private dependentBy(
    orders: readonly Int32Array[],
    weights: readonly (Float64Array | null)[],
    bounds: readonly number[],
  ): boolean[] {
    const { count, columns, values } = this.rows;
    const spread = new Float64Array(orders.length * count);
    weights.forEach((own, index) => {
      own?.forEach((weight, i) => (spread[index * count + orders[index][i]] = weight));
    });
    const combined = inFloat64(() => {
      const all = toTensor(values, [count, columns]) as tf.Tensor2D;
      return valuesOf(tf.matMul(toTensor(spread, [orders.length, count]) as tf.Tensor2D, all));
    });
    return weights.map((own, index) => {
      if (own === null) return false;
      const length = norm(own);
      // Rounding of sums of `count` products, and of the norms.
      const error = (count + columns + 8) * 2 ** -53 * Math.sqrt(this.gram.trace(orders[index], own.length));
      const ratio = norm(combined.subarray(index * columns, (index + 1) * columns)) / length + error;
      return (ratio * (1 + 1e-12)) ** 2 < bounds[index] * (1 - 2.1 * NEAR);
    });
  }

  private candidate(subset: Int32Array): Candidate {
    let trace = 0;
    for (const row of subset) trace += this.rows.squaredNorms[row];
    const slack = choleskySlack(this.rows.columns, subset.length, trace);
    return { subset, trace, slack, low: 0, high: Infinity, verdict: null };
  }

  private bracket(
    candidates: readonly Candidate[],
    closeness: 'byTraces' | 'roughly' | 'closely',
  ): readonly Candidate[] {
    if (candidates.length === 0) return candidates;
    const subsets = candidates.map(({ subset }) => subset);
    const traces = candidates.map(({ trace }) => trace);
    const { low, high } = this.largestSingularValue[closeness](subsets, traces);
    candidates.forEach((candidate, i) => {
      const squared = this.tolerance(candidate.subset.length) ** 2;
      candidate.low = squared * low[i];
      candidate.high = squared * high[i];
    });
    return candidates;
  }

  private withoutEqualRows(candidates: readonly Candidate[]): readonly Candidate[] {
    for (const candidate of candidates) {
      if (hasZeroOrRepeatedRow(this.rows, candidate.subset)) candidate.verdict = verdict(false, 'equal rows');
    }
    return candidates.filter(isOpen);
  }

  /** Smaller ones are mostly independent, and factorized in less time than the spectrum of all rows takes. */
  private isLarge(subsets: readonly Int32Array[]): boolean {
    return subsets.length > 0 && subsets[0].length > Math.min(this.rows.count, this.rows.columns) / 2;
  }

  private withoutInterlacing(candidates: readonly Candidate[]): readonly Candidate[] {
    if (candidates.length === 0) return candidates;
    const kth = this.largestSingularValue.squaredSpectrum[candidates[0].subset.length - 1];
    for (const candidate of candidates) if (kth <= candidate.low) candidate.verdict = verdict(false, 'interlacing');
    return candidates.filter(isOpen);
  }

  /** Where the Gram is blind, what decides more of the subsets is tried first: a Cholesky of either Gram costs the same. */
  private proveIndependent(open: readonly Candidate[]): void {
    if (open.length === 0) return;
    const k = open[0].subset.length;
    if (!isBlind(open)) return this.byCholesky(open, k);
    const byCholesky = () => this.byCholesky(open.filter(isOpen), k);
    const preconditioned = () => this.byPreconditioner(open.filter(isOpen), k);
    const order =
      this.successes('preconditioned', k) > this.successes('cholesky', k)
        ? [preconditioned, byCholesky]
        : [byCholesky, preconditioned];
    for (const prove of order) prove();
  }

  private byCholesky(open: readonly Candidate[], k: number): void {
    if (open.length === 0 || (isBlind(open) && this.successes('cholesky', k) < WORTH_TRYING)) return;
    const factors = this.factor(open, shiftToProve);
    open.forEach((candidate, i) => {
      if (factors[i] === 1) candidate.verdict = verdict(true, 'cholesky');
    });
    this.note('cholesky', k, open);
  }

  private byPreconditioner(open: readonly Candidate[], k: number): void {
    if (open.length === 0 || this.successes('preconditioned', k) < WORTH_TRYING) return;
    const preconditioner = this.preconditioners.forSubsetsOf(k);
    if (preconditioner === null) return;
    const proved = preconditioner.proves(
      open.map(({ subset }) => subset),
      open.map(({ high }) => Math.sqrt(high)),
    );
    open.forEach((candidate, i) => {
      if (proved[i] === 1) candidate.verdict = verdict(true, 'preconditioned');
    });
    this.note('preconditioned', k, open);
  }

  /** By a Gram, of all rows or of the first `size`, that has an eigenvalue below the squared tolerance. */
  private proveDependent(open: readonly Candidate[], size?: number): void {
    const able = open.filter(canFail);
    const factors = this.factor(able, ({ low, slack }) => low - slack, size);
    able.forEach((candidate, i) => {
      if (factors[i] === 0) candidate.verdict = verdict(false, 'cholesky');
    });
  }

  /**
   * If the Gram of the first few rows has such an eigenvalue then so has the whole (eigenvalues interlace), so fewer rows
   * are tried first where most subsets are dependent, and it is learned how many suffice.
   */
  private proveDependentByFew(open: readonly Candidate[]): void {
    const able = open.filter(canFail);
    if (able.length === 0) return;
    const k = able[0].subset.length;
    const few = Math.max(1, Math.ceil(k * this.failingShare));
    this.proveDependent(able, few);
    const left = able.filter(isOpen);
    if (left.length <= 0.1 * able.length) this.failingShare = Math.max(0.05, this.failingShare * 0.85);
    else if (left.length > 0.3 * able.length) this.failingShare = Math.min(1, this.failingShare * 1.08);
    if (few < k) this.proveDependent(left);
  }

  /** Where they cannot tell, sigma_max is at least known from them, and a Cholesky tells finer than they do. */
  private byEigenvalues(open: readonly Candidate[]): void {
    if (open.length === 0 || isBlind(open)) return;
    const k = open[0].subset.length;
    const squared = this.tolerance(k) ** 2;
    const found = ranksFromGram(
      this.gram,
      open.map(({ subset }) => subset),
      this.tolerance(k),
    );
    open.forEach((candidate, i) => {
      const { rank, largest } = found[i];
      if (rank !== null) candidate.verdict = verdict(rank === k, 'eigenvalues');
      [candidate.low, candidate.high] = largest.map((value) => squared * value);
    });
    this.proveIndependent(open.filter(isOpen));
    this.proveDependent(open.filter(isOpen));
  }

  private bySvd(open: readonly Candidate[]): void {
    const spectra = singularValuesOfSubsets(
      this.rows,
      open.map(({ subset }) => subset),
    );
    open.forEach((candidate, i) => {
      const { length } = candidate.subset;
      const independent = rankAt(spectra[i], this.tolerance(length)) === length;
      candidate.verdict = { independent, method: 'svd', singularValues: spectra[i] };
    });
  }

  private factor(open: readonly Candidate[], shift: (candidate: Candidate) => number, size?: number): Uint8Array {
    return this.gram.factors(
      open.map(({ subset }) => subset),
      open.map(shift),
      size,
    );
  }

  private note(method: Method, k: number, tried: readonly Candidate[]): void {
    const attempts = this.attemptsWith(method, k);
    attempts.tried += tried.length;
    attempts.decided += tried.length - tried.filter(isOpen).length;
  }

  /** The share of k-subsets that a method could decide; 1 until it has been tried on some. */
  private successes(method: Method, k: number): number {
    const { tried, decided } = this.attemptsWith(method, k);
    return tried < 16 ? 1 : decided / tried;
  }

  private attemptsWith(method: Method, k: number): { tried: number; decided: number } {
    const key = `${method} ${k}`;
    const attempts = this.attempts.get(key) ?? { tried: 0, decided: 0 };
    this.attempts.set(key, attempts);
    return attempts;
  }
}

const isOpen = ({ verdict }: Candidate) => verdict === null;

/** Whether a factorization that fails would prove anything, rounding considered. */
const canFail = ({ low, slack }: Candidate) => low > slack;

/** A Gram that minus this has a Cholesky factor proves independence, beyond what counts as near to the tolerance. */
const shiftToProve = ({ high, slack }: Candidate) => high * (1 + 2.1 * NEAR) + slack;

/** In ascending order inner products are found along rows of memory. */
function leadingAscending(order: Int32Array, leading: number): Int32Array {
  const arranged = order.slice();
  arranged.subarray(0, leading).sort();
  return arranged;
}

/** Whether a float64 Gram is too coarse for the tolerance: success may still prove more than was asked, failure nothing. */
const isBlind = (open: readonly Candidate[]) => open.every(({ high, slack }) => high < 4 * slack);

function verdict(independent: boolean, method: Method): Verdict {
  return { independent, method, singularValues: null };
}
