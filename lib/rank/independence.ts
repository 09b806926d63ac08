import { batchSize, Gram } from './gram';
import { ranksFromGram } from './gram-eigenvalues';
import { LargestSingularValue } from './largest-singular-value';
import { Preconditioners } from './preconditioner';
import { choleskySlack, SMALLEST_TRACE } from './rounding';
import { hasZeroOrRepeatedRow, type Rows } from './rows';
import { singularValuesOfSubsets } from './singular-values';
import { rankAt, relativeTolerance, type Rtol } from './tolerance';

/**
 * What decided a verdict:
 * - `equal rows`: the subset holds a zero row or two equal rows;
 * - `interlacing`: sigma_k of a subset is at most sigma_k of all rows, and that is below the tolerance;
 * - `cholesky`: the shifted Gram has, or has not, a Cholesky factor;
 * - `preconditioned`: the same for the Gram of the rows after a common change of columns;
 * - `eigenvalues`: all eigenvalues of the Gram, where nothing cheaper bounds sigma_max closely enough;
 * - `svd`: none of these could tell, so the singular values themselves were computed.
 *
 * All but the last are proofs, rounding included; the last is as sharp as float64's SVD is.
 */
export type Method = 'equal rows' | 'interlacing' | 'cholesky' | 'preconditioned' | 'eigenvalues' | 'svd';

export interface Verdict {
  /** Whether the smallest singular value is strictly greater than the tolerance times the largest. */
  readonly independent: boolean;
  readonly method: Method;
  /** The subset's singular values, where they had to be computed. */
  readonly singularValues: Float64Array | null;
}

/** Subsets that are judged together: enough to share the large matrix products, few enough to yield often. */
export const JUDGED_TOGETHER = 64;
/** Distance from the tolerance, relative, within which a singular value is called near to it. */
export const NEAR = 1e-6;

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
   * which proof to try first.
   */
  judge(subsets: readonly Int32Array[], expected: 'independent' | 'dependent' | 'as before' = 'as before'): Verdict[] {
    const candidates = subsets.map((subset) => this.candidate(subset));
    const usable = this.withoutEqualRows(candidates).filter(({ trace }) => trace >= SMALLEST_TRACE);
    const dependentFirst = expected === 'dependent' || (expected === 'as before' && this.failingShare < 1);
    for (const closeness of ['roughly', 'closely'] as const) {
      const open = this.withoutInterlacing(this.bracket(usable.filter(isOpen), closeness));
      if (open.length === 0) break;
      if (isBlind(open)) {
        this.proveIndependent(open);
        break;
      }
      if (dependentFirst) this.proveDependent(open);
      this.proveIndependent(open.filter(isOpen));
      if (!dependentFirst) this.proveDependent(open.filter(isOpen));
    }
    this.byEigenvalues(usable.filter(isOpen));
    this.bySvd(candidates.filter(isOpen));
    return candidates.map(({ verdict }) => verdict!);
  }

  /**
   * For each subset, 1 where it is proved to be independent by the cheap methods; 0 where it is dependent, or so near to it
   * that only `judge` can tell.
   */
  provedIndependent(subsets: readonly Int32Array[]): Uint8Array {
    const candidates = subsets.map((subset) => this.candidate(subset));
    const usable = this.withoutEqualRows(candidates).filter(({ trace }) => trace >= SMALLEST_TRACE);
    this.proveIndependent(this.withoutInterlacing(this.bracket(usable, 'closely')));
    return Uint8Array.from(candidates, ({ verdict }) => (verdict?.independent ? 1 : 0));
  }

  private candidate(subset: Int32Array): Candidate {
    let trace = 0;
    for (const row of subset) trace += this.rows.squaredNorms[row];
    const slack = choleskySlack(this.rows.columns, subset.length, trace);
    return { subset, trace, slack, low: 0, high: Infinity, verdict: null };
  }

  private bracket(candidates: readonly Candidate[], closeness: 'roughly' | 'closely'): readonly Candidate[] {
    if (candidates.length === 0) return candidates;
    const subsets = candidates.map(({ subset }) => subset);
    const traces = candidates.map(({ trace }) => trace);
    const squared = this.tolerance(subsets[0].length) ** 2;
    const { low, high } = this.largestSingularValue[closeness](subsets, traces);
    candidates.forEach((candidate, i) => {
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
    const share = (method: Method) => {
      const { tried, decided } = this.attempts.get(`${method} ${k}`) ?? { tried: 0, decided: 0 };
      return tried < 16 ? 1 : decided / tried;
    };
    const byCholesky = () => this.byCholesky(open.filter(isOpen), k);
    const preconditioned = () => this.byPreconditioner(open.filter(isOpen), k);
    const order =
      share('preconditioned') > share('cholesky') ? [preconditioned, byCholesky] : [byCholesky, preconditioned];
    for (const prove of order) prove();
  }

  private byCholesky(open: readonly Candidate[], k: number): void {
    if (open.length === 0 || (isBlind(open) && !this.worthTrying('cholesky', k))) return;
    const factors = this.factor(open, ({ high, slack }) => high * (1 + 2.1 * NEAR) + slack);
    open.forEach((candidate, i) => {
      if (factors[i] === 1) candidate.verdict = verdict(true, 'cholesky');
    });
    this.note('cholesky', k, open);
  }

  private byPreconditioner(open: readonly Candidate[], k: number): void {
    if (open.length === 0 || !this.worthTrying('preconditioned', k)) return;
    const preconditioner = this.preconditioners.forSubsetsOf(k);
    if (preconditioner === null) return;
    const proved = inBatches(open, (batch) =>
      preconditioner.proves(
        batch.map(({ subset }) => subset),
        batch.map(({ high }) => Math.sqrt(high)),
      ),
    );
    open.forEach((candidate, i) => {
      if (proved[i] === 1) candidate.verdict = verdict(true, 'preconditioned');
    });
    this.note('preconditioned', k, open);
  }

  /**
   * By a Gram that has an eigenvalue below the squared tolerance. If the Gram of the first few rows has one then so has the
   * whole (eigenvalues interlace), so fewer rows are tried first once it is known how many usually suffice.
   */
  private proveDependent(open: readonly Candidate[]): void {
    const able = open.filter(({ low, slack }) => low > slack);
    if (able.length === 0) return;
    const k = able[0].subset.length;
    const few = Math.max(1, Math.ceil(k * this.failingShare));
    const attempt = (size: number): number => {
      const tried = able.filter(isOpen);
      const factors = this.factor(tried, ({ low, slack }) => low - slack, size);
      tried.forEach((candidate, i) => {
        if (factors[i] === 0) candidate.verdict = verdict(false, 'cholesky');
      });
      return tried.length - tried.filter(isOpen).length;
    };
    const decided = attempt(few);
    if (few < k) attempt(k);
    if (decided >= 0.9 * able.length) this.failingShare = Math.max(0.05, this.failingShare * 0.93);
    else if (decided < 0.7 * able.length) this.failingShare = Math.min(1, this.failingShare * 1.08);
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
    return inBatches(open, (batch) =>
      this.gram.factors(
        batch.map(({ subset }) => subset),
        batch.map(shift),
        size,
      ),
    );
  }

  private note(method: Method, k: number, tried: readonly Candidate[]): void {
    const before = this.attempts.get(`${method} ${k}`) ?? { tried: 0, decided: 0 };
    const decided = tried.length - tried.filter(isOpen).length;
    this.attempts.set(`${method} ${k}`, { tried: before.tried + tried.length, decided: before.decided + decided });
  }

  private worthTrying(method: Method, k: number): boolean {
    const record = this.attempts.get(`${method} ${k}`);
    return record === undefined || record.tried < 16 || record.decided > 0.05 * record.tried;
  }
}

const isOpen = ({ verdict }: Candidate) => verdict === null;

/** Whether a float64 Gram is too coarse for the tolerance: success may still prove more than was asked, failure nothing. */
const isBlind = (open: readonly Candidate[]) => open.every(({ high, slack }) => high < 4 * slack);

function verdict(independent: boolean, method: Method): Verdict {
  return { independent, method, singularValues: null };
}

function inBatches(open: readonly Candidate[], run: (batch: readonly Candidate[]) => Uint8Array): Uint8Array {
  const results = new Uint8Array(open.length);
  if (open.length === 0) return results;
  const size = batchSize(open[0].subset.length);
  for (let start = 0; start < open.length; start += size) {
    results.set(run(open.slice(start, start + size)), start);
  }
  return results;
}
