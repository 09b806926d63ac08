import type { ExactMethod } from '../exact/decision';

/**
 * What decided a verdict, in the order of their cost (docs/verdicts.md says what each proves):
 * - `definition`: more rows than columns, a row of zeros, a tolerance of 1 or more;
 * - `equal rows`: two rows are equal;
 * - `interlacing`: sigma_k of a subset is at most sigma_k of all rows, and that is below the tolerance;
 * - `cholesky`: the shifted Gram has, or has not, a Cholesky factor;
 * - `inertia`: the same, by a factorization that counts the subset's rank;
 * - `preconditioned`: as `cholesky`, for the Gram of the rows after a common change of columns;
 * - `combination`: a combination of the rows is short enough to prove them dependent;
 * - `congruence`: as `cholesky`, for the shifted Gram of the rows made nearly orthonormal;
 * - `double-double`, `multiprecision`: arithmetic of 106 bits or as many as it takes, where nothing cheaper could tell;
 * - `modular`: without a tolerance, the rank modulo primes.
 *
 * All are proofs, rounding included.
 */
export type Method =
  | 'equal rows'
  | 'interlacing'
  | 'cholesky'
  | 'inertia'
  | 'preconditioned'
  | 'combination'
  | 'congruence'
  | ExactMethod
  | 'modular';

export interface Verdict {
  /** Whether the smallest singular value is strictly greater than the tolerance times the largest: proved; null where undecided. */
  readonly independent: boolean | null;
  readonly method: Method;
  /** Where undecided: sigma_min / (tolerance sigma_max) lies between 1 - within and 1 + within. Else null. */
  readonly within: number | null;
}

/** How closely sigma_max is known: from the traces, from the spectrum of all rows as well, by power iteration, by Cholesky factors. */
export type Closeness = 'byTraces' | 'roughly' | 'closely' | 'tightly';
export const CLOSENESS: readonly Closeness[] = ['byTraces', 'roughly', 'closely', 'tightly'];

/** A subset that is being judged. */
export interface Candidate {
  readonly subset: Int32Array;
  /** trace of its Gram. */
  readonly trace: number;
  /** What rounding may move an eigenvalue of its Gram by. */
  readonly slack: number;
  /** How near to the tolerance, relative, a singular value is called near to it. */
  readonly near: number;
  /** A proved interval of the squared tolerance, tol^2 sigma_max^2, and what it comes from. */
  low: number;
  high: number;
  closeness: Closeness | null;
  /** An upper bound of sigma_min^2, where one was found. */
  shortest: number;
  verdict: Verdict | null;
}

/** One way to a verdict. */
export interface Proof {
  readonly method: Method;
  /** How closely sigma_max has to be known before; absent where the proof does not look at a Gram. */
  readonly needs?: Closeness;
  /** Which of the open candidates, one or more and all of one size, it could decide. */
  readonly able: (open: readonly Candidate[]) => readonly Candidate[];
  /** For each candidate whether it is independent, or the verdict; null where this proof cannot tell. */
  readonly decide: (able: readonly Candidate[]) => ArrayLike<boolean | Verdict | null>;
}

export const isOpen = ({ verdict }: Candidate) => verdict === null;

/** Whether a factorization that fails would prove anything, rounding considered. */
export const canFail = ({ low, slack }: Candidate) => low > slack;

/** A Gram that minus this has a Cholesky factor proves independence, beyond what counts as near to the tolerance. */
export const shiftToProve = ({ high, near, slack }: Candidate) => high * (1 + near) ** 2 * (1 + 1e-12) + slack;

/** Whether a float64 Gram is too coarse for the tolerance: success may still prove more than was asked, failure nothing. */
export const isBlind = (open: readonly Candidate[]) => open.every(({ high, slack }) => high < 4 * slack);

/** A proof that needs nothing but what makes a candidate able. */
export const settled =
  (independent: boolean): Proof['decide'] =>
  (able) =>
    able.map(() => independent);
