/** From a dependent set to a small one, and from a small one to a minimal one. */
import type { Independence } from './independence';
import { nullVector } from './null-vector';

/**
 * The shortest dependent prefix of an order of rows, or null when its first `limit` rows are independent. Prefixes are
 * nested, so the verdict turns once and bisection finds where.
 */
export function dependentPrefix(independence: Independence, order: ArrayLike<number>, limit: number): number[] | null {
  const rows = Array.from(order).slice(0, limit);
  if (rows.length === 0 || !independence.dependent(rows)) return null;
  let independent = 0;
  let dependent = rows.length;
  while (dependent - independent > 1) {
    const middle = (independent + dependent) >> 1;
    if (independence.dependent(rows.slice(0, middle))) dependent = middle;
    else independent = middle;
  }
  return rows.slice(0, dependent);
}

/** Drops rows of a dependent set that its nearest-to-zero combination hardly uses, as long as that makes it smaller. */
export function shrink(independence: Independence, set: readonly number[]): number[] {
  let current = [...set];
  for (;;) {
    const smaller = dependentPrefix(independence, byWeight(independence, current), current.length);
    if (smaller === null || smaller.length >= current.length) return current;
    current = smaller;
  }
}

/** A minimal dependent set inside a dependent one: no row can be left out. Sorted by row number. */
export function minimal(independence: Independence, set: readonly number[]): number[] {
  let current = shrink(independence, set);
  // A row that cannot be left out now cannot be left out later either: the sets only get smaller.
  const needed = new Set<number>();
  for (;;) {
    const order = byWeight(independence, current).reverse();
    const removable = order.find((row) => {
      if (needed.has(row)) return false;
      const without = current.filter((other) => other !== row);
      if (without.length > 0 && independence.dependent(without)) return true;
      needed.add(row);
      return false;
    });
    if (removable === undefined) return current.sort((a, b) => a - b);
    current = shrink(
      independence,
      current.filter((row) => row !== removable),
    );
  }
}

/** The set's rows, those with the largest part in the combination first (each weighed by the length it contributes). */
function byWeight(independence: Independence, set: readonly number[]): number[] {
  const vector = nullVector(independence, set);
  const weight = new Map(set.map((row, i) => [row, Math.abs(vector[i]) * Math.sqrt(independence.squaredNorms[row])]));
  return [...set].sort((a, b) => weight.get(b)! - weight.get(a)! || a - b);
}
