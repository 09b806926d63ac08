import { inFloat64, type tf } from '../../tensor';
import { batchSize, type Gram } from './gram';
import { SMALLEST_TRACE, UNIT } from './rounding';
import { verifiedEigenvalues, type VerifiedEigenvalues } from './verified-eigenvalues';

/** Ranks of subsets of one size from the eigenvalues of their Grams; null where they cannot tell. */
export function ranksFromGram(
  gram: Gram,
  subsets: readonly Int32Array[],
  tolerance: number,
  near: number,
): (number | null)[] {
  if (subsets.length === 0) return [];
  const k = subsets[0].length;
  const ranks: (number | null)[] = [];
  const size = batchSize(k);
  for (let start = 0; start < subsets.length; start += size) {
    const batch = subsets.slice(start, start + size);
    const unshifted = batch.map(() => 0);
    const eigenvalues = inFloat64(() => verifiedEigenvalues(gram.leading(batch, unshifted, k) as tf.Tensor3D));
    batch.forEach((subset, i) => {
      ranks.push(rankFromEigenvalues(eigenvalues, i, gram.columns, gram.trace(subset), tolerance, near));
    });
  }
  return ranks;
}

/**
 * The rank of rows in `columns` dimensions from the eigenvalues of their Gram, number `index` of a stack, given its trace; null
 * where one is so near to the squared tolerance that rounding could have carried it across, or where a singular value is within
 * `near` of the tolerance, relative.
 */
export function rankFromEigenvalues(
  { n: k, values, errors }: VerifiedEigenvalues,
  index: number,
  columns: number,
  trace: number,
  tolerance: number,
  near = 0,
): number | null {
  if (!(trace >= SMALLEST_TRACE)) return null;
  const ofGram = (columns + 8) * UNIT * 1.01 * trace;
  const last = (index + 1) * k - 1;
  const largest = [values[last] - errors[last] - ofGram, values[last] + errors[last] + ofGram];
  const low = tolerance ** 2 * largest[0] * (1 - near) ** 2;
  const high = tolerance ** 2 * largest[1] * (1 + near) ** 2;
  let rank = 0;
  for (let i = index * k; i <= last; i++) {
    const error = errors[i] + ofGram;
    if (values[i] - error > high) rank++;
    else if (!(values[i] + error < low)) return null;
  }
  return rank;
}
