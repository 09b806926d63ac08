/** Below this part of the longest row, what is left of a row is rounding. */
const FLOOR = 2 ** -56;

/**
 * A lower triangular W `[k, k]` such that the rows of W A are nearly orthonormal, for A `[k, d]` with its rows in the order that
 * comes back: the inverse of L in A = L Q by modified Gram-Schmidt with pivoting (Higham, Accuracy and Stability of Numerical
 * Algorithms, 2nd ed., section 19.8). Plain float64: what uses it proves what it needs of W A.
 */
export function orthonormalizer(
  rows: Float64Array,
  k: number,
  d: number,
): { inverse: Float64Array; order: Int32Array } {
  const rest = rows.slice();
  const order = Int32Array.from({ length: k }, (_, i) => i);
  const factor = new Float64Array(k * k);
  let longest = 0;
  for (let i = 0; i < k; i++) {
    let pivot = i;
    let most = -1;
    for (let place = i; place < k; place++) {
      const start = order[place] * d;
      let square = 0;
      for (let j = start; j < start + d; j++) square += rest[j] * rest[j];
      if (square > most) {
        most = square;
        pivot = place;
      }
    }
    [order[i], order[pivot]] = [order[pivot], order[i]];
    const length = Math.sqrt(most);
    if (i === 0) longest = length;
    const start = order[i] * d;
    const own = order[i] * k + i;
    factor[own] = Math.max(length, FLOOR * longest);
    for (let j = start; j < start + d; j++) rest[j] /= factor[own];
    for (let place = i + 1; place < k; place++) {
      const other = order[place] * d;
      let product = 0;
      for (let j = 0; j < d; j++) product += rest[start + j] * rest[other + j];
      for (let j = 0; j < d; j++) rest[other + j] -= product * rest[start + j];
      factor[order[place] * k + i] = product;
    }
  }
  return { inverse: invert(factor, order, k), order };
}

/** The inverse of the lower triangle whose row i is row order[i] of `factor`. */
function invert(factor: Float64Array, order: Int32Array, k: number): Float64Array {
  const inverse = new Float64Array(k * k);
  for (let i = 0; i < k; i++) {
    const row = order[i] * k;
    const own = inverse.subarray(i * k, i * k + i + 1);
    for (let l = 0; l < i; l++) {
      const weight = factor[row + l];
      for (let j = 0; j <= l; j++) own[j] -= weight * inverse[l * k + j];
    }
    own[i] = 1;
    for (let j = 0; j <= i; j++) own[j] /= factor[row + i];
  }
  return inverse;
}
