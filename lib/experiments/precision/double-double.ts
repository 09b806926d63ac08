/**
 * Double-double arithmetic: an unevaluated sum hi + lo of two doubles, about 32 decimal digits. Just what the forward
 * pass of one query vector needs, to measure how far float64 is from the truth.
 *
 * Dekker, "A floating-point technique for extending the available precision" (Numer. Math. 18, 1971); Hida, Li and Bailey's
 * QD library for the order of the operations. JavaScript has no fused multiply-add, so products are split (Veltkamp).
 */
export interface DoubleDouble {
  readonly hi: number;
  readonly lo: number;
}

/** Vectors of double-doubles. */
export interface DoubleDoubles {
  readonly hi: Float64Array;
  readonly lo: Float64Array;
}

const SPLITTER = 2 ** 27 + 1;

export const dd = (hi: number, lo = 0): DoubleDouble => ({ hi, lo });
export const zeros = (length: number): DoubleDoubles => ({
  hi: new Float64Array(length),
  lo: new Float64Array(length),
});
export const at = ({ hi, lo }: DoubleDoubles, index: number): DoubleDouble => ({ hi: hi[index], lo: lo[index] });
export function put(vector: DoubleDoubles, index: number, { hi, lo }: DoubleDouble): void {
  vector.hi[index] = hi;
  vector.lo[index] = lo;
}

/** a + b exactly, as sum and error (Knuth). */
function twoSum(a: number, b: number): DoubleDouble {
  const hi = a + b;
  const part = hi - a;
  return { hi, lo: a - (hi - part) + (b - part) };
}

/** a + b exactly where |a| >= |b|. */
function quickTwoSum(a: number, b: number): DoubleDouble {
  const hi = a + b;
  return { hi, lo: b - (hi - a) };
}

/** a b exactly, as product and error. */
function twoProduct(a: number, b: number): DoubleDouble {
  const hi = a * b;
  const aWide = SPLITTER * a;
  const aHi = aWide - (aWide - a);
  const aLo = a - aHi;
  const bWide = SPLITTER * b;
  const bHi = bWide - (bWide - b);
  const bLo = b - bHi;
  return { hi, lo: aHi * bHi - hi + aHi * bLo + aLo * bHi + aLo * bLo };
}

export function add(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const sum = twoSum(a.hi, b.hi);
  const tail = twoSum(a.lo, b.lo);
  const middle = quickTwoSum(sum.hi, sum.lo + tail.hi);
  return quickTwoSum(middle.hi, middle.lo + tail.lo);
}

export const negate = ({ hi, lo }: DoubleDouble): DoubleDouble => ({ hi: -hi, lo: -lo });
export const subtract = (a: DoubleDouble, b: DoubleDouble): DoubleDouble => add(a, negate(b));

export function multiply(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const product = twoProduct(a.hi, b.hi);
  return quickTwoSum(product.hi, product.lo + a.hi * b.lo + a.lo * b.hi);
}

export function divide(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const first = a.hi / b.hi;
  const rest = subtract(a, multiply(b, dd(first)));
  const second = rest.hi / b.hi;
  const last = subtract(rest, multiply(b, dd(second)));
  return add(quickTwoSum(first, second), dd(last.hi / b.hi));
}

/** For a > 0 (one Newton step from the double's root). */
export function squareRoot(a: DoubleDouble): DoubleDouble {
  if (a.hi === 0) return a;
  const root = Math.sqrt(a.hi);
  const rest = subtract(a, twoProduct(root, root));
  return add(dd(root), dd(rest.hi / (2 * root)));
}

const LN2 = dd(0.6931471805599453, 2.3190468138462996e-17);

/** e^a: reduced by multiples of ln 2 and by 2^-9, Taylor, squared nine times. */
export function exponential(a: DoubleDouble): DoubleDouble {
  const twos = Math.round(a.hi / LN2.hi);
  const reduced = subtract(a, multiply(LN2, dd(twos)));
  const x = dd(reduced.hi / 512, reduced.lo / 512);
  // e^x - 1, so that the squarings lose nothing: (1 + s)^2 - 1 = 2 s + s^2.
  let term = x;
  let sum = x;
  for (let n = 2; n <= 12; n++) {
    term = divide(multiply(term, x), dd(n));
    sum = add(sum, term);
  }
  for (let i = 0; i < 9; i++) sum = add(dd(2 * sum.hi, 2 * sum.lo), multiply(sum, sum));
  const { hi, lo } = add(dd(1), sum);
  return dd(hi * 2 ** twos, lo * 2 ** twos);
}

/** 2 / sqrt(pi). */
const TWO_OVER_ROOT_PI = dd(1.1283791670955126, 1.533545961316588e-17);

/** erf(a) by its all-positive series, 2/sqrt(pi) e^(-a^2) sum 2^n a^(2n+1) / (1 3 5 ... (2n+1)). */
export function errorFunction(a: DoubleDouble): DoubleDouble {
  if (Math.abs(a.hi) > 8.5) return dd(Math.sign(a.hi)); // erfc(8.5) is 3e-33
  const square = multiply(a, a);
  const doubled = dd(2 * square.hi, 2 * square.lo);
  let term = a;
  let sum = a;
  for (let n = 1; Math.abs(term.hi) > 1e-34 * Math.abs(sum.hi); n++) {
    term = divide(multiply(term, doubled), dd(2 * n + 1));
    sum = add(sum, term);
  }
  return multiply(multiply(TWO_OVER_ROOT_PI, exponential(negate(square))), sum);
}

/** Sum of x_i y_i, both double-doubles; `offset`s say where the two stretches begin. */
export function dot(
  x: DoubleDoubles,
  y: DoubleDoubles,
  length: number,
  xOffset = 0,
  yOffset = 0,
  xStride = 1,
): DoubleDouble {
  let hi = 0;
  let lo = 0;
  for (let i = 0; i < length; i++) {
    const a = x.hi[xOffset + i * xStride];
    const b = y.hi[yOffset + i];
    // twoProduct and add, written out: this is where the time goes.
    const product = a * b;
    const aWide = SPLITTER * a;
    const aHi = aWide - (aWide - a);
    const aLo = a - aHi;
    const bWide = SPLITTER * b;
    const bHi = bWide - (bWide - b);
    const bLo = b - bHi;
    const error =
      aHi * bHi - product + aHi * bLo + aLo * bHi + aLo * bLo + a * y.lo[yOffset + i] + x.lo[xOffset + i * xStride] * b;
    const sum = hi + product;
    const part = sum - hi;
    lo += hi - (sum - part) + (product - part) + error;
    hi = sum;
  }
  return quickTwoSum(hi, lo);
}

/** A matrix or vector of doubles, ready for {@link linear} and {@link dot}. */
export function exactly(values: ArrayLike<number>): DoubleDoubles {
  return { hi: Float64Array.from(values), lo: new Float64Array(values.length) };
}

/** W x + b: `[m, d]`, `[m]` and `[d]` -> `[m]`. */
export function linear(weight: DoubleDoubles, bias: ArrayLike<number> | null, x: DoubleDoubles): DoubleDoubles {
  const d = x.hi.length;
  const m = weight.hi.length / d;
  const result = zeros(m);
  for (let row = 0; row < m; row++) {
    // The matrix second: its lower parts are zero, and x is read from its beginning.
    const product = dot(x, weight, d, 0, row * d);
    put(result, row, bias ? add(product, dd(bias[row])) : product);
  }
  return result;
}
