import type { ExactDecision } from './decision';
import { add, dot, dotError, gramOf, multiply, splitRows, type DoubleDoubles, type SplitRows } from './double-double';
import { choleskyError, definiteness } from './double-double-cholesky';
import { largestEigenvalue } from './largest-eigenvalue';
import { orthonormalizer } from './preconditioner';

/** Products of numbers this small, in the scale of the largest, would lose their low parts. */
const SMALLEST = 2 ** -400;
/** The longest that W may be, and the smallest ratio. */
const LONGEST = 2 ** 200;
const SMALLEST_RATIO = 2 ** -60;
const UNIT_SQUARED = 2 ** -106;

/**
 * Decides by double-double arithmetic, up to a distance from the tolerance of some k (k + d) 2^-106 / ratio, relative.
 *
 * A Gram of that precision alone would be too coarse where the tolerance is near 2^-53. So with W nonsingular and the rows of
 * W A nearly orthonormal (found in float64, by whatever means) the matrix
 *
 *     M = W (A A^T - s I) W^T = (W A) (W A)^T - s W W^T
 *
 * has as many negative eigenvalues as A A^T - s I (Sylvester's law of inertia), and the one of M that belongs to a sigma_min
 * near to sqrt(s) is near to 1 - s / sigma_min^2, not lost beside sigma_max^2. M is computed in double-double, its error is
 * bounded, and its definiteness decided for s = ratio^2 lambda_max, taken from above (independent) and from below (dependent).
 *
 * @param rows `[k, d]`, k <= d, in a canonical order, the largest magnitude in [1/2, 1)
 * @returns null where it does not apply: numbers of too different sizes, a ratio below 2^-60
 */
export function decideByDoubleDouble(
  rows: Float64Array,
  [k, d]: readonly [number, number],
  ratio: number,
): ExactDecision | null {
  if (!(ratio >= SMALLEST_RATIO) || rows.some((value) => value !== 0 && Math.abs(value) < SMALLEST)) return null;
  const { inverse, order } = orthonormalizer(rows, k, d);
  if (!(squaresOf(inverse) < LONGEST ** 2)) return null;
  const values = new Float64Array(k * d);
  order.forEach((row, i) => values.set(rows.subarray(row * d, (row + 1) * d), i * d));
  const zeros = new Float64Array(k * d);
  const columns = splitRows(transposed(values, k, d), zeros, k);
  const bracket = largestEigenvalue(splitRows(values, zeros, d), columns, squaresOf(values));
  if (bracket === null) return null;
  const [square, lost] = multiply(ratio, 0, ratio, 0);
  const shifted = new ShiftedGram(inverse, columns, multiply(...bracket.theta, square, lost));
  // The products above are right to 2^-100.
  const width = bracket.width * 1.01 + 2 ** -99;
  const decided = (independent: boolean | null, within: number | null = null) =>
    ({ independent, method: 'double-double', within }) as const;
  if (shifted.definiteness(width) === 'positive') return decided(true);
  if (shifted.definiteness(-width) === 'not positive') return decided(false);
  for (let near = 2 * width; near < 1; near *= 4) {
    if (shifted.definiteness(width - near) !== 'positive') continue;
    if (shifted.definiteness(near - width) === 'not positive') return decided(null, near);
  }
  return decided(null, 1);
}

/** M above, for s near to a given one. */
class ShiftedGram {
  private readonly k: number;
  private readonly ofRows: DoubleDoubles;
  private readonly ofInverse: DoubleDoubles;
  private readonly error: number;
  private readonly slack: number;

  /** `inverse` is W, lower triangular `[k, k]`; `columns` is A as `[d, k]`; `s` = hi + lo. */
  constructor(
    inverse: Float64Array,
    columns: SplitRows,
    private readonly s: readonly [hi: number, lo: number],
  ) {
    const k = columns.columns;
    const d = columns.hi.length / k;
    this.k = k;
    const weights = splitRows(inverse, new Float64Array(k * k), k);
    const product = { hi: new Float64Array(k * d), lo: new Float64Array(k * d) };
    for (let i = 0; i < k; i++) for (let j = 0; j < d; j++) dot(weights, i, columns, j, i + 1, product, i * d + j);
    this.ofRows = gramOf(splitRows(product.hi, product.lo, d), k, 'full');
    this.ofInverse = gramOf(weights, k, 'lower triangular');
    // Squares of Frobenius norms.
    const [w, a, wa] = [inverse, columns.hi, product.hi].map(squaresOf);
    // Twice s bounds all that it is taken for.
    const shift = 2 * s[0] * w;
    const ofProduct = dotError(k) * Math.sqrt(w * a) * 1.01;
    const ofDifference = 40 * UNIT_SQUARED;
    this.error =
      1.01 *
      (ofProduct * (2 * Math.sqrt(wa) + ofProduct) +
        (dotError(d) + ofDifference) * wa +
        (dotError(k) + ofDifference) * shift);
    this.slack = 4 * choleskyError(k) * (wa + shift);
  }

  /** Whether A A^T - s (1 + relative) I is: proved 'positive' definite, proved not to be, or neither. */
  definiteness(relative: number): 'positive' | 'not positive' | null {
    const { k, ofRows, ofInverse, s, error, slack } = this;
    const [sh, sl] = add(s[0], s[1], s[0] * relative, 0);
    const matrix = { hi: new Float64Array(k * k), lo: new Float64Array(k * k) };
    for (let i = 0; i < k; i++) {
      for (let at = i * k; at <= i * (k + 1); at++) {
        const [hi, lo] = multiply(-sh, -sl, ofInverse.hi[at], ofInverse.lo[at]);
        [matrix.hi[at], matrix.lo[at]] = add(ofRows.hi[at], ofRows.lo[at], hi, lo);
      }
    }
    const sure = error + slack;
    if (definiteness(matrix, k, sure, slack) === 'positive') return 'positive';
    return definiteness(matrix, k, -sure, slack) === 'not positive' ? 'not positive' : null;
  }
}

function squaresOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

function transposed(values: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j];
  return result;
}
