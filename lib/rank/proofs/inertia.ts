import { convert, eigvalsh, inFloat64, inPrecision, tf, toTensor, triangularSolve, valuesOf } from '../../tensor';
import { distinctFirst } from './distinct-first';
import { batchSize, succeeded, type Gram } from './gram';
import { choleskySlack, eigenvalueSlack, UNIT } from './rounding';
import { norm } from './rows';

/** A tenth is kept for the rounding of norms, in float32 at most rows * sqrt(columns) * 2^-24 of ||W^T W||_F. */
const NORM_KEPT = 0.9;
const MOST_IN_FLOAT32 = 0.05 * 2 ** 24;

/** What is known of the eigenvalues of a subset's Gram, and two shifts. */
export interface CountWithin {
  /** How many are above both shifts and not below either, rounding included; null where that is not the same number for both. */
  readonly above: number | null;
  /** Whether one is proved to be below both. */
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
  /** By how much the shift could be lowered with the same count, from norms alone; 0 where that is not known. */
  readonly reach: number;
  /** Whether it may be lowered by its width with the same count. */
  readonly holds: boolean;
  /** How far below the shift the smallest is at least, rounding included; 0 where that is not known. */
  readonly depth: number;
}

/**
 * Counts eigenvalues above a shift without computing them (Sylvester's law of inertia).
 *
 * With the shifted Gram in blocks, G - s I = [A B; B^T D], and A positive definite of size `first`, Haynsworth's formula
 * gives its positive eigenvalues as `first` plus those of the Schur complement S(s) = D - B^T A^-1 B, which is small.
 *
 * The same factorization says how far the shift may be lowered before the count changes. For any W and u the vector
 * x = (-W u, u) has
 *
 *     x^T (G - s I) x = u^T S(s) u + ||L^-1 (A W - B) u||^2    and    ||x||^2 <= (1 + ||W||^2) ||u||^2,    L L^T = A,
 *
 * so that on the vectors x of the negative eigenvalues of S, of which the one nearest to zero is -v, G - (s - t) I is still negative
 * as long as t (1 + ||W||^2) < v, less the square, which for W = A^-1 B by two triangular solves is at most
 * (k u)^2 trace ||W||_F^2 (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 8.1). Where that norm does not
 * tell, the negative eigenvalues of S(s) + t (I + W^T W) are counted: G - (s - t) I has at least as many.
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
   * For each subset how many eigenvalues of its Gram are above `low` and above `high`, and whether one is below both: one
   * factorization, at the upper end.
   */
  countWithin(subsets: readonly Int32Array[], low: readonly number[], high: readonly number[]): CountWithin[] {
    if (subsets.length === 0) return [];
    const k = subsets[0].length;
    const ordered = subsets.map((subset) => this.mostDistinctFirst(subset));
    // With room for the complement's part; what needs more stays open.
    const slacks = ordered.map((subset) => 1.5 * choleskySlack(this.gram.columns, k, this.gram.trace(subset)));
    const upper = high.map((shift, i) => shift + slacks[i]);
    const widths = upper.map((shift, i) => shift - low[i] + slacks[i]);
    return this.inBatches(ordered, upper, widths).map((inertia, i) => {
      if (inertia === null) return { above: null, oneBelow: false };
      const { above, slack, holds, depth } = inertia;
      return { above: holds && slack <= slacks[i] ? above : null, oneBelow: upper[i] - depth < low[i] };
    });
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
      const count = (is: (inertia: Inertia, i: number) => boolean) =>
        inertias.filter((inertia, i) => inertia !== null && is(inertia, i)).length;
      if (count((inertia) => inertia.first < first) > 0) this.changeShare(0.92);
      else if (2 * count(({ holds }) => !holds) > inertias.length) this.changeShare(0.97);
      else if (2 * count(({ reach }, i) => reach <= batch[i]) <= inertias.length)
        this.share = Math.min(0.98, this.share + this.step);
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
      const traces = subsets.map((subset) => this.gram.trace(subset));
      const slacks = spectra.map((values, index) => {
        const size = values.reduce((sum, value) => sum + Math.abs(value), 0);
        return choleskySlack(this.gram.columns, k, traces[index] + size) + eigenvalueSlack(rest, norm(values));
      });
      // By how much the shift may be lowered for an eigenvalue of S to stay negative, ||W||_F^2 being at most rest ||W||^2.
      const reachOf = (eigenvalue: number, squaredNorm: number, index: number) =>
        (NORM_KEPT * (-eigenvalue - errorOfSolves(k, traces[index], rest * squaredNorm))) / (1 + squaredNorm);
      const w = triangularSolve(factor, solved, { adjoint: true });
      const growth = squaredNormBounds(w, (bound, index) => reachOf(nearest[index], bound, index) > widths[index]);
      const reaches = growth.map((squaredNorm, index) => Math.max(0, reachOf(nearest[index], squaredNorm, index)));
      const short = Array.from(reaches.keys()).filter((index) => !(reaches[index] > widths[index]));
      const holds = reaches.map(() => true);
      this.countLower(complement, w, growth, short, widths, traces, k).forEach((count, place) => {
        holds[short[place]] = count === positives[short[place]];
      });
      return subsets.map((_, index) => ({
        first,
        above: first + positives[index],
        slack: slacks[index],
        reach: reaches[index],
        holds: holds[index],
        depth: Math.max(0, reachOf(spectra[index][0], growth[index], index) - slacks[index]),
      }));
    });
  }

  /** At most so many eigenvalues of S(s) + t (I + W^T W) are positive, for those of a batch that are `chosen`, t their width. */
  private countLower(
    complement: tf.Tensor,
    w: tf.Tensor,
    growth: readonly number[],
    chosen: readonly number[],
    widths: readonly number[],
    traces: readonly number[],
    k: number,
  ): number[] {
    if (chosen.length === 0) return [];
    const rest = complement.shape[1]!;
    const batch = chosen.length;
    const [s, own] = [complement, w].map((all) => tf.gather(all, [...chosen]) as tf.Tensor3D);
    const ts = toTensor(
      chosen.map((index) => widths[index]),
      [batch, 1, 1],
    );
    const squares = tf.matMul(own, own, true, false);
    const lowered = tf.add(s, tf.mul(squares, ts));
    const eigenvalues = valuesOf(eigvalsh(lowered));
    return chosen.map((index, place) => {
      const values = eigenvalues.subarray(place * rest, (place + 1) * rest);
      const [t, frobeniusSquared] = [widths[index], rest * growth[index]];
      // Of the solves, of the product and the sum, of the eigenvalues.
      const error =
        errorOfSolves(k, traces[index], frobeniusSquared) +
        (k + 8) * UNIT * t * frobeniusSquared +
        4 * UNIT * norm(values) +
        eigenvalueSlack(rest, norm(values));
      return values.filter((value) => value + t + error >= 0).length;
    });
  }
}

/** ||L^-1 (A W - B)||^2 for W by two triangular solves. */
function errorOfSolves(k: number, trace: number, frobeniusSquared: number): number {
  return 1.01 * (k * UNIT) ** 2 * trace * frobeniusSquared;
}

/** Which rows are in which block matters; in ascending order inner products are found along rows of memory. */
function bothAscending(subset: Int32Array, first: number): Int32Array {
  const arranged = subset.slice();
  arranged.subarray(0, first).sort();
  arranged.subarray(first).sort();
  return arranged;
}

/**
 * Upper bounds of the squared spectral norm of each matrix of a stack, up to the tenth of {@link NORM_KEPT}: ||W||_F^2, and
 * where that is not good enough ||W^T W||_F, for which float32 will do; where it overflows, the bound is infinite. To be
 * called inside of a `tf.tidy`.
 */
function squaredNormBounds(w: tf.Tensor, isGoodEnough: (bound: number, index: number) => boolean): number[] {
  const [, rows, columns] = w.shape;
  const bounds = Array.from(valuesOf(tf.sum(tf.square(w), [1, 2])));
  const open = Array.from(bounds.keys()).filter((index) => !isGoodEnough(bounds[index], index));
  if (open.length === 0 || rows * Math.sqrt(columns) > MOST_IN_FLOAT32) return bounds;
  const some = open.length < bounds.length ? tf.gather(w, open) : w;
  const tall = rows > columns;
  const finer = inPrecision('float32', () => {
    const narrow = convert(some, 'float32') as tf.Tensor3D;
    return valuesOf(tf.sqrt(tf.sum(tf.square(tf.matMul(narrow, narrow, tall, !tall)), [1, 2])));
  });
  open.forEach((index, place) => (bounds[index] = finer[place]));
  return bounds;
}
