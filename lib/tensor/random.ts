import { createHash } from 'node:crypto';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random numbers that depends on its seed and labels only, on every machine. */
export interface Random {
  /** Uniform in [0, 1): a multiple of 2^-53. */
  readonly uniform: () => number;
  /** Uniform among 0 … n - 1, for 1 <= n <= 2^32. */
  readonly integer: (n: number) => number;
  /** Standard normal. */
  readonly normal: () => number;
  /**
   * Normal with mean 0 and the given standard deviation, drawn again until it lies within ±`bound`. As in PyTorch's
   * `trunc_normal_`, `bound` (2) is a value, not a number of standard deviations.
   */
  readonly truncatedNormal: (std: number, bound?: number) => number;
  /** 0 … n - 1 in an order drawn uniformly. */
  readonly permutation: (n: number) => Int32Array;
  /** k of 0 … n - 1, ascending; each of the subsets is equally likely. */
  readonly subset: (n: number, k: number) => Int32Array;
}

/**
 * The stream that belongs to a seed and any number of labels: `randomSource(0, 'photos', 17)`.
 *
 * It is xoroshiro128+ (Blackman & Vigna, 2018), started from the SHA-256 of seed and labels, so that streams which
 * differ in any of them, or in how many there are, have nothing in common. Throws a `RangeError` when the seed is not a
 * whole number or a label not finite.
 */
export function randomSource(seed: number, ...stream: (string | number)[]): Random {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed: expected a whole number, got ${seed}`);
  if (stream.some((label) => typeof label === 'number' && !Number.isFinite(label))) {
    throw new RangeError(`expected finite labels of a random stream, got ${stream.join(', ')}`);
  }
  const hash = createHash('sha256')
    .update(JSON.stringify([seed, ...stream]))
    .digest();
  // A state of zeros only would stay there, but no one has seen a hash that begins with 128 zero bits.
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => hash.readInt32LE(offset)));
  let spareNormal: number | null = null;

  function uniform(): number {
    // The top bits of each draw: the lowest of xoroshiro128+ are its weakest.
    const high = generator.next() >>> 5;
    const low = generator.next() >>> 6;
    return (high * 2 ** 26 + low) * 2 ** -53;
  }

  function integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
      throw new RangeError(`integer(n): expected a whole number from 1 to 2^32, got ${n}`);
    }
    if (n === 1) return 0;
    const excessBits = Math.clz32(n - 1);
    for (;;) {
      const value = generator.next() >>> excessBits;
      if (value < n) return value;
    }
  }

  /** Marsaglia's polar method: one logarithm and one square root for two numbers, the second kept for the next call. */
  function normal(): number {
    if (spareNormal !== null) {
      const value = spareNormal;
      spareNormal = null;
      return value;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const square = x * x + y * y;
      if (square === 0 || square >= 1) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      spareNormal = y * scale;
      return x * scale;
    }
  }

  function truncatedNormal(std: number, bound = 2): number {
    if (!(std >= 0 && bound > 0)) {
      throw new RangeError(`truncatedNormal: expected std >= 0 and bound > 0, got ${std} and ${bound}`);
    }
    for (;;) {
      const value = std * normal();
      if (Math.abs(value) <= bound) return value;
    }
  }

  function permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, index) => index);
    for (let i = n - 1; i > 0; i--) {
      const j = integer(i + 1);
      const swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    return order;
  }

  /** Floyd's algorithm on a set of marks: k draws, then one sweep that finds the marks in order. */
  function subset(n: number, k: number): Int32Array {
    if (!(Number.isInteger(n) && Number.isInteger(k) && 0 <= k && k <= n)) {
      throw new RangeError(`subset(n, k): expected whole numbers with 0 <= k <= n, got n = ${n} and k = ${k}`);
    }
    const chosen = new Uint8Array(n);
    for (let last = n - k; last < n; last++) {
      const candidate = integer(last + 1);
      chosen[chosen[candidate] ? last : candidate] = 1;
    }
    const rows = new Int32Array(k);
    for (let row = 0, count = 0; count < k; row++) if (chosen[row]) rows[count++] = row;
    return rows;
  }

  return { uniform, integer, normal, truncatedNormal, permutation, subset };
}
