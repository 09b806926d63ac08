import { inFloat64, svdvals, toTensor, valuesOf, type Matrix } from '../../tensor';
import { exponentAbove, gatherScaled, largestOf, prepareRows, scaleByPowerOfTwo, type Rows } from './rows';

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

/** Subsets whose SVDs run together, each on a core of its own. */
export const SVDS_TOGETHER = 4;

/**
 * The singular values of the rows of each subset (all of one size), descending, one for each row (zeros where there are more
 * rows than columns), up to a common power of two a subset, by SVD in float64.
 */
export function singularValuesOfSubsets(rows: Rows, subsets: readonly Int32Array[]): Float64Array[] {
  if (rows.twins !== null) return subsets.map((subset) => withRepeatedRows(rows, rows.twins!, subset));
  const { columns } = rows;
  const all: Float64Array[] = [];
  for (let start = 0; start < subsets.length; start += SVDS_TOGETHER) {
    const batch = subsets.slice(start, start + SVDS_TOGETHER);
    const k = batch[0].length;
    const gathered = new Float64Array(batch.length * k * columns);
    batch.forEach((subset, index) => {
      gatherScaled(rows, subset, gathered.subarray(index * k * columns, (index + 1) * k * columns));
    });
    const each = Math.min(k, columns);
    const values = inFloat64(() => valuesOf(svdvals(toTensor(gathered, [batch.length, k, columns]))) as Float64Array);
    batch.forEach((_, index) => {
      const one = new Float64Array(k);
      one.set(values.subarray(index * each, (index + 1) * each));
      all.push(one);
    });
  }
  return all;
}

/**
 * Equal rows are first replaced by one of them times the square root of their number, which changes no singular value but
 * the zeros it takes away: the constant class token of an embedding costs the SVD of one row.
 */
function withRepeatedRows(rows: Rows, twins: Int32Array, subset: Int32Array): Float64Array {
  const { columns } = rows;
  const multiplicity = new Map<number, number>();
  for (const row of subset) {
    if (twins[row] >= 0) multiplicity.set(twins[row], (multiplicity.get(twins[row]) ?? 0) + 1);
  }
  const gathered = gatherScaled(rows, [...multiplicity.keys()]);
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
  return singularValuesOfSubsets(rows, subsets).map((values) =>
    values[0] === 0 ? 0 : values[values.length - 1] / values[0],
  );
}

/** {@link sigmaRatios} of one subset. */
export function sigmaRatioOf(rows: Rows, subset: Int32Array): number {
  return sigmaRatios(rows, [subset])[0];
}

/** Of values whose largest is near 1. */
function svdOf(values: Float64Array, count: number, columns: number): Float64Array {
  return inFloat64(() => Float64Array.from(valuesOf(svdvals(toTensor(values, [count, columns])))));
}
