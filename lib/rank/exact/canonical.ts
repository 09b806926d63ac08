/** Rows `[k, d]` in lexicographic order: what is computed from them depends no longer on the order in which they came. */
export function sortedRows(rows: Float64Array, k: number, d: number): Float64Array {
  const order = Array.from({ length: k }, (_, i) => rows.subarray(i * d, (i + 1) * d)).sort((a, b) => {
    let j = 0;
    while (j < d && a[j] === b[j]) j++;
    return j === d ? 0 : a[j] - b[j];
  });
  const all = new Float64Array(k * d);
  order.forEach((row, i) => all.set(row, i * d));
  return all;
}

/** The values times the power of two that puts the largest magnitude into [1/2, 1); null where one would be rounded. */
export function scaledExactly(values: Float64Array): Float64Array | null {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  const exponent = Math.floor(Math.log2(largest)) + 1;
  // Twice half the power, so that neither factor over- or underflows.
  const half = Math.trunc(-exponent / 2);
  const [first, second] = [2 ** half, 2 ** (-exponent - half)];
  const scaled = values.map((value) => value * first * second);
  for (let i = 0; i < scaled.length; i++) if (scaled[i] / first / second !== values[i]) return null;
  return scaled;
}
