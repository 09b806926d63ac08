import { svdvals, toTensor, valuesOf, type Matrix } from '../tensor';
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
  gather(rows, [...multiplicity.keys()], gathered);
  let next = 0;
  for (const times of multiplicity.values()) {
    const weight = Math.sqrt(times);
    for (const end = next + columns; next < end; next++) gathered[next] *= weight;
  }
  const all = new Float64Array(subset.length);
  if (multiplicity.size > 0) all.set(svdOf(gathered, multiplicity.size, columns).subarray(0, subset.length));
  return all;
}

/** sigma_min / sigma_max of each subset, by SVD in float64; 0 where all rows are zero. */
export function sigmaRatios(rows: Rows, subsets: readonly Int32Array[]): number[] {
  const ratio = (values: Float64Array) => (values[0] === 0 ? 0 : values[values.length - 1] / values[0]);
  if (subsets.length === 0) return [];
  if (rows.twins !== null) return subsets.map((subset) => ratio(subsetSingularValues(rows, subset)));
  return svdTogether(rows, subsets).map(ratio);
}

/** {@link sigmaRatios} of one subset. */
export function sigmaRatioOf(rows: Rows, subset: Int32Array): number {
  return sigmaRatios(rows, [subset])[0];
}

/** The SVDs of a stack run on all cores, each on one. */
function svdTogether(rows: Rows, subsets: readonly Int32Array[]): Float64Array[] {
  const { columns } = rows;
  const k = subsets[0].length;
  const gathered = new Float64Array(subsets.length * k * columns);
  subsets.forEach((subset, index) => {
    const part = gathered.subarray(index * k * columns, (index + 1) * k * columns);
    gather(rows, subset, part);
  });
  const each = Math.min(k, columns);
  const all = inFloat64(() => valuesOf(svdvals(toTensor(gathered, [subsets.length, k, columns]))) as Float64Array);
  return subsets.map((_, index) => all.slice(index * each, (index + 1) * each));
}

/** Copies rows, scaled so that the largest of all their elements is near 1. */
function gather({ original, columns }: Rows, chosen: ArrayLike<number>, target: Float64Array): void {
  for (let i = 0; i < chosen.length; i++) {
    target.set(original.subarray(chosen[i] * columns, (chosen[i] + 1) * columns), i * columns);
  }
  scaleByPowerOfTwo(target, -exponentAbove(largestOf(target)));
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
