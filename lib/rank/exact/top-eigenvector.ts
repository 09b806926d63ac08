/** Squarings after which eigenvalues that still are not told apart agree to 2^-40: either's vector will do. */
const MOST_SQUARINGS = 40;
const SETTLED = 2 ** -45;

/**
 * Near to the eigenvector of the largest eigenvalue of a positive semidefinite `[k, k]` matrix (full, row by row), by repeated
 * squaring: each doubles the number of steps of a power iteration. Float64; nothing is proved of it.
 */
export function topEigenvector(gram: Float64Array, k: number): Float64Array {
  let power = normalized(gram, k);
  for (let step = 0; step < MOST_SQUARINGS; step++) {
    const squared = normalized(square(power, k), k);
    let change = 0;
    for (let i = 0; i < squared.length; i++) change = Math.max(change, Math.abs(squared[i] - power[i]));
    power = squared;
    if (change < SETTLED) break;
  }
  let longest = 0;
  for (let i = 1; i < k; i++) if (power[i * k + i] > power[longest * k + longest]) longest = i;
  return power.slice(longest * k, (longest + 1) * k);
}

/** Divided by the trace. */
function normalized(matrix: Float64Array, k: number): Float64Array {
  let trace = 0;
  for (let i = 0; i < k; i++) trace += matrix[i * k + i];
  return matrix.map((value) => value / trace);
}

/** A A for a symmetric A. */
function square(a: Float64Array, k: number): Float64Array {
  const product = new Float64Array(k * k);
  for (let i = 0; i < k; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let p = i * k, q = j * k, end = p + k; p < end; p++, q++) sum += a[p] * a[q];
      product[i * k + j] = product[j * k + i] = sum;
    }
  }
  return product;
}
