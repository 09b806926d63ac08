import { eigvalsh, tf, triangularSolve, valuesOf } from '../tensor';
import { distinctFirst } from './distinct-first';
import { batchSize, succeeded, type Gram } from './gram';
import { inFloat64 } from './in-float64';
import { statisticalSlack } from './rounding';

/** What one factorization says about the eigenvalues of a subset's Gram. */
interface Inertia {
  /** How many are above the shift. */
  readonly above: number;
  /** What rounding may have moved eigenvalues by. */
  readonly slack: number;
  /** By how much the shift could be lowered with the same count; 0 where that is not known. */
  readonly reach: number;
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
  /** Rows in A, as a share of k: as many as keep A positive definite. */
  private share = 0.25;
  private readonly order: Int32Array;

  constructor(private readonly gram: Gram) {
    this.order = distinctFirst(gram);
  }

  /**
   * For each subset how many eigenvalues of its Gram are above `low` and above `high`, where that is the same number,
   * whatever rounding as it usually is has done; else null. Most need one factorization, at the upper end, the others a
   * second one at the lower.
   */
  countWithin(subsets: readonly Int32Array[], low: readonly number[], high: readonly number[]): (number | null)[] {
    const slacks = subsets.map(
      (subset) => 2 * statisticalSlack(this.gram.columns, subset.length, this.gram.trace(subset)),
    );
    const upper = high.map((shift, i) => shift + slacks[i]);
    const lower = low.map((shift, i) => shift - slacks[i]);
    const trusted = (inertia: Inertia | null, i: number) => inertia !== null && inertia.slack <= slacks[i];
    const atUpper = this.count(subsets, upper);
    const unsettled = Array.from(subsets.keys()).filter(
      (i) => trusted(atUpper[i], i) && atUpper[i]!.reach <= upper[i] - lower[i],
    );
    const atLower = this.count(
      unsettled.map((i) => subsets[i]),
      unsettled.map((i) => lower[i]),
    );
    const counts = atUpper.map((inertia, i) => (trusted(inertia, i) ? inertia!.above : null));
    unsettled.forEach((i, place) => {
      const inertia = atLower[place];
      if (!trusted(inertia, i) || inertia!.above !== counts[i]) counts[i] = null;
    });
    return counts;
  }

  /** Null for a subset whose first block is not positive definite. */
  private count(subsets: readonly Int32Array[], shifts: readonly number[]): (Inertia | null)[] {
    const results: (Inertia | null)[] = [];
    if (subsets.length === 0) return results;
    const k = subsets[0].length;
    const size = batchSize(k);
    for (let start = 0; start < subsets.length; start += size) {
      const first = Math.max(1, Math.min(k - 1, Math.floor(this.share * k)));
      const batch = subsets.slice(start, start + size).map((subset) => this.mostDistinctFirst(subset));
      const counted = this.countBatch(batch, shifts.slice(start, start + size), first);
      results.push(...counted);
      const failed = counted.some((inertia) => inertia === null);
      this.share = failed ? Math.max(0.02, 0.9 * this.share) : Math.min(0.98, this.share + 0.005);
    }
    return results;
  }

  private mostDistinctFirst(subset: Int32Array): Int32Array {
    return Int32Array.from(subset).sort((a, b) => this.order[a] - this.order[b]);
  }

  private countBatch(subsets: readonly Int32Array[], shifts: readonly number[], first: number): (Inertia | null)[] {
    const k = subsets[0].length;
    return inFloat64(() => {
      const { factor, solved, complement } = this.gram.eliminate(subsets, shifts, first, k);
      const passed = succeeded(factor);
      if (passed.includes(0)) {
        const good = Array.from(passed.keys()).filter((index) => passed[index] === 1);
        if (good.length === 0) return subsets.map(() => null);
        const again = this.countBatch(
          good.map((index) => subsets[index]),
          good.map((index) => shifts[index]),
          first,
        );
        return subsets.map((_, index) => (passed[index] === 1 ? again[good.indexOf(index)] : null));
      }
      const eigenvalues = valuesOf(eigvalsh(complement)) as Float64Array;
      const growth = squaredNormBounds(triangularSolve(factor, solved, { adjoint: true }));
      const rest = k - first;
      return subsets.map((subset, index) => {
        const ofComplement = eigenvalues.subarray(index * rest, (index + 1) * rest);
        let above = first;
        let size = 0;
        let nearest = -Infinity;
        for (const value of ofComplement) {
          size += Math.abs(value);
          if (value > 0) above++;
          else nearest = Math.max(nearest, value);
        }
        const { columns } = this.gram;
        const slack = statisticalSlack(columns, k, this.gram.trace(subset)) + statisticalSlack(0, rest, size);
        // A tenth of it is kept for the rounding in W.
        return { above, slack, reach: (0.9 * -nearest) / (1 + growth[index]) };
      });
    });
  }
}

/** Upper bounds of the squared spectral norm of each matrix of a stack: ||W||^4 <= ||W W^T||_F^2. */
function squaredNormBounds(w: tf.Tensor): ArrayLike<number> {
  const products = tf.matMul(w as tf.Tensor3D, w as tf.Tensor3D, false, true);
  return valuesOf(tf.sqrt(tf.sum(tf.square(products), [1, 2])));
}
