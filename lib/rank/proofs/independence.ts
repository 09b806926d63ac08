import { decideExactly } from '../exact/decide';
import type { LinearIndependence } from '../exact/linear-independence';
import { relativeTolerance, type Rtol } from '../tolerance';
import type { ColumnInertia } from './column-inertia';
import { shortestSquares } from './combination';
import { Congruence, orthonormalizer } from './congruence';
import { Gram } from './gram';
import { bracketsNear, LargestSingularValue, tightBrackets, type Brackets } from './largest-singular-value';
import { Preconditioners } from './preconditioner';
import {
  canFail,
  CLOSENESS,
  isBlind,
  isOpen,
  settled,
  shiftToProve,
  type Candidate,
  type Closeness,
  type Proof,
  type Verdict,
} from './proof';
import { choleskySlack, nearness, SMALLEST_TRACE } from './rounding';
import { gatherRows, hasZeroOrRepeatedRow, type Rows } from './rows';
import { judgeByGram } from './single-set';

/** Subsets that are judged together: enough to share the large matrix products, few enough to yield often. */
export const JUDGED_TOGETHER = 64;
/** A proof that decides fewer than this is left out. */
const WORTH_TRYING = 0.05;
/** Up to so many rows double-double takes a millisecond or two, and nothing between it and a Cholesky is worth its calls. */
const FEW_ROWS = 24;
/** k^2 (k + d) beyond which double-double would take minutes. */
const MOST_IN_DOUBLE_DOUBLE = 4e9;
/** Above this tolerance three slices of a product are as good as four. */
const COARSE = 1e-9;

/**
 * Judges whether subsets of rows are linearly independent at a tolerance relative to the largest singular value of each
 * subset. The verdict on a subset depends on its rows alone; which method gave it may depend on what was judged before,
 * because a proof that keeps failing is left out, and the one that decided most is tried first.
 */
export class IndependenceTest {
  private gramOfRows: Gram | null = null;
  private largest: LargestSingularValue | null = null;
  private readonly preconditioners: Preconditioners;
  private readonly attempts = new WeakMap<Proof, Map<number, { tried: number; decided: number }>>();
  /** How many of a dependent subset's rows usually suffice to show it, as a share of k. */
  private failingShare = 1;
  /** What most of the subsets were that were judged last. */
  private lastMostly: 'independent' | 'dependent' = 'independent';

  /**
   * With `exactly`, rows are judged to be independent without a tolerance: those that are so at `rtol`, which has to be above
   * what `rows` are rounded by, and those that `exactly` finds to be.
   */
  constructor(
    readonly rows: Rows,
    readonly rtol: Rtol,
    private readonly exactly: LinearIndependence | null = null,
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
   * Judges subsets of one size. The order of a subset's rows has no influence on its verdict. `expected` only says which
   * proof to try first; `byCount` proves some of them dependent in the course of other work that is wanted.
   */
  judge(
    subsets: readonly Int32Array[],
    expected: 'independent' | 'dependent' | 'as before' = 'as before',
    byCount?: (subsets: readonly Int32Array[]) => readonly boolean[],
  ): Verdict[] {
    if (subsets.length === 0) return [];
    const candidates = subsets.map((subset) => this.candidate(subset));
    const likely = expected === 'as before' ? this.lastMostly : expected;
    for (const proof of this.plan(likely, subsets[0].length, byCount)) this.attempt(proof, candidates);
    const verdicts = candidates.map(({ verdict }) => verdict!);
    if (expected === 'as before') {
      const dependent = verdicts.filter(({ independent }) => independent === false).length;
      this.lastMostly = 2 * dependent > verdicts.length ? 'dependent' : 'independent';
    }
    return verdicts;
  }

  /** The verdict on one set of any size, its rows in any order: without a call into TensorFlow where its Gram decides. */
  judgeOne(set: ArrayLike<number>): Verdict {
    const candidates = [this.candidate(Int32Array.from(set).sort())];
    const { definition, equalRows, choleskyOfOne, independentOne } = this;
    const quick = this.exactly ? [definition, independentOne] : [definition, equalRows, choleskyOfOne];
    for (const proof of quick) this.attempt(proof, candidates);
    if (isOpen(candidates[0])) {
      const last = this.exactly ? this.modular : this.exact;
      const rest = set.length <= FEW_ROWS ? [last] : this.plan('independent', set.length);
      for (const proof of rest) this.attempt(proof, candidates);
    }
    return candidates[0].verdict!;
  }

  /** What is tried, in this order, on what the proofs before left open. Smaller subsets are mostly independent. */
  private plan(
    likely: 'independent' | 'dependent',
    k: number,
    byCount?: (subsets: readonly Int32Array[]) => readonly boolean[],
  ): readonly Proof[] {
    const { definition, equalRows, cholesky, preconditioned, inverse, failing, combination, exact } = this;
    // A Cholesky of either Gram costs the same: what decides more of the subsets is tried first.
    const independent =
      this.successes(preconditioned, k) > this.successes(cholesky, k)
        ? [preconditioned, cholesky, inverse]
        : [cholesky, preconditioned, inverse];
    if (this.exactly) return [definition, ...independent, this.modular];
    const [roughly, closely] = [this.interlacing('roughly'), this.interlacing('closely')];
    const isLarge = k > Math.min(this.rows.count, this.rows.columns) / 2;
    const first =
      likely === 'dependent'
        ? [roughly, ...(byCount ? [inertia(byCount)] : []), this.failingByFew, combination]
        : [...(isLarge ? [roughly] : []), ...independent];
    // What the likely proof leaves is mostly the other way round; sigma_max is now worth knowing closely.
    const second = likely === 'dependent' ? [...independent, failing] : [failing, combination, ...independent];
    const last = k <= FEW_ROWS ? [] : [this.tightFailing, this.tightCholesky, combination, this.congruence];
    return [definition, equalRows, ...first, closely, ...second, ...last, exact];
  }

  /** Gives verdicts to those of some candidates, all of one size, that are open and that a proof can decide. */
  attempt(proof: Proof, candidates: readonly Candidate[]): void {
    const { needs } = proof;
    const open = candidates.filter(({ verdict, trace }) => verdict === null && (!needs || trace >= SMALLEST_TRACE));
    if (open.length === 0) return;
    if (needs) this.bracket(open, needs);
    const able = proof.able(open);
    if (able.length === 0) return;
    const found = proof.decide(able);
    able.forEach((candidate, i) => {
      const decided = found[i];
      if (decided === null) return;
      candidate.verdict =
        typeof decided === 'boolean' ? { independent: decided, method: proof.method, within: null } : decided;
    });
    const attempts = this.attemptsWith(proof, able[0].subset.length);
    attempts.tried += able.length;
    attempts.decided += able.length - able.filter(isOpen).length;
  }

  candidate(subset: Int32Array): Candidate {
    let trace = 0;
    for (const row of subset) trace += this.rows.squaredNorms[row];
    const slack = choleskySlack(this.rows.columns, subset.length, trace);
    const near = nearness(this.tolerance(subset.length), subset.length);
    return { subset, trace, slack, near, low: 0, high: Infinity, closeness: null, shortest: Infinity, verdict: null };
  }

  /** Brackets sigma_max of those of which it is not known so closely yet. */
  bracket(candidates: readonly Candidate[], closeness: Closeness): void {
    const wanted = CLOSENESS.indexOf(closeness);
    const vague = candidates.filter(({ closeness: known }) => known === null || CLOSENESS.indexOf(known) < wanted);
    if (vague.length === 0) return;
    const [subsets, traces] = [vague.map(({ subset }) => subset), vague.map(({ trace }) => trace)];
    this.narrow(vague, this.brackets(subsets, traces, closeness), closeness);
  }

  /** Brackets sigma_max tightly where the singular values of each are known, unproved, up to a common factor. */
  bracketNear(candidates: readonly Candidate[], spectra: readonly Float64Array[]): void {
    if (candidates.length === 0) return;
    const [subsets, traces] = [candidates.map(({ subset }) => subset), candidates.map(({ trace }) => trace)];
    const tops = spectra.map((values, i) => {
      const squares = values.reduce((sum, value) => sum + value * value, 0);
      return (traces[i] * values[0] ** 2) / squares;
    });
    this.narrow(candidates, bracketsNear(this.gram, subsets, traces, tops), 'tightly');
  }

  private narrow(candidates: readonly Candidate[], { low, high }: Brackets, closeness: Closeness): void {
    candidates.forEach((candidate, i) => {
      const squared = this.tolerance(candidate.subset.length) ** 2;
      candidate.low = Math.max(candidate.low, squared * low[i]);
      candidate.high = Math.min(candidate.high, squared * high[i]);
      candidate.closeness = closeness;
    });
  }

  private brackets(subsets: readonly Int32Array[], traces: readonly number[], closeness: Closeness): Brackets {
    if (closeness === 'tightly') return tightBrackets(this.gram, subsets, traces);
    return this.largestSingularValue[closeness](subsets, traces);
  }

  private readonly definition: Proof = {
    method: 'definition',
    able: (open) => {
      const k = open[0].subset.length;
      return k > this.rows.columns || this.tolerance(k) >= 1 ? open : [];
    },
    decide: settled(false),
  };

  private readonly equalRows: Proof = {
    method: 'equal rows',
    able: (open) => open.filter(({ subset }) => hasZeroOrRepeatedRow(this.rows, subset)),
    decide: settled(false),
  };

  interlacing(needs: 'roughly' | 'closely'): Proof {
    return {
      method: 'interlacing',
      needs,
      able: (open) => {
        const k = open[0].subset.length;
        const ofGram = this.largestSingularValue.squaredSpectrum[k - 1];
        const kth = isBlind(open)
          ? Math.min(ofGram, this.columnInertia(k)?.squaredSpectrum[k - 1] ?? Infinity)
          : ofGram;
        return open.filter(({ low }) => kth <= low);
      },
      decide: settled(false),
    };
  }

  /** A Gram that minus a shift above the squared tolerance has a Cholesky factor proves independence. */
  readonly cholesky: Proof = {
    method: 'cholesky',
    needs: 'byTraces',
    able: (open) => (isBlind(open) && this.isVain(this.cholesky, open) ? [] : open),
    decide: (able) => Array.from(this.factor(able, shiftToProve), (passed) => passed === 1 || null),
  };

  /** Where the Gram is blind. */
  readonly preconditioned: Proof = {
    method: 'preconditioned',
    needs: 'byTraces',
    able: (open) => (!isBlind(open) || this.isVain(this.preconditioned, open) ? [] : open),
    decide: (able) => this.byPreconditioner(able, 'proves'),
  };

  /** The same with twice the work. */
  readonly inverse: Proof = {
    ...this.preconditioned,
    able: (open) => (!isBlind(open) || this.isVain(this.inverse, open) ? [] : open),
    decide: (able) => this.byPreconditioner(able, 'provesByInverse'),
  };

  private byPreconditioner(able: readonly Candidate[], proof: 'proves' | 'provesByInverse'): (boolean | null)[] {
    const preconditioner = this.preconditioners.forSubsetsOf(able[0].subset.length);
    if (preconditioner === null) return able.map(() => null);
    const proved = preconditioner[proof](
      able.map(({ subset }) => subset),
      able.map(({ high, near }) => Math.sqrt(high) * (1 + near)),
    );
    return Array.from(proved, (passed) => passed === 1 || null);
  }

  /** Counts of singular values above the tolerance of k rows where the Gram is blind; null where there are too few rows. */
  columnInertia(k: number): ColumnInertia | null {
    return k > FEW_ROWS ? this.preconditioners.columnInertia(this.tolerance(k)) : null;
  }

  /** A Gram that minus a shift below the squared tolerance has no Cholesky factor proves dependence. */
  private readonly failing: Proof = {
    method: 'cholesky',
    needs: 'roughly',
    able: (open) => open.filter(canFail),
    decide: (able) => this.fails(able),
  };

  /**
   * If the Gram of the first few rows has such an eigenvalue then so has the whole (eigenvalues interlace), so fewer rows
   * are tried first where most subsets are dependent, and it is learned how many suffice.
   */
  private readonly failingByFew: Proof = {
    ...this.failing,
    decide: (able) => {
      const k = able[0].subset.length;
      const few = Math.max(1, Math.ceil(k * this.failingShare));
      const found = this.fails(able, few);
      const left = Array.from(found.keys()).filter((i) => found[i] === null);
      if (left.length <= 0.1 * able.length) this.failingShare = Math.max(0.05, this.failingShare * 0.85);
      else if (left.length > 0.3 * able.length) this.failingShare = Math.min(1, this.failingShare * 1.08);
      if (few === k || left.length === 0) return found;
      this.fails(left.map((i) => able[i])).forEach((fails, place) => (found[left[place]] = fails));
      return found;
    },
  };

  /** Both ways at once, for a single set. */
  private readonly choleskyOfOne: Proof = {
    method: 'cholesky',
    able: (open) => open,
    decide: (able) => able.map(({ subset }) => judgeByGram(this.gram, subset, this.tolerance(subset.length))),
  };

  /** Half of it: without a tolerance, rows may be independent that are not so at one. */
  private readonly independentOne: Proof = {
    ...this.choleskyOfOne,
    decide: (able) => Array.from(this.choleskyOfOne.decide(able), (independent) => independent || null),
  };

  /** Where the Gram is blind. What was found once is compared again when sigma_max is known more closely. */
  private readonly combination: Proof = {
    method: 'combination',
    needs: 'roughly',
    able: (open) => {
      const few = open[0].subset.length <= FEW_ROWS;
      return few || !isBlind(open) || this.isVain(this.combination, open) ? [] : open;
    },
    decide: (able) => {
      const fresh = able.filter(({ shortest }) => shortest === Infinity);
      if (fresh.length > 0) {
        const [subsets, slacks] = [fresh.map(({ subset }) => subset), fresh.map(({ slack }) => slack)];
        const wanted = fresh.map(({ low }) => low);
        const squares = shortestSquares(this.gram, this.rows, subsets, slacks, wanted);
        fresh.forEach((candidate, i) => (candidate.shortest = squares[i]));
      }
      return able.map(({ shortest, low }) => (shortest < low ? false : null));
    },
  };

  /** The same with sigma_max known as closely as a Cholesky factorization tells, which takes a few of them. */
  private readonly tightCholesky: Proof = { ...this.cholesky, needs: 'tightly' };
  private readonly tightFailing: Proof = { ...this.failing, needs: 'tightly' };

  private readonly congruence: Proof = {
    method: 'congruence',
    needs: 'tightly',
    able: (open) => open,
    decide: (able) =>
      able.map(({ subset, low, high }) => {
        const [k, d] = [subset.length, this.rows.columns];
        const rows = gatherRows(this.rows.values, d, subset);
        const slices = this.tolerance(k) > COARSE ? 3 : 4;
        const shifted = new Congruence(rows, orthonormalizer(rows, k, d), k, d, slices);
        if (shifted.isAbove(high)) return true;
        if (shifted.hasBelow(low)) return false;
        if (k * k * (k + d) <= MOST_IN_DOUBLE_DOUBLE) return null;
        const isWithin = (near: number) =>
          shifted.isAbove(low * (1 - near) ** 2) && shifted.hasBelow(high * (1 + near) ** 2);
        const within = [1e-9, 1e-7, 1e-5, 1e-3, 0.1].find(isWithin) ?? 1;
        return { independent: null, method: 'congruence', within };
      }),
  };

  private readonly exact: Proof = {
    method: 'double-double',
    able: (open) => open,
    decide: (able) =>
      able.map(({ subset }) => {
        const { original, columns } = this.rows;
        const k = subset.length;
        if (k * k * (k + columns) > MOST_IN_DOUBLE_DOUBLE)
          return { independent: null, method: 'double-double', within: 1 };
        return decideExactly(gatherRows(original, columns, subset), [k, columns], this.tolerance(k));
      }),
  };

  private readonly modular: Proof = {
    method: 'modular',
    able: (open) => open,
    decide: (able) => able.map(({ subset }) => this.exactly!.independent(subset)),
  };

  private fails(able: readonly Candidate[], size?: number): (boolean | null)[] {
    const factors = this.factor(able, ({ low, slack }) => low - slack, size);
    return Array.from(factors, (passed) => (passed === 0 ? false : null));
  }

  private factor(open: readonly Candidate[], shift: (candidate: Candidate) => number, size?: number): Uint8Array {
    return this.gram.factors(
      open.map(({ subset }) => subset),
      open.map(shift),
      size,
    );
  }

  /** Whether a proof has decided too few subsets of this size to be tried on more. */
  private isVain(proof: Proof, [{ subset }]: readonly Candidate[]): boolean {
    return this.successes(proof, subset.length) < WORTH_TRYING;
  }

  /** The share of k-subsets that a proof could decide; 1 until it has been tried on some. */
  private successes(proof: Proof, k: number): number {
    const { tried, decided } = this.attemptsWith(proof, k);
    return tried < 16 ? 1 : decided / tried;
  }

  private attemptsWith(proof: Proof, k: number): { tried: number; decided: number } {
    const bySize = this.attempts.get(proof) ?? new Map<number, { tried: number; decided: number }>();
    this.attempts.set(proof, bySize);
    const attempts = bySize.get(k) ?? { tried: 0, decided: 0 };
    bySize.set(k, attempts);
    return attempts;
  }
}

/** The count of a subset's rank may prove it dependent on the way. */
function inertia(byCount: (subsets: readonly Int32Array[]) => readonly boolean[]): Proof {
  return {
    method: 'inertia',
    needs: 'roughly',
    able: (open) => open,
    decide: (able) => byCount(able.map(({ subset }) => subset)).map((proved) => !proved && null),
  };
}
