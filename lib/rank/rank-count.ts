import { eigvalsh, tf, valuesOf } from '../tensor';
import { inFloat64 } from './in-float64';
import { batchSize } from './gram';
import { NEAR, type IndependenceTest } from './independence';
import { SMALLEST_TRACE, eigenvalueSlack } from './rounding';
import { subsetSingularValues } from './singular-values';
import { rankAt } from './tolerance';

/** The rank of a subset of rows at a tolerance. */
export interface CountedRank {
  readonly rank: number;
  /**
   * The singular value nearest to the tolerance, divided by the tolerance, when it lies within 1e-6 of it; null when none
   * does.
   */
  readonly nearest: number | null;
}

/** Ranks of subsets of one size: from the eigenvalues of their Grams, and by SVD where those are too coarse. */
export function countRanks(test: IndependenceTest, subsets: readonly Int32Array[]): CountedRank[] {
  const ranks: CountedRank[] = [];
  if (subsets.length === 0) return ranks;
  const size = batchSize(subsets[0].length);
  for (let start = 0; start < subsets.length; start += size) {
    const batch = subsets.slice(start, start + size);
    const eigenvalues = gramEigenvalues(test, batch);
    batch.forEach((subset, index) => {
      const k = subset.length;
      const ascending = eigenvalues.subarray(index * k, (index + 1) * k);
      const trace = test.gram.trace(subset);
      const rank = rankFromEigenvalues(ascending, test.rows.columns, trace, test.tolerance(k), NEAR);
      ranks.push(rank === null ? rankBySvd(test, subset) : { rank, nearest: null });
    });
  }
  return ranks;
}

function gramEigenvalues(test: IndependenceTest, subsets: readonly Int32Array[]): Float64Array {
  const unshifted = subsets.map(() => 0);
  return inFloat64(() => valuesOf(eigvalsh(test.gram.leading(subsets, unshifted, subsets[0].length))) as Float64Array);
}

/**
 * The rank of k rows in `columns` dimensions from the eigenvalues of their Gram, ascending; null where one is so near to the
 * squared tolerance that rounding could have carried it across, or where `near` is relative to that tolerance.
 */
export function rankFromEigenvalues(
  ascending: Float64Array,
  columns: number,
  trace: number,
  tolerance: number,
  near = 0,
): number | null {
  const k = ascending.length;
  if (trace < SMALLEST_TRACE) return null;
  const slack = eigenvalueSlack(columns, k, trace);
  const bound = tolerance ** 2 * ascending[k - 1];
  const low = bound * (1 - 2.1 * near) - 2 * slack;
  const high = bound * (1 + 2.1 * near) + 2 * slack;
  let rank = 0;
  for (const value of ascending) {
    if (value >= low && value <= high) return null;
    if (value > high) rank++;
  }
  return low > 0 || rank === k ? rank : null;
}

/** The rank as its definition has it. */
export function rankBySvd(test: IndependenceTest, subset: Int32Array): CountedRank {
  return rankOf(subsetSingularValues(test.rows, subset), test.tolerance(subset.length));
}

export function rankOf(singularValues: Float64Array, tolerance: number): CountedRank {
  const bound = tolerance * singularValues[0];
  let nearest: number | null = null;
  for (const value of singularValues) {
    const distance = Math.abs(value / bound - 1);
    if (distance <= NEAR && (nearest === null || distance < Math.abs(nearest - 1))) nearest = value / bound;
  }
  return { rank: rankAt(singularValues, tolerance), nearest };
}
