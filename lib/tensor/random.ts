import { createHash } from 'node:crypto';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random numbers that depends on its seed and labels only, on every machine. */
export interface Random {
  /** Uniform in [0, 1): a multiple of 2^-53. */
  uniform(): number;
  /** Uniform among 0 … n - 1, for 1 <= n <= 2^32. */
  integer(n: number): number;
  /** Standard normal. */
  normal(): number;
  /**
   * Normal with mean 0 and the given standard deviation, drawn again until it lies within ±`bound`. As in PyTorch's
   * `trunc_normal_`, `bound` (2) is absolute, not in standard deviations.
   */
  truncatedNormal(std: number, bound?: number): number;
  /** 0 … n - 1 in an order drawn uniformly. */
  permutation(n: number): Int32Array;
  /** k of 0 … n - 1, ascending; each of the subsets is equally likely. */
  subset(n: number, k: number): Int32Array;
}

/**
 * The stream that belongs to a seed and any number of labels: `randomSource(0, 'photos', 17)`. Streams with different
 * seeds or labels are independent: xoroshiro128+ starts from SHA-256 of both.
 */
export function randomSource(seed: number, ...stream: (string | number)[]): Random {
  const hash = createHash('sha256').update(JSON.stringify([seed, ...stream])).digest();
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
      throw new RangeError(`integer(n) needs a whole n from 1 to 2^32, but ${n} came.`);
    }
    if (n === 1) return 0;
    const excessBits = Math.clz32(n - 1);
    for (;;) {
      const value = generator.next() >>> excessBits;
      if (value < n) return value;
    }
  }

  /** Marsaglia's polar method: of the functions whose last bit may differ between machines it needs the logarithm only. */
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
    if (!(k >= 0 && k <= n)) throw new RangeError(`subset(n, k) needs 0 <= k <= n, but k = ${k} and n = ${n} came.`);
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
