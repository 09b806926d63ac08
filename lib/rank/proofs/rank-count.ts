import { ranksFromGram } from './gram-eigenvalues';
import { NEAR, type IndependenceTest } from './independence';
import { InertiaCounter } from './inertia';
import { eigenvalueSlack, SMALLEST_TRACE } from './rounding';
import { singularValuesOfSubsets } from './singular-values';
import { areEqualRows, isZeroRow } from './rows';
import { rankAt } from '../tolerance';

/** The rank of a subset of rows at a tolerance. */
export interface CountedRank {
  readonly rank: number;
  /**
   * The singular value nearest to the tolerance, divided by the tolerance, when it lies within 1e-6 of it; null when none
   * does.
   */
  readonly nearest: number | null;
}

/** From this size on counting by inertia beats computing the eigenvalues. */
const INERTIA_FROM = 320;

type Found = (subset: Int32Array, rank: number) => void;

/**
 * Counts ranks of subsets of one size: by inertia, by the eigenvalues of the Gram where that is too coarse, and by SVD where
 * those are. All three give the same rank; a singular value within 1e-6 of the tolerance always goes as far as the SVD.
 */
export class RankCounter {
  private counter: InertiaCounter | null = null;
  /** What was counted on the way to a proof. */
  private readonly counted = new WeakMap<Int32Array, CountedRank>();

  constructor(private readonly test: IndependenceTest) {}

  /** The first guess is that a subset has somewhat fewer singular values above its tolerance than all rows above theirs. */
  private inertiaOf(k: number): InertiaCounter {
    const { squaredSpectrum } = this.test.largestSingularValue;
    const bound = this.test.tolerance(k) ** 2 * squaredSpectrum[0];
    const above = squaredSpectrum.filter((value) => value > bound).length;
    return (this.counter ??= new InertiaCounter(this.test.gram, (0.7 * Math.min(above, k)) / k));
  }

  /**
   * Which of some subsets a count proves to be dependent, rounding included. Where the ranks of dependent subsets are
   * wanted anyway, this comes for nothing: {@link count} does not count them again.
   */
  provesDependent(subsets: readonly Int32Array[]): boolean[] {
    const proved = new Set<Int32Array>();
    if (subsets.length > 0 && subsets[0].length >= INERTIA_FROM) {
      this.byInertia(
        subsets,
        (subset, rank) => this.counted.set(subset, { rank, nearest: null }),
        (subset) => proved.add(subset),
      );
    }
    return subsets.map((subset) => proved.has(subset));
  }

  count(subsets: readonly Int32Array[]): CountedRank[] {
    const ranks = new Map<Int32Array, CountedRank>();
    const { rows } = this.test;
    for (const subset of subsets) {
      const known = this.counted.get(subset);
      if (known) ranks.set(subset, known);
      // As in the paper's random embeddings, where the class token is the same for all images.
      if (!areEqualRows(rows, subset)) continue;
      ranks.set(subset, { rank: isZeroRow(rows, subset[0]) ? 0 : 1, nearest: null });
    }
    const left = () => subsets.filter((subset) => !ranks.has(subset));
    if (subsets.length > 0 && subsets[0].length >= INERTIA_FROM) {
      this.byInertia(left(), (subset, rank) => ranks.set(subset, { rank, nearest: null }));
    }
    this.byEigenvalues(left(), (subset, rank) => ranks.set(subset, { rank, nearest: null }));
    const open = left();
    singularValuesOfSubsets(this.test.rows, open).forEach((values, i) => {
      ranks.set(open[i], rankOf(values, this.test.tolerance(open[i].length)));
    });
    return subsets.map((subset) => ranks.get(subset)!);
  }

  /** The count must be the same at both ends of what the squared tolerance may be, rounding and nearness included. */
  private byInertia(
    subsets: readonly Int32Array[],
    found: Found,
    dependent: (subset: Int32Array) => void = () => undefined,
  ): void {
    const { test } = this;
    const usable = subsets.filter((subset) => test.gram.trace(subset) >= SMALLEST_TRACE);
    if (usable.length === 0) return;
    const k = usable[0].length;
    const traces = usable.map((subset) => test.gram.trace(subset));
    const brackets = test.largestSingularValue.closely(usable, traces);
    const squared = test.tolerance(k) ** 2;
    const open = usable
      .map((subset, i) => {
        const low = squared * brackets.low[i] * (1 - 2.1 * NEAR);
        const high = squared * brackets.high[i] * (1 + 2.1 * NEAR);
        return { subset, low, high };
      })
      .filter(({ low, high }) => low > 0.9 * high);
    const within = this.inertiaOf(k).countWithin(
      open.map(({ subset }) => subset),
      open.map(({ low }) => low),
      open.map(({ high }) => high),
    );
    open.forEach(({ subset }, i) => {
      const { above, oneBelow } = within[i];
      if (above !== null) found(subset, above);
      if (oneBelow) dependent(subset);
    });
  }

  private byEigenvalues(subsets: readonly Int32Array[], found: Found): void {
    const { test } = this;
    if (subsets.length === 0) return;
    const k = subsets[0].length;
    const blind = subsets.every((subset) => {
      const trace = test.gram.trace(subset);
      return test.tolerance(k) ** 2 * trace < 4 * eigenvalueSlack(test.rows.columns, k, trace);
    });
    if (blind) return;
    for (const [i, { rank }] of ranksFromGram(test.gram, subsets, test.tolerance(k), NEAR).entries()) {
      if (rank !== null) found(subsets[i], rank);
    }
  }
}

/** The rank as its definition has it. */
export function rankOf(singularValues: Float64Array, tolerance: number): CountedRank {
  const bound = tolerance * singularValues[0];
  let nearest: number | null = null;
  for (const value of singularValues) {
    const distance = Math.abs(value / bound - 1);
    if (distance <= NEAR && (nearest === null || distance < Math.abs(nearest - 1))) nearest = value / bound;
  }
  return { rank: rankAt(singularValues, tolerance), nearest };
}
