/** From a dependent set to a small one, and from a small one to a minimal one. */
import type { Independence } from './independence';
import { nullVector, singularVectors } from './null-vector';

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

/**
 * A minimal dependent set inside a dependent one: no row can be left out. Each round leaves out the row without which
 * the others stay nearest to dependence. Sorted by row number.
 */
export function minimal(independence: Independence, set: readonly number[]): number[] {
  let current = shrink(independence, set);
  if (independence.exactly) return independence.exactly.circuit(current);
  for (;;) {
    const row = current.length > 1 && current.length <= independence.columns ? removable(independence, current) : null;
    if (row === null) return current.sort((a, b) => a - b);
    current = shrink(
      independence,
      current.filter((other) => other !== row),
    );
  }
}

/**
 * A row without which the set is still dependent, or null.
 *
 * One SVD tells about all rows: with lambda_j = sigma_j^2 and left singular vectors u_j, the eigenvalues of the Gram
 * without row i are the zeros of f_i(mu) = sum_j u_ij^2 / (lambda_j - mu) (Golub, "Some modified matrix eigenvalue
 * problems", 1973), one between each two of the lambda_j. Between the two smallest f_i rises from -inf to inf, so
 * f_i(t^2) < 0 says that no singular value without row i is below t. Where the tolerance without row i is known too
 * roughly for that, the verdict is asked for.
 */
function removable(independence: Independence, set: readonly number[]): number | null {
  const k = set.length;
  const { sigma, left } = singularVectors(independence, set);
  const ratio = independence.ratio(k - 1);
  const largest = sigma[0];
  const value = (i: number, t: number): number => {
    if (sigma[k - 2] <= t) return Infinity;
    if (sigma[k - 1] >= t) return -Infinity;
    let sum = 0;
    for (let j = 0; j < k; j++) sum += left[i * k + j] ** 2 / (sigma[j] - t) / (sigma[j] + t);
    return sum;
  };
  const doubtful: { row: number; value: number }[] = [];
  let best: { row: number; value: number } | null = null;
  for (let i = 0; i < k; i++) {
    const high = value(i, ratio * largest * 1.001);
    if (high < 0) continue;
    // sigma_max without row i: no smaller than its Rayleigh quotient at the first singular vector less that row.
    const share = Math.min(1, left[i * k] ** 2);
    const low = value(i, ratio * largest * Math.sqrt(1 - share) * 0.999);
    if (low > 0 && (best === null || low > best.value)) best = { row: set[i], value: low };
    doubtful.push({ row: set[i], value: high });
  }
  const without = (row: number) => set.filter((other) => other !== row);
  if (best !== null && independence.dependent(without(best.row))) return best.row;
  doubtful.sort((a, b) => b.value - a.value);
  return doubtful.find(({ row }) => independence.dependent(without(row)))?.row ?? null;
}

/** The set's rows, those with the largest part in the combination first (each weighed by the length it contributes). */
function byWeight(independence: Independence, set: readonly number[]): number[] {
  const vector = nullVector(independence, set);
  const weight = new Map(set.map((row, i) => [row, Math.abs(vector[i]) * Math.sqrt(independence.squaredNorms[row])]));
  return [...set].sort((a, b) => weight.get(b)! - weight.get(a)! || a - b);
}
