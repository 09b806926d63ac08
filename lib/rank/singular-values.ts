import { svdvals, toTensor, valuesOf, tf, type Matrix } from '../tensor';
import { inFloat64 } from './in-float64';
import { exponentAbove, prepareRows, scaleByPowerOfTwo, type Rows } from './rows';

/**
 * The singular values of a matrix, descending, by an SVD in float64: the oracle of every verdict here. Their number is
 * min(rows, columns); matrices near overflow or underflow are scaled first.
 *
 * @throws InputError when a value is not finite, or there is none.
 */
export function singularValues(matrix: Matrix): Float64Array {
  const [count, columns] = matrix.shape;
  let largest = 0;
  for (const value of matrix.data) largest = Math.max(largest, Math.abs(value));
  const rows = prepareRows(matrix);
  const values = svdOf(rows.values.slice(), count, columns);
  scaleByPowerOfTwo(values, exponentAbove(largest));
  return values;
}

/**
 * The singular values of the rows in `subset`, descending, one for each row (zeros where there are more rows than
 * columns), in the scale of `rows`, by SVD in float64.
 *
 * Equal rows are first replaced by one of them times the square root of their number, which changes no singular value but
 * the zeros it takes away: the constant class token of an embedding costs the SVD of one row.
 */
export function subsetSingularValues(rows: Rows, subset: Int32Array): Float64Array {
  const { columns } = rows;
  const multiplicity = new Map<number, number>();
  for (const row of subset) {
    const twin = rows.twins === null ? row : rows.twins[row];
    if (twin >= 0) multiplicity.set(twin, (multiplicity.get(twin) ?? 0) + 1);
  }
  const gathered = new Float64Array(multiplicity.size * columns);
  let next = 0;
  for (const [row, times] of multiplicity) {
    const weight = Math.sqrt(times);
    const start = row * columns;
    for (let j = 0; j < columns; j++) gathered[next++] = weight * rows.values[start + j];
  }
  const all = new Float64Array(subset.length);
  if (multiplicity.size > 0) all.set(svdOf(gathered, multiplicity.size, columns).subarray(0, subset.length));
  return all;
}

/** sigma_min / sigma_max of a subset, by SVD in float64; 0 when all rows are zero. */
export function sigmaRatioOf(rows: Rows, subset: Int32Array): number {
  const values = subsetSingularValues(rows, subset);
  return values[0] === 0 ? 0 : values[subset.length - 1] / values[0];
}

/** `values` is scaled in place. */
function svdOf(values: Float64Array, count: number, columns: number): Float64Array {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return new Float64Array(Math.min(count, columns));
  const exponent = exponentAbove(largest);
  scaleByPowerOfTwo(values, -exponent);
  const sigmas = inFloat64(() => Float64Array.from(valuesOf(svdvals(toTensor(values, [count, columns])))));
  scaleByPowerOfTwo(sigmas, exponent);
  return sigmas;
}
