/** What the search for the Kruskal rank is asked, and what it answers. */
import type { Relation } from '../exact/linear-independence';
import type { Rtol } from '../tolerance';

export interface KruskalSearchOptions {
  /** The tolerance: max(k, d) * eps of the named precision, or the whole ratio to sigma_max. */
  readonly rtol: Rtol;
  /** Seed of the adversarial search; certificates do not depend on it. */
  readonly seed: number;
  /**
   * How many multiplications the search may spend, some 10^9 a second on one core. The answer depends on this number and
   * the seed, never on the clock. Default: 10^5 for each entry of the matrix, from 2 * 10^8 to 3 * 10^10.
   */
  readonly operations?: number;
  /** Sets known to be dependent, such as the ones that random draws came upon: the search starts from them. */
  readonly known?: readonly (readonly number[])[];
}

/** What a search of T rows in d dimensions may spend where nothing else is said. */
export const defaultOperations = (T: number, d: number) => Math.min(3e10, Math.max(2e8, 1e5 * T * d));

/** What proved a bound, in words. */
export interface Certificate {
  readonly bound: 'atLeast' | 'atMost';
  readonly value: number;
  readonly argument: string;
}

export interface KruskalBounds {
  /** Every set of this many rows is independent at the tolerance: proved. */
  readonly atLeast: number;
  /** Some set of one row more is dependent: the witness; or min(T, d), which no set exceeds. */
  readonly atMost: number;
  /** A dependent set, rows from 0, ascending; null only when atMost = min(T, d). */
  readonly witness: readonly number[] | null;
  /** Whether no row of the witness can be left out, proved for each; false also where that would be too much work. */
  readonly witnessMinimal: boolean | null;
  /** sigma_min / sigma_max of the witness by SVD in float64, and the ratio that it would have to exceed. */
  readonly witnessSigma: { readonly ratio: number; readonly tolerance: number } | null;
  /** Without a tolerance: whole numbers c with sum c_i x_i = 0 for the rows x_i of the witness, in their order. */
  readonly relation?: Relation | null;
  /** Everything that was proved on the way, and what was tried and could not be, in the order of the search. */
  readonly certificates: readonly Certificate[];
  readonly notes: readonly string[];
  readonly rtol: Rtol;
  readonly seed: number;
  readonly precision: 'float64';
}
