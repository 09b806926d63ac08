/** What the numbers of a matrix look like before any test. */
import { prepareRows, exponentAbove } from '../../rank/proofs/rows';
import type { Matrix } from '../../tensor';

export interface FeatureSummary {
  readonly norms: { readonly min: number; readonly median: number; readonly max: number };
  readonly zeroRows: readonly number[];
  /** Rows that repeat an earlier one, with the first of their kind. */
  readonly repeatedRows: readonly { readonly row: number; readonly equals: number }[];
  /** ||mean of the rows||^2 over the mean of ||row||^2: 1 when all rows are equal, 0 when they cancel. */
  readonly meanShare: number;
  /**
   * The relative spacing of the numbers: 2^-52 for float64, 2^-23 for what was float32 once, wherever it is kept now,
   * 10^-5 for a text with six digits; 0 for whole numbers, which are taken as exact.
   */
  readonly resolution: number;
}

/** Norms, rows that make every test fail, and how finely the numbers are spaced. */
export function summarize(features: Matrix): FeatureSummary {
  const [T, d] = features.shape;
  const { values, squaredNorms, twins } = prepareRows(features);
  let largest = 0;
  for (const value of features.data) largest = Math.max(largest, Math.abs(value));
  const scale = 2 ** exponentAbove(largest);
  const zeroRows: number[] = [];
  const repeatedRows: { row: number; equals: number }[] = [];
  twins?.forEach((twin, row) => {
    if (twin < 0) zeroRows.push(row);
    else if (twin !== row) repeatedRows.push({ row, equals: twin });
  });
  const mean = new Float64Array(d);
  values.forEach((value, i) => (mean[i % d] += value / T));
  const squares = squaredNorms.reduce((sum, square) => sum + square / T, 0);
  const norms = squaredNorms.map((square) => Math.sqrt(square) * scale).sort();
  return {
    norms: { min: norms[0], median: (norms[(T - 1) >> 1] + norms[T >> 1]) / 2, max: norms[T - 1] },
    zeroRows,
    repeatedRows,
    meanShare: squares === 0 ? 0 : mean.reduce((sum, value) => sum + value * value, 0) / squares,
    resolution: resolutionOf(features.data),
  };
}

/** Enough numbers to see how they were written. */
const LOOKED_AT = 2 ** 20;

/**
 * How finely the numbers are spaced, relative to their size. A matrix that was computed in float32 and is kept as float64,
 * or was written with few digits, has been rounded all the same, and its numbers show it.
 */
function resolutionOf(all: Float32Array | Float64Array): number {
  const data = all.subarray(0, LOOKED_AT);
  if (data.every(Number.isSafeInteger)) return 0;
  const bits = significantBits(data);
  const binary = 2 ** (1 - bits);
  if (bits <= 24) return binary;
  const digits = significantDigits(data);
  return digits < 16 ? Math.max(binary, Number(`1e${1 - digits}`)) : binary;
}

/** The most binary digits that any of the numbers needs: 53 in float64, 24 in float32, 11 in float16, 8 in bfloat16. */
function significantBits(data: Float32Array | Float64Array): number {
  const most = data instanceof Float32Array ? 24 : 53;
  const float = new Float64Array(1);
  const words = new Uint32Array(float.buffer);
  const trailingZeros = (word: number) => 31 - Math.clz32(word & -word);
  let bits = 1;
  for (const value of data) {
    float[0] = value;
    // Of the 52 digits behind the point, the low word holds 32 (the machines that TensorFlow runs on are little-endian).
    const [low, high] = [words[0], words[1] & 0xfffff];
    if (low !== 0) bits = Math.max(bits, 53 - trailingZeros(low));
    else if (high !== 0) bits = Math.max(bits, 21 - trailingZeros(high));
    if (bits >= most) return most;
  }
  return bits;
}

/** The most decimal digits that any of the numbers needs to be told from its neighbours; from 16 on not counted further. */
function significantDigits(data: Float32Array | Float64Array): number {
  let digits = 1;
  for (const value of data) {
    digits = Math.max(digits, Math.abs(value).toExponential().split('e')[0].replace('.', '').length);
    if (digits >= 16) return digits;
  }
  return digits;
}
