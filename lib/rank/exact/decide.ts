import { scaledExactly, sortedRows } from './canonical';
import type { ExactDecision } from './decision';
import { decideByDoubleDouble } from './by-double-double';
import { decideByIntegers } from './multiprecision';

/** Multiplications of integers of some hundred bits, ten million a second: what is spent where nothing else is said. */
const AFFORDABLE = 6e6;
/** Up to so many rows whole numbers are as fast. */
const FEW = 3;

/**
 * Decides whether sigma_min > ratio * sigma_max, strictly, for rows `[k, d]` whose float64 values stand for exactly the
 * rationals that they are. What it says is proved, and depends neither on the order of the rows nor on kernels.
 *
 * By double-double first: a millisecond for 16 rows, some ten for 64, half a second for 384. What that leaves (a distance from the
 * tolerance below 1e-14 for 64 rows at float64's tolerance, and ratios below 2^-60) is decided by multiprecision where its
 * k^2 (d + 3 k) multiplications are within `affordable`; then only a distance below some 2^-234, in practice equality,
 * is left. `independent` is null where neither decides.
 *
 * k > d rows, and rows of which one is zero, are dependent. A ratio of 1 or more leaves nothing independent.
 *
 * @throws RangeError when a value is not finite, the shape does not fit or the ratio is not above 0.
 */
export function decideExactly(
  rows: Float64Array,
  shape: readonly [k: number, d: number],
  ratio: number,
  affordable = AFFORDABLE,
): ExactDecision {
  const [k, d] = shape;
  if (rows.length !== k * d || k < 1) throw new RangeError(`expected ${k} x ${d} values, got ${rows.length}`);
  if (!rows.every(Number.isFinite)) throw new RangeError('expected finite values');
  if (!(ratio > 0)) throw new RangeError(`expected a ratio above 0, got ${ratio}`);
  if (k > d || ratio >= 1 || hasZeroRow(rows, d)) return { independent: false, method: 'definition', within: null };
  const sorted = sortedRows(rows, k, d);
  const scaled = k > FEW ? scaledExactly(sorted) : null;
  const first = scaled && decideByDoubleDouble(scaled, shape, ratio);
  if (first !== null && first.independent !== null) return first;
  if (k * k * (d + 3 * k) > affordable) return first ?? { independent: null, method: 'double-double', within: 1 };
  return decideByIntegers(sorted, shape, ratio);
}

function hasZeroRow(rows: Float64Array, d: number): boolean {
  for (let start = 0; start < rows.length; start += d) {
    if (rows.subarray(start, start + d).every((value) => value === 0)) return true;
  }
  return false;
}
