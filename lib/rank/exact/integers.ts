/** Matrices of floats as the rationals that they are: integers times one power of two. */

/** 2^52, the weight of a double's leading bit in units of its last. */
const LEADING = 2 ** 52;

/** A double as m * 2^exponent with an odd (or zero) whole number |m| < 2^53. Throws a `RangeError` when it is not finite. */
export function dyadic(value: number): { mantissa: number; exponent: number } {
  if (!Number.isFinite(value)) throw new RangeError(`expected a finite number, got ${value}`);
  if (value === 0) return { mantissa: 0, exponent: 0 };
  let mantissa = value;
  let exponent = 0;
  // Each factor is a power of two that neither overflows nor rounds.
  while (Math.abs(mantissa) >= 2 * LEADING) {
    mantissa *= 2 ** -64;
    exponent += 64;
    if (!Number.isInteger(mantissa)) break;
  }
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2 ** 32;
    exponent -= 32;
  }
  while (Math.abs(mantissa) >= 2 * LEADING) {
    mantissa /= 2;
    exponent++;
  }
  const zeros = trailingZeros(mantissa);
  return { mantissa: mantissa / 2 ** zeros, exponent: exponent + zeros };
}

/** Of a safe integer other than 0. */
function trailingZeros(value: number): number {
  const low = (Math.abs(value) % 2 ** 32) | 0;
  if (low !== 0) return 31 - Math.clz32(low & -low);
  const high = Math.abs(value) / 2 ** 32;
  return 32 + 31 - Math.clz32(high & -high);
}

/** The values, floats as the rationals that they are, as integers times the largest power of two that makes all of them whole. */
export function toIntegers(values: ArrayLike<number | bigint>): { integers: bigint[]; exponent: number } {
  const parts = Array.from(values, (value) =>
    typeof value === 'bigint' ? { mantissa: value, exponent: 0 } : dyadic(value),
  );
  let least = Infinity;
  for (const { mantissa, exponent } of parts) if (mantissa) least = Math.min(least, exponent);
  if (least === Infinity) least = 0;
  const integers = parts.map(({ mantissa, exponent }) => BigInt(mantissa) << BigInt(mantissa ? exponent - least : 0));
  return { integers, exponent: least };
}

/** The lower triangle of N N^T for the integers N `[k, d]`, row by row. */
export function integerGram(rows: readonly bigint[], k: number, d: number): bigint[][] {
  return Array.from({ length: k }, (_, i) =>
    Array.from({ length: i + 1 }, (_, j) => {
      let sum = 0n;
      for (let a = i * d, b = j * d, end = a + d; a < end; a++, b++) {
        if (rows[a] !== 0n && rows[b] !== 0n) sum += rows[a] * rows[b];
      }
      return sum;
    }),
  );
}

/** How many bits |value| has; 0 for 0. */
export function bitLength(value: bigint): number {
  const hex = (value < 0n ? -value : value).toString(16);
  return hex === '0' ? 0 : 4 * (hex.length - 1) + 32 - Math.clz32(parseInt(hex[0], 16));
}

/** The whole part of the square root of a whole number (Newton's method from above). */
export function squareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  const bits = bitLength(value);
  // The leading bits by float64, rounded up: 50 bits are right from the start.
  const drop = Math.max(0, bits - 100) & ~1;
  let root = (BigInt(Math.ceil(Math.sqrt(Number(value >> BigInt(drop))) * (1 + 2 ** -40))) + 1n) << BigInt(drop / 2);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Shifts left, or right (rounding down) where `bits` is negative. */
export function shiftLeft(value: bigint, bits: number): bigint {
  return bits >= 0 ? value << BigInt(bits) : value >> BigInt(-bits);
}
