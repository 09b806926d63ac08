import type { ExactDecision } from './decision';
import { decideByIntegers } from './multiprecision';

/**
 * Decides whether sigma_min > ratio * sigma_max, strictly, for rows `[k, d]` whose float64 values stand for exactly the
 * rationals that they are. What it says is proved, and depends neither on the order of the rows nor on the kernels that
 * multiply elsewhere. Where the two are closer than some 2^-234, relative, `independent` is null: equality is not told from it.
 *
 * k > d rows, and rows that all are zero, are dependent. A ratio of 1 or more leaves nothing independent.
 *
 * @throws RangeError when a value is not finite, the shape does not fit or the ratio is not above 0.
 */
export function decideExactly(
  rows: Float64Array,
  shape: readonly [k: number, d: number],
  ratio: number,
): ExactDecision {
  const [k, d] = shape;
  if (rows.length !== k * d || k < 1) throw new RangeError(`expected ${k} x ${d} values, got ${rows.length}`);
  if (!(ratio > 0)) throw new RangeError(`expected a ratio above 0, got ${ratio}`);
  if (k > d || ratio >= 1 || rows.every((value) => value === 0)) {
    return { independent: false, method: 'definition', within: null };
  }
  return decideByIntegers(rows, [k, d], ratio);
}
