import { ranksFromGram } from './gram-eigenvalues';
import type { IndependenceTest } from './independence';
import { InertiaCounter } from './inertia';
import { isBlind, type Candidate } from './proof';
import { SMALLEST_TRACE } from './rounding';
import { areEqualRows, gatherScaled, isZeroRow } from './rows';
import { singularValuesOfSubsets } from './singular-values';
import { nearestToTolerance, verifiedRank, type CountedRank } from './verified-rank';

/** From this size on counting by inertia beats computing the eigenvalues. */
const INERTIA_FROM = 320;

/** With sigma_max^2 in a wider interval, what was not clear for one subset is not tried on the next. */
const CLOSE = 1.02;

type Found = (subset: Int32Array, rank: number) => void;

/**
 * Counts ranks of subsets of one size: by inertia, by the eigenvalues of the Gram where that is too coarse, by inertia
 * again after a change of columns where the Gram is blind, and by the singular vectors where nothing else tells. All are proofs; a singular value near to the tolerance always goes as far as the last.
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
   * Which of some subsets a count proves to be dependent. Where the ranks of dependent subsets are wanted anyway, this comes
   * for nothing: {@link count} does not count them again.
   */
  provesDependent(subsets: readonly Int32Array[]): boolean[] {
    const proved = new Set<Int32Array>();
    if (subsets.length > 0 && subsets[0].length >= INERTIA_FROM) {
      const known: Found = (subset, rank) => this.counted.set(subset, { rank, nearest: null });
      this.byInertia(subsets, known, (subset) => proved.add(subset));
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
    const found: Found = (subset, rank) => ranks.set(subset, { rank, nearest: null });
    if (subsets.length > 0 && subsets[0].length >= INERTIA_FROM) this.byInertia(left(), found);
    this.byEigenvalues(left(), found);
    this.byColumns(left(), (subset, counted) => ranks.set(subset, counted));
    for (const subset of left()) {
      const shape = [subset.length, rows.columns] as const;
      ranks.set(subset, verifiedRank(gatherScaled(rows, subset), shape, this.test.tolerance(subset.length)));
    }
    return subsets.map((subset) => ranks.get(subset)!);
  }

  private candidates(subsets: readonly Int32Array[]): Candidate[] {
    return subsets.map((subset) => this.test.candidate(subset)).filter(({ trace }) => trace >= SMALLEST_TRACE);
  }

  /** The count must be the same at both ends of what the squared tolerance may be, rounding and nearness included. */
  private byInertia(
    subsets: readonly Int32Array[],
    found: Found,
    dependent: (subset: Int32Array) => void = () => undefined,
  ): void {
    const usable = this.candidates(subsets);
    if (usable.length === 0) return;
    this.test.bracket(usable, 'closely');
    const ends = usable.map(({ subset, near, low, high }) => {
      return { subset, low: low * (1 - near) ** 2, high: high * (1 + near) ** 2 };
    });
    const open = ends.filter(({ low, high }) => low > 0.9 * high);
    const within = this.inertiaOf(usable[0].subset.length).countWithin(
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

  /** Where the Gram is blind. Only where a singular value may be near to the tolerance an SVD has to say how near. */
  private byColumns(subsets: readonly Int32Array[], found: (subset: Int32Array, counted: CountedRank) => void): void {
    const usable = this.candidates(subsets);
    if (usable.length === 0) return;
    const k = usable[0].subset.length;
    this.test.bracket(usable, 'closely');
    const counter = isBlind(usable) ? this.test.columnInertia(k) : null;
    if (counter === null) return;
    const count = ({ subset, low, high }: Candidate, near: number) =>
      counter.countWithin(subset, Math.sqrt(low) * (1 - near), Math.sqrt(high) * (1 + near));
    let isClear = true;
    const left = usable.filter((candidate) => {
      const { subset, near, low, high } = candidate;
      const rank = isClear || high < CLOSE * low ? count(candidate, near) : null;
      isClear = rank !== null;
      if (rank !== null) found(subset, { rank, nearest: null });
      return rank === null;
    });
    const spectra = singularValuesOfSubsets(
      this.test.rows,
      left.map(({ subset }) => subset),
    );
    this.test.bracketNear(left, spectra);
    left.forEach((candidate, i) => {
      const rank = count(candidate, 0);
      const nearest = nearestToTolerance(spectra[i], this.test.tolerance(k));
      if (rank !== null) found(candidate.subset, { rank, nearest });
    });
  }

  private byEigenvalues(subsets: readonly Int32Array[], found: Found): void {
    const usable = this.candidates(subsets);
    if (usable.length === 0) return;
    this.test.bracket(usable, 'roughly');
    if (isBlind(usable)) return;
    const [chosen, { near }] = [usable.map(({ subset }) => subset), usable[0]];
    ranksFromGram(this.test.gram, chosen, this.test.tolerance(chosen[0].length), near).forEach((rank, i) => {
      if (rank !== null) found(chosen[i], rank);
    });
  }
}
