import { squareRoot } from './integers';

/**
 * The Cholesky factor R `[k, k]` (lower triangle, A ~ R R^T) of a symmetric matrix of integers in whole numbers, or null where
 * a pivot is not positive.
 *
 * Sums of products are exact; only quotients and roots are cut to whole numbers. So R R^T = A - E exactly, with |E_ij| below
 * the pivot r_jj, and twice that on the diagonal. As r_jj^2 <= a_jj, ||E|| <= {@link factorError}: the factor proves that every
 * eigenvalue of A is above -||E||, a pivot that is not positive that one is at most ||E||. (The argument is that of Higham,
 * Accuracy and Stability of Numerical Algorithms, 2nd ed., section 10.1, with the unit 1 in place of rounding.)
 */
export function integerCholesky(lower: readonly (readonly bigint[])[], shift: bigint): bigint[][] | null {
  const factor: bigint[][] = [];
  for (const [i, row] of lower.entries()) {
    const own: bigint[] = [];
    for (let j = 0; j < i; j++) {
      const other = factor[j];
      let rest = row[j];
      for (let l = 0; l < j; l++) rest -= own[l] * other[l];
      own.push(rest / other[j]);
    }
    let pivot = row[i] - shift;
    for (const value of own) pivot -= value * value;
    if (pivot <= 0n) return null;
    own.push(squareRoot(pivot));
    factor.push(own);
  }
  return factor;
}

/** A bound of ||E|| above, for diagonal elements of at most `largest`: k + 1 times the largest pivot. */
export function factorError(k: number, largest: bigint): bigint {
  return BigInt(k + 1) * (squareRoot(largest) + 1n);
}

/** (R R^T)^-1 x to the last whole number or so, for a factor R and x in whole numbers; `bits` more of them are kept. */
export function solveIntegers(factor: readonly (readonly bigint[])[], x: readonly bigint[], bits: number): bigint[] {
  const k = factor.length;
  const extra = BigInt(bits);
  const y: bigint[] = [];
  for (let i = 0; i < k; i++) {
    let rest = x[i] << extra;
    for (let j = 0; j < i; j++) rest -= factor[i][j] * y[j];
    y.push(rest / factor[i][i]);
  }
  for (let i = k - 1; i >= 0; i--) {
    let rest = y[i] << extra;
    for (let j = i + 1; j < k; j++) rest -= factor[j][i] * y[j];
    y[i] = rest / factor[i][i];
  }
  return y;
}
