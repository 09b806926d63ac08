/**
 * Cholesky factorization and triangular solves in plain JavaScript, for matrices so small that a call into TensorFlow would
 * cost more. Matrices are lower triangles, row by row, `stride` elements apart; the other triangle is not read.
 */

/**
 * Overwrites A `[n, n]` by the factor L of A - shift I. Returns how many rows passed: n where the matrix is positive
 * definite; if fewer, row number `passed` holds L^-1 times its products with the rows before it.
 */
export function factorize(a: Float64Array, n: number, shift = 0): number {
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j < i; j++) {
      a[row + j] = (a[row + j] - dot(a, row, a, j * n, j)) / a[j * n + j];
    }
    const pivot = a[row + i] - shift - dot(a, row, a, row, i);
    // Written so that NaN does not pass.
    if (!(pivot > 0)) return i;
    a[row + i] = Math.sqrt(pivot);
  }
  return n;
}

/** x <- L^-1 x for the first n rows of L. */
export function solveLower(l: Float64Array, stride: number, n: number, x: Float64Array): void {
  for (let i = 0; i < n; i++) x[i] = (x[i] - dot(l, i * stride, x, 0, i)) / l[i * stride + i];
}

/** x <- L^-T x for the first n rows of L. */
export function solveTransposed(l: Float64Array, stride: number, n: number, x: Float64Array): void {
  for (let i = n - 1; i >= 0; i--) {
    const row = i * stride;
    x[i] /= l[row + i];
    for (let j = 0; j < i; j++) x[j] -= l[row + j] * x[i];
  }
}

/** a[p ...] · b[q ...]. Four sums at once: one alone waits for each addition to finish before it starts the next. */
export function dot(a: Float64Array, p: number, b: Float64Array, q: number, length: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let t = 0;
  for (; t + 3 < length; t += 4) {
    s0 += a[p + t] * b[q + t];
    s1 += a[p + t + 1] * b[q + t + 1];
    s2 += a[p + t + 2] * b[q + t + 2];
    s3 += a[p + t + 3] * b[q + t + 3];
  }
  for (; t < length; t++) s0 += a[p + t] * b[q + t];
  return s0 + s1 + (s2 + s3);
}
