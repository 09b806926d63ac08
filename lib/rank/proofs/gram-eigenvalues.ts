import { eigvalsh, inFloat64, valuesOf } from '../../tensor';
import { batchSize, type Gram } from './gram';
import { eigenvalueSlack, SMALLEST_TRACE } from './rounding';

/** What the eigenvalues of a subset's Gram say. */
export interface FromEigenvalues {
  /** Null where the eigenvalues cannot tell. */
  readonly rank: number | null;
  /** A proved interval of sigma_max^2. */
  readonly largest: readonly [low: number, high: number];
}

/** Ranks of subsets of one size from the eigenvalues of their Grams. */
export function ranksFromGram(
  gram: Gram,
  subsets: readonly Int32Array[],
  tolerance: number,
  near = 0,
): FromEigenvalues[] {
  const found: FromEigenvalues[] = [];
  if (subsets.length === 0) return found;
  const k = subsets[0].length;
  const size = batchSize(k);
  for (let start = 0; start < subsets.length; start += size) {
    const batch = subsets.slice(start, start + size);
    const unshifted = batch.map(() => 0);
    const eigenvalues = inFloat64(() => valuesOf(eigvalsh(gram.leading(batch, unshifted, k))) as Float64Array);
    batch.forEach((subset, i) => {
      const ascending = eigenvalues.subarray(i * k, (i + 1) * k);
      const trace = gram.trace(subset);
      const slack = eigenvalueSlack(gram.columns, k, trace);
      found.push({
        rank: rankFromEigenvalues(ascending, gram.columns, trace, tolerance, near),
        largest: [ascending[k - 1] - slack, ascending[k - 1] + slack],
      });
    });
  }
  return found;
}

/**
 * The rank of k rows in `columns` dimensions from the eigenvalues of their Gram, ascending; null where one is so near to the
 * squared tolerance that rounding could have carried it across, or where it is within `near` (relative, of singular values).
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
