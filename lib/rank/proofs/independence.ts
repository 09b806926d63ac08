import { groupBy } from '../../statistics';
import { inFloat64, tf, toTensor, valuesOf } from '../../tensor';
import type { LinearIndependence } from '../exact/linear-independence';
import { batchSize, Gram } from './gram';
import { ranksFromGram } from './gram-eigenvalues';
import { LargestSingularValue } from './largest-singular-value';
import { Preconditioners } from './preconditioner';
import { choleskySlack, SMALLEST_TRACE } from './rounding';
import { hasZeroOrRepeatedRow, norm, type Rows } from './rows';
import { judgeByGram } from './single-set';
import { singularValuesOfSubsets } from './singular-values';
import { rankAt, relativeTolerance, type Rtol } from '../tolerance';

/**
 * What decided a verdict:
 * - `dimension`: more rows than columns, or a tolerance of 1 or more;
 * - `equal rows`: the subset holds a zero row or two equal rows;
 * - `interlacing`: sigma_k of a subset is at most sigma_k of all rows, and that is below the tolerance;
 * - `cholesky`: the shifted Gram has, or has not, a Cholesky factor;
 * - `inertia`: the same, by a factorization that counts the subset's rank;
 * - `preconditioned`: as `cholesky`, for the Gram of the rows after a common change of columns;
 * - `eigenvalues`: all eigenvalues of the Gram, where nothing cheaper bounds sigma_max closely enough;
 * - `svd`: none of these could tell, so the singular values themselves were computed;
 * - `modular`: without a tolerance, the rank modulo primes.
 *
 * All but `svd` are proofs, rounding included; that is as sharp as float64's SVD is.
 */
export type Method =
  | 'dimension'
  | 'equal rows'
  | 'interlacing'
  | 'cholesky'
  | 'inertia'
  | 'preconditioned'
  | 'eigenvalues'
  | 'svd'
  | 'modular';

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

/** How closely sigma_max is known: from the traces, from the spectrum of all rows as well, or by power iteration. */
type Closeness = 'byTraces' | 'roughly' | 'closely' | 'by eigenvalues';
const CLOSENESS: readonly Closeness[] = ['byTraces', 'roughly', 'closely', 'by eigenvalues'];

/** A subset that is being judged. */
interface Candidate {
  readonly subset: Int32Array;
  /** trace of its Gram. */
  readonly trace: number;
  /** What rounding may move an eigenvalue of its Gram by. */
  readonly slack: number;
  /** A proved interval of the squared tolerance, tol^2 sigma_max^2, and what it comes from. */
  low: number;
  high: number;
  closeness: Closeness | null;
  verdict: Verdict | null;
}

/** One way to a verdict. */
interface Proof {
  readonly method: Method;
  /** How closely sigma_max has to be known before; absent where the proof does not look at a Gram. */
  readonly needs?: Exclude<Closeness, 'by eigenvalues'>;
  /** Which of the open candidates, one or more and all of one size, it could decide. */
  readonly able: (open: readonly Candidate[]) => readonly Candidate[];
  /** For each candidate whether it is independent; null where this proof cannot tell. */
  readonly decide: (able: readonly Candidate[]) => ArrayLike<boolean | null>;
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
  private readonly attempts = new Map<Proof, Map<number, { tried: number; decided: number }>>();
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
   * Judges subsets of one size k <= d. The order of a subset's rows has no influence on its verdict. `expected` only says
   * which proof to try first; `byCount` proves some of them dependent in the course of other work that is wanted.
   */
  judge(
    subsets: readonly Int32Array[],
    expected: 'independent' | 'dependent' | 'as before' = 'as before',
    byCount?: (subsets: readonly Int32Array[]) => readonly boolean[],
  ): Verdict[] {
    const candidates = subsets.map((subset) => this.candidate(subset));
    const likely = expected === 'as before' ? this.lastMostly : expected;
    for (const proof of this.plan(likely, subsets[0]?.length ?? 0, byCount)) this.attempt(proof, candidates);
    const verdicts = candidates.map(({ verdict }) => verdict!);
    if (expected === 'as before') {
      const dependent = verdicts.filter(({ independent }) => !independent).length;
      this.lastMostly = 2 * dependent > verdicts.length ? 'dependent' : 'independent';
    }
    return verdicts;
  }

  /** The verdict on one small set of any size, in any order: without a call into TensorFlow where its Gram decides. */
  judgeOne(set: ArrayLike<number>): Verdict {
    const subset = Int32Array.from(set).sort();
    const candidates = [this.candidate(subset)];
    const { dimension, equalRows, choleskyOfOne, modular, svd } = this;
    const proofs = this.exactly
      ? [dimension, ofIndependence(choleskyOfOne), modular]
      : [dimension, equalRows, choleskyOfOne, svd];
    for (const proof of proofs) this.attempt(proof, candidates);
    return candidates[0].verdict!;
  }

  /** What is tried, in this order, on what the proofs before left open. Smaller subsets are mostly independent. */
  private plan(
    likely: 'independent' | 'dependent',
    k: number,
    byCount?: (subsets: readonly Int32Array[]) => readonly boolean[],
  ): readonly Proof[] {
    const { dimension, equalRows, cholesky, preconditioned, failing, eigenvalues, svd } = this;
    // A Cholesky of either Gram costs the same: what decides more of the subsets is tried first.
    const independent =
      this.successes(preconditioned, k) > this.successes(cholesky, k)
        ? [preconditioned, cholesky]
        : [cholesky, preconditioned];
    if (this.exactly) return [dimension, ...independent, this.modular];
    const [roughly, closely] = [this.interlacing('roughly'), this.interlacing('closely')];
    const isLarge = k > Math.min(this.rows.count, this.rows.columns) / 2;
    const first =
      likely === 'dependent'
        ? [roughly, ...(byCount ? [inertia(byCount)] : []), this.failingByFew]
        : [...(isLarge ? [roughly] : []), ...independent];
    // What the likely proof leaves is mostly the other way round; sigma_max is now worth knowing closely.
    const second = likely === 'dependent' ? [...independent, failing] : [failing, ...independent];
    return [dimension, equalRows, ...first, closely, ...second, eigenvalues, ...independent, failing, svd];
  }

  /** Gives verdicts to those of some candidates, all of one size, that are open and that a proof can decide. */
  private attempt(proof: Proof, candidates: readonly Candidate[]): void {
    const { needs } = proof;
    const open = candidates.filter(({ verdict, trace }) => verdict === null && (!needs || trace >= SMALLEST_TRACE));
    if (open.length === 0) return;
    if (needs) this.bracket(open, needs);
    const able = proof.able(open);
    if (able.length === 0) return;
    const found = proof.decide(able);
    able.forEach((candidate, i) => {
      const independent = found[i];
      if (independent !== null) candidate.verdict ??= verdict(independent, proof.method);
    });
    const attempts = this.attemptsWith(proof, able[0].subset.length);
    attempts.tried += able.length;
    attempts.decided += able.length - able.filter(isOpen).length;
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
    const open = usable.map((i) => candidates[i]);
    this.bracket(open, 'closely');
    if (isBlind(open)) {
      for (const group of groupBy(open, ({ subset }) => subset.length).values()) {
        for (const proof of [this.interlacing('closely'), this.cholesky, this.preconditioned]) {
          this.attempt(proof, group);
        }
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
    return { subset, trace, slack, low: 0, high: Infinity, closeness: null, verdict: null };
  }

  /** Brackets sigma_max of those of which it is not known so closely yet. */
  private bracket(candidates: readonly Candidate[], closeness: Exclude<Closeness, 'by eigenvalues'>): void {
    const wanted = CLOSENESS.indexOf(closeness);
    const vague = candidates.filter(({ closeness: known }) => known === null || CLOSENESS.indexOf(known) < wanted);
    if (vague.length === 0) return;
    const { low, high } = this.largestSingularValue[closeness](
      vague.map(({ subset }) => subset),
      vague.map(({ trace }) => trace),
    );
    vague.forEach((candidate, i) => {
      const squared = this.tolerance(candidate.subset.length) ** 2;
      candidate.low = squared * low[i];
      candidate.high = squared * high[i];
      candidate.closeness = closeness;
    });
  }

  private readonly dimension: Proof = {
    method: 'dimension',
    able: (open) => {
      const k = open[0].subset.length;
      return k > this.rows.columns || this.tolerance(k) >= 1 ? open : [];
    },
    decide: (able) => able.map(() => false),
  };

  private readonly equalRows: Proof = {
    method: 'equal rows',
    able: (open) => open.filter(({ subset }) => hasZeroOrRepeatedRow(this.rows, subset)),
    decide: (able) => able.map(() => false),
  };

  private interlacing(needs: 'roughly' | 'closely'): Proof {
    return {
      method: 'interlacing',
      needs,
      able: (open) => {
        const kth = this.largestSingularValue.squaredSpectrum[open[0].subset.length - 1];
        return open.filter(({ low }) => kth <= low);
      },
      decide: (able) => able.map(() => false),
    };
  }

  /** A Gram that minus a shift above the squared tolerance has a Cholesky factor proves independence. */
  private readonly cholesky: Proof = {
    method: 'cholesky',
    needs: 'byTraces',
    able: (open) => (isBlind(open) && this.isVain(this.cholesky, open) ? [] : open),
    decide: (able) => Array.from(this.factor(able, shiftToProve), (passed) => passed === 1 || null),
  };

  /** Where the Gram is blind. */
  private readonly preconditioned: Proof = {
    method: 'preconditioned',
    needs: 'byTraces',
    able: (open) => (!isBlind(open) || this.isVain(this.preconditioned, open) ? [] : open),
    decide: (able) => {
      const preconditioner = this.preconditioners.forSubsetsOf(able[0].subset.length);
      if (preconditioner === null) return able.map(() => null);
      const proved = preconditioner.proves(
        able.map(({ subset }) => subset),
        able.map(({ high }) => Math.sqrt(high)),
      );
      return Array.from(proved, (passed) => passed === 1 || null);
    },
  };

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

  /** Where they cannot tell, sigma_max is at least known from them, and a Cholesky tells finer than they do. */
  private readonly eigenvalues: Proof = {
    method: 'eigenvalues',
    needs: 'closely',
    able: (open) => (isBlind(open) ? [] : open),
    decide: (able) => {
      const k = able[0].subset.length;
      const squared = this.tolerance(k) ** 2;
      const found = ranksFromGram(
        this.gram,
        able.map(({ subset }) => subset),
        this.tolerance(k),
      );
      return found.map(({ rank, largest }, i) => {
        [able[i].low, able[i].high] = largest.map((value) => squared * value);
        able[i].closeness = 'by eigenvalues';
        return rank === null ? null : rank === k;
      });
    },
  };

  /** Both ways at once, for a single set. */
  private readonly choleskyOfOne: Proof = {
    method: 'cholesky',
    able: (open) => open,
    decide: (able) => able.map(({ subset }) => judgeByGram(this.gram, subset, this.tolerance(subset.length))),
  };

  private readonly svd: Proof = {
    method: 'svd',
    able: (open) => open,
    decide: (able) => {
      const spectra = singularValuesOfSubsets(
        this.rows,
        able.map(({ subset }) => subset),
      );
      return able.map((candidate, i) => {
        const { length } = candidate.subset;
        const independent = rankAt(spectra[i], this.tolerance(length)) === length;
        candidate.verdict = { independent, method: 'svd', singularValues: spectra[i] };
        return independent;
      });
    },
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

/** A proof of which only half is wanted: at the tolerance, rows may be dependent that are not. */
function ofIndependence(proof: Proof): Proof {
  return { ...proof, decide: (able) => Array.from(proof.decide(able), (independent) => independent || null) };
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
