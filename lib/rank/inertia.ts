import { eigvalsh, valuesOf } from '../tensor';
import { batchSize, succeeded, type Gram } from './gram';
import { inFloat64 } from './in-float64';

/** What one factorization says about the eigenvalues of a subset's Gram. */
export interface Inertia {
  /** How many are above the shift. */
  readonly above: number;
  /** What rounding may have moved eigenvalues by. */
  readonly slack: number;
}

/**
 * Counts eigenvalues above a shift without computing them (Sylvester's law of inertia).
 *
 * With the shifted Gram in blocks, G - s I = [A B; B^T D], and A positive definite of size `first`, Haynsworth's formula
 * gives its positive eigenvalues as `first` plus those of the Schur complement D - B^T A^-1 B, which is small.
 */
export class InertiaCounter {
  /** Rows in A, as a share of k: as many as keep A positive definite. */
  private share = 0.25;

  constructor(private readonly gram: Gram) {}

  /** Null for a subset whose first block is not positive definite. */
  count(subsets: readonly Int32Array[], shifts: readonly number[]): (Inertia | null)[] {
    const results: (Inertia | null)[] = [];
    if (subsets.length === 0) return results;
    const k = subsets[0].length;
    const size = batchSize(k);
    for (let start = 0; start < subsets.length; start += size) {
      const first = Math.max(1, Math.min(k - 1, Math.floor(this.share * k)));
      const batch = subsets.slice(start, start + size).map((subset) => spreadFirst(subset, first));
      const counted = this.countBatch(batch, shifts.slice(start, start + size), first);
      results.push(...counted);
      const failed = counted.some((inertia) => inertia === null);
      this.share = failed ? Math.max(0.02, this.share - 0.04) : Math.min(0.98, this.share + 0.01);
    }
    return results;
  }

  private countBatch(subsets: readonly Int32Array[], shifts: readonly number[], first: number): (Inertia | null)[] {
    const k = subsets[0].length;
    return inFloat64(() => {
      const { factor, complement } = this.gram.eliminate(subsets, shifts, first, k);
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
      const rest = k - first;
      return subsets.map((subset, index) => {
        const ofComplement = eigenvalues.subarray(index * rest, (index + 1) * rest);
        let above = first;
        let size = 0;
        for (const value of ofComplement) {
          size += Math.abs(value);
          if (value > 0) above++;
        }
        const slack =
          2 ** -53 * 1.01 * ((this.gram.columns + 2 * k + 16) * this.gram.trace(subset) + (8 * rest + 16) * size);
        return { above, slack };
      });
    });
  }
}

/** The subset with `first` of its rows, evenly spread, before all others: neighbours are often alike. */
function spreadFirst(subset: Int32Array, first: number): Int32Array {
  const k = subset.length;
  const ordered = new Int32Array(k);
  let leading = 0;
  let trailing = first;
  for (let i = 0; i < k; i++) {
    const leads = Math.floor(((i + 1) * first) / k) > Math.floor((i * first) / k);
    ordered[leads ? leading++ : trailing++] = subset[i];
  }
  return ordered;
}
