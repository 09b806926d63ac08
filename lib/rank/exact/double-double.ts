/**
 * Matrices of unevaluated sums hi + lo, |lo| <= u |hi|, u = 2^-53: some 106 bits. Sums and products of two doubles are found
 * without error (Knuth's two-sum; Veltkamp's splitting and Dekker's product, for a language without fused multiply-add), which
 * holds as long as nothing overflows; what underflows is below 2^-1070 a term.
 *
 * Error bounds below leave out terms in u^3, for which there is room in their constants.
 */
export interface DoubleDoubles {
  readonly hi: Float64Array;
  readonly lo: Float64Array;
}

/** 2^27 + 1: splits a double into two halves of at most 26 bits each. */
const SPLITTER = 134217729;
/** Terms whose sum is kept without being normalized. */
const BLOCK = 8;
const UNIT_SQUARED = 2 ** -106;

/** Rows to be multiplied, each number split once: hi = high + (hi - high). */
export interface SplitRows extends DoubleDoubles {
  readonly high: Float64Array;
  readonly columns: number;
}

export function splitRows(hi: Float64Array, lo: Float64Array, columns: number): SplitRows {
  return { hi, lo, high: hi.map(highHalf), columns };
}

export function exactly(values: Float64Array): DoubleDoubles {
  return { hi: values, lo: new Float64Array(values.length) };
}

export function highHalf(value: number): number {
  const shifted = SPLITTER * value;
  return shifted - (shifted - value);
}

/**
 * The inner product of the first `n` numbers of row i of `a` and row j of `b`, added to `target` at `index`. Its error is at
 * most {@link dotError}(n) times the product of the two norms.
 *
 * A block of 8 terms is summed as Ogita, Rump and Oishi's Dot2 does (SIAM J. Sci. Comput. 26, 2005), low parts in plain
 * float64: with X = sum |x_l y_l| these err by at most (8 + 4)^2 u^2 X; adding up n / 8 blocks, by at most 3 n / 8 u^2 X + 22 u^2 X.
 */
export function dot(a: SplitRows, i: number, b: SplitRows, j: number, n: number, target: DoubleDoubles, index: number) {
  const { hi: xh, lo: xl, high: x1 } = a;
  const { hi: yh, lo: yl, high: y1 } = b;
  let p = i * a.columns;
  let q = j * b.columns;
  const end = p + n;
  let total = 0;
  let rest = 0;
  while (p < end) {
    const stop = Math.min(end, p + BLOCK);
    let sum = 0;
    let lost = 0;
    for (; p < stop; p++, q++) {
      const x = xh[p];
      const y = yh[q];
      const product = x * y;
      const xHigh = x1[p];
      const yHigh = y1[q];
      const xLow = x - xHigh;
      const yLow = y - yHigh;
      const error = xLow * yLow - (product - xHigh * yHigh - xLow * yHigh - xHigh * yLow);
      const next = sum + product;
      const added = next - sum;
      lost += sum - (next - added) + (product - added) + (error + (x * yl[q] + xl[p] * y));
      sum = next;
    }
    const next = total + sum;
    const added = next - total;
    const low = rest + lost + (total - (next - added) + (sum - added));
    total = next + low;
    const back = total - next;
    rest = next - (total - back) + (low - back);
  }
  target.hi[index] = total;
  target.lo[index] = rest;
}

/** See {@link dot}: 144 + 22, and 3 n / 8. */
export function dotError(n: number): number {
  return (200 + n / 2) * UNIT_SQUARED;
}

/** a x b to 16 u^2, relative: both normalized. */
export function multiply(ah: number, al: number, bh: number, bl: number): [hi: number, lo: number] {
  const product = ah * bh;
  const a1 = highHalf(ah);
  const b1 = highHalf(bh);
  const a2 = ah - a1;
  const b2 = bh - b1;
  const error = a2 * b2 - (product - a1 * b1 - a2 * b1 - a1 * b2);
  return twoSum(product, error + (ah * bl + al * bh));
}

/** a + b to 8 u^2 (|a| + |b|). */
export function add(ah: number, al: number, bh: number, bl: number): [hi: number, lo: number] {
  const sum = ah + bh;
  const added = sum - ah;
  return twoSum(sum, ah - (sum - added) + (bh - added) + (al + bl));
}

export function twoSum(a: number, b: number): [hi: number, lo: number] {
  const sum = a + b;
  const added = sum - a;
  return [sum, a - (sum - added) + (b - added)];
}

/** The lower triangle of A A^T, row by row with stride k, for A `[k, n]`; row i of a lower triangular A has i + 1 numbers. */
export function gramOf(rows: SplitRows, k: number, shape: 'full' | 'lower triangular'): DoubleDoubles {
  const gram = { hi: new Float64Array(k * k), lo: new Float64Array(k * k) };
  for (let i = 0; i < k; i++) {
    for (let j = 0; j <= i; j++) dot(rows, i, rows, j, shape === 'full' ? rows.columns : j + 1, gram, i * k + j);
  }
  return gram;
}
