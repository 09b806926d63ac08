/** A matrix outside of TensorFlow: row i is `data.subarray(i * columns, (i + 1) * columns)`. */
export interface Matrix {
  /** Row-major, `shape[0] * shape[1]` values. */
  readonly data: Float32Array | Float64Array;
  readonly shape: readonly [rows: number, columns: number];
}
