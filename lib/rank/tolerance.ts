import { InputError } from '../input-error';
import { epsilonOf } from '../tensor';

/**
 * What counts as zero beside the largest singular value: the tolerance that PyTorch takes for a matrix of that
 * precision, or a plain ratio.
 */
export type Rtol = 'float32' | 'float64' | number;

/**
 * The ratio to sigma_max above which a singular value of a `rows` x `columns` matrix counts: PyTorch's
 * max(rows, columns) * eps for a named precision (`torch.linalg.matrix_rank`), the number itself otherwise.
 *
 * @throws InputError when a number is not strictly between 0 and 1, or below max(rows, columns) 2^-53: rounding of the numbers
 * themselves moves singular values by as much.
 */
export function relativeTolerance(rtol: Rtol, rows: number, columns: number): number {
  if (rtol === 'float32' || rtol === 'float64') return Math.max(rows, columns) * epsilonOf(rtol);
  if (!(typeof rtol === 'number' && rtol > 0 && rtol < 1)) {
    throw new InputError(`rtol: expected float32, float64 or a number between 0 and 1, got '${String(rtol)}'`);
  }
  const least = Math.max(rows, columns) * 2 ** -53;
  if (rtol >= least) return rtol;
  throw new InputError(
    `rtol: expected at least ${least.toPrecision(2)}, which float64 tells from rounding with ${rows} x ${columns} numbers, got ${rtol}; ` +
      `for linear independence without a tolerance use rank --exact`,
  );
}

/** How many of the singular values are strictly greater than `tolerance` times the largest: the rank at that tolerance. */
export function rankAt(singularValues: ArrayLike<number>, tolerance: number): number {
  let largest = 0;
  for (let i = 0; i < singularValues.length; i++) largest = Math.max(largest, singularValues[i]);
  let rank = 0;
  for (let i = 0; i < singularValues.length; i++) if (singularValues[i] > tolerance * largest) rank++;
  return rank;
}
