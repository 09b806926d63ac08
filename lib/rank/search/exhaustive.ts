/** Every subset of one size, judged one by one: the last word where there are few enough. */
import { begin } from '../../work';
import { cholesky, type Independence } from './independence';

/** The number of k-subsets of T rows; Infinity beyond 2^1024. */
export function subsetCount(T: number, k: number): number {
  let count = 1;
  for (let i = 1; i <= Math.min(k, T - k); i++) count = (count * (T - i + 1)) / i;
  return Math.round(count);
}

/** The power of ten next to the number of k-subsets of T rows, whatever its size. */
export function subsetExponent(T: number, k: number): number {
  let exponent = 0;
  for (let i = 1; i <= Math.min(k, T - k); i++) exponent += Math.log10((T - i + 1) / i);
  return Math.round(exponent);
}

/** Multiplications to be expected for all k-subsets, each by one Cholesky factorization. */
export function exhaustiveCost(T: number, k: number): number {
  return subsetCount(T, k) * cholesky(k);
}

/**
 * The first dependent k-subset in lexicographic order; null: then all are independent, and all smaller ones too;
 * undefined where verdicts cost more than `operations` before that was known.
 */
export async function firstDependentSubset(
  independence: Independence,
  k: number,
  operations: number,
): Promise<number[] | null | undefined> {
  const T = independence.count;
  const { spent } = independence;
  const set = Array.from({ length: k }, (_, i) => i);
  const total = subsetCount(T, k);
  const work = begin(`all ${total} sets of ${k} rows`, total);
  try {
    for (let done = 0; ; done++) {
      if (independence.dependent(set)) return [...set];
      if (independence.spent - spent > operations) return undefined;
      await work.advance(done);
      let last = k - 1;
      while (last >= 0 && set[last] === T - k + last) last--;
      if (last < 0) return null;
      set[last]++;
      for (let i = last + 1; i < k; i++) set[i] = set[i - 1] + 1;
    }
  } finally {
    work.end();
  }
}
