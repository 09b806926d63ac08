import { add, dot, dotError, highHalf, twoSum, type DoubleDoubles, type SplitRows } from './double-double';

/** The bound of ||E|| / ||R||_F^2 below: quotients and roots are right to 30 u^2, relative, the two differences to 8 each. */
export function choleskyError(k: number): number {
  return 1.01 * (dotError(k) + 100 * 2 ** -106);
}

/** Pivots below this, in the scale of elements near 1, may have lost low parts to underflow. */
const SMALLEST_PIVOT = 2 ** -800;

/**
 * Whether a symmetric matrix (lower triangle, stride k) is positive definite, up to `slack`: 'positive' proves that all its
 * eigenvalues are above -slack, 'not positive' that one is below slack; null, that neither is proved.
 *
 * A factorization that runs to its end is exact for A + E, and one that meets a pivot <= 0 shows that A + E is not positive
 * definite, with |E_ij| <= c (norm of row i) (norm of row j) for the factor R as it was computed, c the sum of the relative errors of an
 * inner product, the differences and a quotient; so ||E|| <= c ||R||_F^2 (Higham, Accuracy and Stability of Numerical Algorithms, 2nd
 * ed., section 10.1). R is at hand: the bound is compared with `slack`.
 */
export function definiteness(
  matrix: DoubleDoubles,
  k: number,
  shift: number,
  slack: number,
): 'positive' | 'not positive' | null {
  const factor: SplitRows = {
    hi: new Float64Array(k * k),
    lo: new Float64Array(k * k),
    high: new Float64Array(k * k),
    columns: k,
  };
  const product = { hi: new Float64Array(1), lo: new Float64Array(1) };
  let squares = 0;
  let positive = true;
  for (let i = 0; i < k && positive; i++) {
    for (let j = 0; j <= i; j++) {
      const at = i * k + j;
      dot(factor, i, factor, j, j, product, 0);
      let [hi, lo] = add(matrix.hi[at], matrix.lo[at], -product.hi[0], -product.lo[0]);
      if (j < i) [hi, lo] = divide(hi, lo, factor.hi[j * k + j], factor.lo[j * k + j]);
      else {
        [hi, lo] = add(hi, lo, -shift, 0);
        if (!(hi > 0)) {
          positive = false;
          squares += Math.abs(matrix.hi[at]) + Math.abs(shift);
          break;
        }
        if (hi < SMALLEST_PIVOT) return null;
        [hi, lo] = squareRoot(hi, lo);
      }
      factor.hi[at] = hi;
      factor.lo[at] = lo;
      factor.high[at] = highHalf(hi);
      squares += hi * hi;
    }
    if (positive) squares += Math.abs(shift);
  }
  if (!(choleskyError(k) * squares * 1.01 <= slack)) return null;
  return positive ? 'positive' : 'not positive';
}

/** a / b to 30 u^2, relative: one Newton step on the quotient of the leading parts. */
export function divide(ah: number, al: number, bh: number, bl: number): [hi: number, lo: number] {
  const quotient = ah / bh;
  const [product, error] = twoProduct(quotient, bh);
  return twoSum(quotient, (ah - product - error + al - quotient * bl) / bh);
}

/** The root to 15 u^2, relative. */
function squareRoot(hi: number, lo: number): [hi: number, lo: number] {
  const root = Math.sqrt(hi);
  const [product, error] = twoProduct(root, root);
  return twoSum(root, (hi - product - error + lo) / (2 * root));
}

function twoProduct(a: number, b: number): [hi: number, lo: number] {
  const product = a * b;
  const a1 = highHalf(a);
  const b1 = highHalf(b);
  const a2 = a - a1;
  const b2 = b - b1;
  return [product, a2 * b2 - (product - a1 * b1 - a2 * b1 - a1 * b2)];
}
