import { bitLength, toIntegers } from './integers';

/** Rows `[T, d]` of rationals, each as integers times a power of two of its own: x_i = rows[i] 2^exponents[i]. */
export interface RationalRows {
  readonly count: number;
  readonly columns: number;
  readonly rows: readonly (readonly bigint[])[];
  readonly exponents: readonly number[];
}

/**
 * Floats stand for the rationals that they are, whole numbers of any size for themselves.
 *
 * @throws RangeError when a value is not finite or the shape does not fit.
 */
export function rationalRows(
  values: ArrayLike<number | bigint>,
  [count, columns]: readonly [rows: number, columns: number],
): RationalRows {
  if (values.length !== count * columns) {
    throw new RangeError(`expected ${count} x ${columns} values, got ${values.length}`);
  }
  const parts = Array.from({ length: count }, (_, row) =>
    toIntegers(Array.from({ length: columns }, (_, j) => values[row * columns + j])),
  );
  return {
    count,
    columns,
    rows: parts.map(({ integers }) => integers),
    exponents: parts.map(({ exponent }) => exponent),
  };
}

/**
 * The integers of each row in float64, times a power of two that puts its largest magnitude into [1/2, 1]: off by at most 2^-53 of
 * that. Exact where a row spans no more than 53 bits.
 */
export function inFloat64({ rows, count, columns }: RationalRows): Float64Array {
  const values = new Float64Array(count * columns);
  rows.forEach((row, i) => {
    const bits = row.reduce((most, value) => Math.max(most, bitLength(value)), 0);
    // Number() rounds a bigint to nearest; beyond its range the lowest bits go first, of which none is seen in the result.
    const drop = Math.max(0, bits - 900);
    row.forEach((value, j) => {
      values[i * columns + j] = Number(value >> BigInt(drop)) * 2 ** (drop - bits);
    });
  });
  return values;
}
