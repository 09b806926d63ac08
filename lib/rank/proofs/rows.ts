import { InputError } from '../../input-error';
import type { Matrix } from '../../tensor';

/** The rows of a feature matrix `[T, d]`, checked, in float64, scaled by a power of two so that none overflows a Gram. */
export interface Rows {
  readonly count: number;
  readonly columns: number;
  /** Row-major, as they came: another subset may need another scale. */
  readonly original: Float32Array | Float64Array;
  /** The same in float64, scaled; the largest magnitude is in [0.5, 1), unless all is zero. */
  readonly values: Float64Array;
  /** ||x_i||^2, `[T]`. */
  readonly squaredNorms: Float64Array;
  /** The first row that equals row i, -1 where row i is zero; null when all rows differ and none is zero. */
  readonly twins: Int32Array | null;
}

/**
 * Checks and scales a matrix. Scaling by a power of two changes no rank, and is exact but for numbers some 2^-1022 times
 * smaller than the largest.
 *
 * @throws InputError naming the row when a value is NaN or infinite, or when the matrix has no rows or no columns.
 */
export function prepareRows(features: Matrix): Rows {
  const [count, columns] = features.shape;
  if (!(count > 0 && columns > 0)) {
    throw new InputError(
      `the features need at least one row and one column, but their shape is [${count}, ${columns}].`,
    );
  }
  if (features.data.length !== count * columns) {
    throw new InputError(
      `features of shape [${count}, ${columns}]: expected ${count * columns} values, got ${features.data.length}`,
    );
  }
  let largest = 0;
  for (let i = 0; i < features.data.length; i++) {
    const magnitude = Math.abs(features.data[i]);
    if (!(magnitude < Infinity)) {
      const row = Math.floor(i / columns);
      throw new InputError(
        `the features must be finite, but row ${row} (counted from 0) holds ${features.data[i]} in column ${i % columns}.`,
      );
    }
    if (magnitude > largest) largest = magnitude;
  }
  const values = new Float64Array(features.data);
  scaleByPowerOfTwo(values, -exponentAbove(largest));
  const squaredNorms = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) sum += values[i] * values[i];
    squaredNorms[row] = sum;
  }
  return {
    count,
    columns,
    original: features.data,
    values,
    squaredNorms,
    twins: findTwins(features.data, count, columns),
  };
}

/** The smallest e with `magnitude` < 2^e; 0 for 0. */
export function exponentAbove(magnitude: number): number {
  if (magnitude === 0) return 0;
  let exponent = Math.floor(Math.log2(magnitude)) + 1;
  // The logarithm may be rounded across a power of two.
  while (magnitude >= 2 ** exponent) exponent++;
  while (magnitude < 2 ** (exponent - 1)) exponent--;
  return exponent;
}

/** Multiplies in place by 2^exponent, in two steps where that factor itself would over- or underflow. */
export function scaleByPowerOfTwo(values: Float64Array, exponent: number): void {
  const half = Math.trunc(exponent / 2);
  const steps = Math.abs(exponent) < 1000 ? [2 ** exponent] : [2 ** half, 2 ** (exponent - half)];
  for (const factor of steps) if (factor !== 1) for (let i = 0; i < values.length; i++) values[i] *= factor;
}

/** Copies the rows `chosen` of a matrix with so many columns, in that order, into `target` `[chosen, columns]`. */
export function gatherRows(
  values: Float32Array | Float64Array,
  columns: number,
  chosen: ArrayLike<number>,
  target: Float64Array = new Float64Array(chosen.length * columns),
): Float64Array {
  for (let i = 0; i < chosen.length; i++) {
    target.set(values.subarray(chosen[i] * columns, (chosen[i] + 1) * columns), i * columns);
  }
  return target;
}

/** The rows `chosen`, times the power of two that puts the largest of all their magnitudes into [1/2, 1). */
export function gatherScaled(
  { original, columns }: Rows,
  chosen: ArrayLike<number>,
  target: Float64Array = new Float64Array(chosen.length * columns),
): Float64Array {
  gatherRows(original, columns, chosen, target);
  scaleByPowerOfTwo(target, -exponentAbove(largestOf(target)));
  return target;
}

/** The largest magnitude. */
export function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest;
}

function findTwins(values: Float32Array | Float64Array, count: number, columns: number): Int32Array | null {
  const twins = new Int32Array(count);
  const rowsByKey = new Map<number, number[]>();
  let found = false;
  for (let row = 0; row < count; row++) {
    const start = row * columns;
    // Equal rows have equal keys; that rows with equal keys are equal has to be seen.
    let key = 0;
    let zero = true;
    for (let j = 0; j < columns; j++) {
      const value = values[start + j];
      if (value !== 0) zero = false;
      key = key * 0.75 + value;
    }
    const candidates = rowsByKey.get(key) ?? [];
    const twin = candidates.find((other) => sameRow(values, other * columns, start, columns));
    twins[row] = zero ? -1 : (twin ?? row);
    if (zero || twin !== undefined) found = true;
    else rowsByKey.set(key, [...candidates, row]);
  }
  return found ? twins : null;
}

function sameRow(values: Float32Array | Float64Array, a: number, b: number, columns: number): boolean {
  for (let j = 0; j < columns; j++) if (values[a + j] !== values[b + j]) return false;
  return true;
}

export function isZeroRow({ twins }: Rows, row: number): boolean {
  return twins !== null && twins[row] < 0;
}

/** Whether all rows of a subset are equal. */
export function areEqualRows({ twins }: Rows, subset: Int32Array): boolean {
  return twins !== null && subset.every((row) => twins[row] === twins[subset[0]]);
}

/** Whether a subset holds a zero row or two equal rows: then it is dependent, whatever the tolerance. */
export function hasZeroOrRepeatedRow(rows: Rows, subset: Int32Array): boolean {
  if (rows.twins === null) return false;
  const seen = new Set<number>();
  for (const row of subset) {
    const twin = rows.twins[row];
    if (twin < 0 || seen.has(twin)) return true;
    seen.add(twin);
  }
  return false;
}

/** Euclidean length. */
export function norm(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i] * vector[i];
  return Math.sqrt(sum);
}
