import { convert, eigvalsh, inFloat64, inPrecision, tf, triangularSolve, valuesOf } from '../../tensor';
import { distinctFirst } from './distinct-first';
import { batchSize, succeeded, type Gram } from './gram';
import { choleskySlack, eigenvalueSlack, statisticalSlack } from './rounding';

/** What is known of the eigenvalues of a subset's Gram, and two shifts. */
export interface CountWithin {
  /** How many are above both shifts; null where it is not the same number for both, whatever rounding as it usually is has done. */
  readonly above: number | null;
  /** Whether one is proved to be below both, whatever rounding could have done. */
  readonly oneBelow: boolean;
}

/** What one factorization says about the eigenvalues of a subset's Gram. */
interface Inertia {
  /** Rows in the block A, see below. */
  readonly first: number;
  /** How many are above the shift. */
  readonly above: number;
  /** What rounding may have moved eigenvalues by. */
  readonly slack: number;
  /** By how much the shift could be lowered with the same count; 0 where that is not known. */
  readonly reach: number;
  /** How far below the shift the smallest is at least; 0 where that is not known. */
  readonly depth: number;
}

/**
 * Counts eigenvalues above a shift without computing them (Sylvester's law of inertia).
 *
 * With the shifted Gram in blocks, G - s I = [A B; B^T D], and A positive definite of size `first`, Haynsworth's formula
 * gives its positive eigenvalues as `first` plus those of the Schur complement S(s) = D - B^T A^-1 B, which is small.
 *
 * The same factorization says how far the shift may be lowered before the count changes. With W = A^-1 B, S'(s) is
 * -(I + W^T W), and W shrinks when the shift is lowered, so that S(s - t) is at most S(s) + t (I + W^T W): as long as
 * t (1 + ||W||^2) is below the negative eigenvalue of S(s) that is nearest to zero, none of them becomes positive.
 */
export class InertiaCounter {
  /** In large steps until it is first seen to be too large. */
  private step = 0.04;
  private readonly order: Int32Array;

  /** `share`: of k, how many rows are in A: almost as many as keep A positive definite; where to begin to look for that. */
  constructor(
    private readonly gram: Gram,
    private share = 0.25,
  ) {
    this.order = distinctFirst(gram);
  }

  /**
   * For each subset how many eigenvalues of its Gram are above `low` and above `high`, and whether one is below both. Most
   * need one factorization, at the upper end, the others a second one at the lower.
   */
  countWithin(subsets: readonly Int32Array[], low: readonly number[], high: readonly number[]): CountWithin[] {
    if (subsets.length === 0) return [];
    const k = subsets[0].length;
    const ordered = subsets.map((subset) => this.mostDistinctFirst(subset));
    const slacks = ordered.map((subset) => 2 * statisticalSlack(this.gram.columns, k, this.gram.trace(subset)));
    const upper = high.map((shift, i) => shift + slacks[i]);
    const lower = low.map((shift, i) => shift - slacks[i]);
    const widths = upper.map((shift, i) => shift - lower[i]);
    const atUpper = this.inBatches(ordered, upper, widths);
    const counts = atUpper.map((inertia, i) => (inertia !== null && inertia.slack <= slacks[i] ? inertia.above : null));
    const open = Array.from(counts.keys()).filter((i) => counts[i] !== null && atUpper[i]!.reach <= widths[i]);
    const atLower = this.inBatches(
      open.map((i) => ordered[i]),
      open.map((i) => lower[i]),
      open.map(() => 0),
    );
    open.forEach((i, place) => {
      const inertia = atLower[place];
      if (inertia === null || inertia.slack > slacks[i] || inertia.above !== counts[i]) counts[i] = null;
    });
    return counts.map((above, i) => ({ above, oneBelow: upper[i] - (atUpper[i]?.depth ?? 0) < low[i] }));
  }

  /** The block A grows from batch to batch until it is too large: not positive definite, or so nearly that it reaches nowhere. */
  private inBatches(
    subsets: readonly Int32Array[],
    shifts: readonly number[],
    widths: readonly number[],
  ): (Inertia | null)[] {
    const found: (Inertia | null)[] = [];
    while (found.length < subsets.length) {
      const k = subsets[0].length;
      const first = Math.max(1, Math.min(k - 1, Math.floor(this.share * k)));
      const [start, end] = [found.length, found.length + batchSize(k)];
      const batch = widths.slice(start, end);
      const inertias = this.inertias(subsets.slice(start, end), shifts.slice(start, end), batch, first);
      const short = inertias.filter((inertia, i) => inertia !== null && inertia.reach <= batch[i]).length;
      if (inertias.some((inertia) => inertia !== null && inertia.first < first)) this.changeShare(0.92);
      else if (2 * short > inertias.length) this.changeShare(0.97);
      else this.share = Math.min(0.98, this.share + this.step);
      found.push(...inertias);
    }
    return found;
  }

  /** A block that was too large is made smaller, and from then on grows slowly. */
  private changeShare(factor: number): void {
    this.step = 0.003;
    this.share = Math.max(0.02, factor * this.share);
  }

  private mostDistinctFirst(subset: Int32Array): Int32Array {
    return Int32Array.from(subset).sort((a, b) => this.order[a] - this.order[b]);
  }

  /**
   * With `first` rows in A, or fewer where so many are not positive definite; null where not even a few are. How far each
   * reaches is found as exactly as it takes to know whether it is further than its `width`.
   */
  private inertias(
    subsets: readonly Int32Array[],
    shifts: readonly number[],
    widths: readonly number[],
    first: number,
  ): (Inertia | null)[] {
    if (subsets.length === 0) return [];
    const k = subsets[0].length;
    return inFloat64(() => {
      const blocks = subsets.map((subset) => bothAscending(subset, first));
      const { factor, solved, complement } = this.gram.eliminate(blocks, shifts, first, k);
      const passed = succeeded(factor);
      if (passed.includes(0)) {
        const results: (Inertia | null)[] = subsets.map(() => null);
        const again = (wanted: number, fewer: number) => {
          const places = Array.from(passed.keys()).filter((index) => passed[index] === wanted);
          const found = this.inertias(
            places.map((index) => subsets[index]),
            places.map((index) => shifts[index]),
            places.map((index) => widths[index]),
            fewer,
          );
          found.forEach((inertia, i) => (results[places[i]] = inertia));
        };
        again(1, first);
        if (first > 0.02 * k && first > 1) again(0, Math.max(1, Math.floor(0.7 * first)));
        return results;
      }
      const rest = k - first;
      const all = valuesOf(eigvalsh(complement)) as Float64Array;
      // Ascending.
      const spectra = subsets.map((_, index) => all.subarray(index * rest, (index + 1) * rest));
      const positives = spectra.map((values) => values.filter((value) => value > 0).length);
      const nearest = spectra.map((values, index) =>
        positives[index] < rest ? values[rest - positives[index] - 1] : -Infinity,
      );
      // A tenth is kept for the rounding in W.
      const allowance = (squaredNorm: number) => 0.9 / (1 + squaredNorm);
      const growth = squaredNormBounds(triangularSolve(factor, solved, { adjoint: true }), (bound, index) => {
        return -nearest[index] * allowance(bound) > widths[index];
      });
      return subsets.map((subset, index) => {
        const size = spectra[index].reduce((sum, value) => sum + Math.abs(value), 0);
        const trace = this.gram.trace(subset);
        const { columns } = this.gram;
        const slack = statisticalSlack(columns, k, trace) + statisticalSlack(0, rest, size);
        const reach = -nearest[index] * allowance(growth[index]);
        // With u the eigenvector of S for its least eigenvalue, (-W u, u) takes the shifted Gram as low.
        const least = spectra[index][0] + eigenvalueSlack(0, rest, size);
        const depth = -least * allowance(growth[index]) - 2 * choleskySlack(columns, k, trace);
        const above = first + positives[index];
        return { first, above, slack, reach: reach > 0 ? reach : 0, depth: depth > 0 ? depth : 0 };
      });
    });
  }
}

/** Which rows are in which block matters; in ascending order inner products are found along rows of memory. */
function bothAscending(subset: Int32Array, first: number): Int32Array {
  const arranged = subset.slice();
  arranged.subarray(0, first).sort();
  arranged.subarray(first).sort();
  return arranged;
}

/**
 * Upper bounds of the squared spectral norm of each matrix of a stack: ||W||_F^2, and where that is not good enough
 * ||W^T W||_F, for which float32 will do; where it overflows, the bound is infinite. To be called inside of a `tf.tidy`.
 */
function squaredNormBounds(w: tf.Tensor, isGoodEnough: (bound: number, index: number) => boolean): number[] {
  const [, rows, columns] = w.shape;
  const bounds = Array.from(valuesOf(tf.sum(tf.square(w), [1, 2])));
  const open = Array.from(bounds.keys()).filter((index) => !isGoodEnough(bounds[index], index));
  if (open.length === 0) return bounds;
  const some = open.length < bounds.length ? tf.gather(w, open) : w;
  const tall = rows > columns;
  const finer = inPrecision('float32', () => {
    const narrow = convert(some, 'float32') as tf.Tensor3D;
    return valuesOf(tf.sqrt(tf.sum(tf.square(tf.matMul(narrow, narrow, tall, !tall)), [1, 2])));
  });
  open.forEach((index, place) => (bounds[index] = finer[place]));
  return bounds;
}
