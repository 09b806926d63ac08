/** How finely the numbers of a matrix are spaced, whatever type they are kept in. */

/** Enough numbers to see how they were written. */
const LOOKED_AT = 2 ** 20;

/**
 * How finely the numbers are spaced, relative to their size. A matrix that was computed in float32 and is kept as float64,
 * or was written with few digits, has been rounded all the same, and its numbers show it.
 */
export function resolutionOf(all: Float32Array | Float64Array): number {
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
