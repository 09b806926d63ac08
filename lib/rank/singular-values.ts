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
  const values = svdOf(prepareRows(matrix).values, count, columns);
  scaleByPowerOfTwo(values, exponentAbove(largestOf(matrix.data)));
  return values;
}

/**
 * The singular values of the rows in `subset`, descending, one for each row (zeros where there are more rows than
 * columns), up to a common power of two, by SVD in float64.
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
  [...multiplicity.keys()].forEach((row, index) =>
    gathered.set(rows.original.subarray(row * columns, (row + 1) * columns), index * columns),
  );
  scaleByPowerOfTwo(gathered, -exponentAbove(largestOf(gathered)));
  let next = 0;
  for (const times of multiplicity.values()) {
    const weight = Math.sqrt(times);
    for (const end = next + columns; next < end; next++) gathered[next] *= weight;
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

/** Of values whose largest is near 1. */
function svdOf(values: Float64Array, count: number, columns: number): Float64Array {
  return inFloat64(() => Float64Array.from(valuesOf(svdvals(toTensor(values, [count, columns])))));
}

function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest;
}
