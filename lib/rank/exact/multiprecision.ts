import { factorError, integerCholesky, solveIntegers } from './integer-cholesky';
import { bitLength, dyadic, integerGram, shiftLeft, squareRoot, toIntegers } from './integers';
import type { ExactDecision } from './decision';
import { topEigenvector } from './top-eigenvector';

/** Bits to which sigma_min is told from the tolerance, one try after the other. */
const RESOLUTIONS = [80, 240];
/** How often the vector that bounds sigma_max from below is made better before a wider bracket is taken. */
const MOST_REFINEMENTS = 4;

/**
 * Decides by arithmetic on integers of some hundred bits. With N N^T the exact Gram of the rows times a power of two, and
 * any vector x,
 *
 *     x^T N N^T x / x^T x  <=  lambda_max  <  h,    where h I - N N^T has a Cholesky factor,
 *
 * and lambda_min is above ratio^2 h where N N^T - ratio^2 h I has one, and at most ratio^2 lambda_max where with the lower
 * bound in place of h it has none ({@link integerCholesky} says what is cut off, and it is accounted for). Only a sigma_min
 * within some 2^-234 of the tolerance, relative, is left undecided: in practice one that is equal to it.
 *
 * @param rows `[k, d]`, finite, not all zero, k <= d, in a canonical order
 * @param ratio the tolerance relative to sigma_max, above 0 and below 1
 */
export function decideByIntegers(rows: Float64Array, [k, d]: readonly [number, number], ratio: number): ExactDecision {
  const gram = new ScaledGram(integerGram(toIntegers(rows).integers, k, d), ratio);
  let within: number | null = null;
  for (const bits of RESOLUTIONS) {
    const decision = gram.decide(bits);
    if (decision.independent !== null) return decision;
    within = decision.within;
  }
  return { independent: null, method: 'multiprecision', within };
}

class ScaledGram {
  private readonly k: number;
  private readonly traceBits: number;
  private readonly ratio: { mantissa: number; exponent: number };
  /** Near to the eigenvector of the largest eigenvalue. */
  private top: readonly bigint[];

  /** `gram`: the lower triangle, not all zero. */
  constructor(
    private readonly gram: readonly (readonly bigint[])[],
    ratio: number,
  ) {
    this.k = gram.length;
    this.traceBits = bitLength(gram.reduce((sum, row, i) => sum + row[i], 0n));
    this.ratio = dyadic(ratio);
    this.top = this.topVector();
  }

  /** Whether lambda_min > ratio^2 lambda_max; null where they agree to nearly `bits` bits. */
  decide(bits: number): ExactDecision {
    const { k, ratio } = this;
    const bitsOfRatio = -ratio.exponent - bitLength(BigInt(ratio.mantissa)) + 1;
    // What is cut off, some k 2^half of 2^(2 half), has to be small beside the squared tolerance.
    const half = 2 * bitsOfRatio + bits + 2 * bitLength(BigInt(k)) + 4;
    const shift = 2 * half - this.traceBits;
    const scaled = this.gram.map((row) => row.map((value) => shiftLeft(value, shift)));
    const largest = scaled.reduce((most, row, i) => (row[i] > most ? row[i] : most), 0n);
    // Where the Gram was shifted right, each element lost less than 1.
    const cut = shift < 0 ? BigInt(k) : 0n;
    const [low, high] = this.largestEigenvalue(scaled, bits + 2, cut, half);
    const squared = BigInt(ratio.mantissa) ** 2n;
    const slack = factorError(k, 2n * largest) + cut + 1n;
    const above = shiftLeft(squared * high, 2 * ratio.exponent) + 1n;
    const below = shiftLeft(squared * low, 2 * ratio.exponent);
    const independentAt = (bound: bigint) => integerCholesky(scaled, bound + slack) !== null;
    const dependentAt = (bound: bigint) => integerCholesky(scaled, bound - slack) === null;
    const decided = (independent: boolean | null, within: number | null = null) =>
      ({ independent, method: 'multiprecision', within }) as const;
    if (independentAt(above)) return decided(true);
    if (dependentAt(below)) return decided(false);
    for (let near = bits - 6; near > 0; near -= 6) {
      const part = above >> BigInt(near);
      if (independentAt(above - part) && dependentAt(below + part)) return decided(null, 2 ** -near);
    }
    return decided(null, 1);
  }

  /** A bracket [low, high] of lambda_max of the exact Gram, in the units of `scaled`, if possible of 2^-bits relative width. */
  private largestEigenvalue(
    scaled: readonly (readonly bigint[])[],
    bits: number,
    cut: bigint,
    half: number,
  ): readonly [bigint, bigint] {
    const { k } = this;
    let low = 0n;
    let high = 0n;
    for (let refinement = 0; refinement <= MOST_REFINEMENTS; refinement++) {
      const rayleigh = this.rayleigh(scaled) - cut;
      if (rayleigh > low) low = rayleigh;
      for (let width = bits; ; width = Math.floor(width / 2)) {
        // Twice the trace lies above in any case.
        high = width > 0 ? low + (low >> BigInt(width)) + 1n : 2n * trace(scaled) + 2n * cut + 2n;
        const complement = scaled.map((row, i) => row.map((value, j) => (i === j ? high - value : -value)));
        const slack = factorError(k, high) + cut + 1n;
        const factor = integerCholesky(complement, slack);
        if (width === bits && factor !== null) return [low, high];
        if (factor === null) continue;
        // One step of inverse iteration: the top eigenvector stands out by 1 / (high - lambda_max).
        this.top = shortened(solveIntegers(factor, this.top, half), bits);
        break;
      }
    }
    return [low, high];
  }

  /** x^T G x / x^T x for the top vector x, rounded down. */
  private rayleigh(scaled: readonly (readonly bigint[])[]): bigint {
    const x = this.top;
    let numerator = 0n;
    let denominator = 0n;
    for (const [i, row] of scaled.entries()) {
      let sum = 0n;
      for (let j = 0; j < i; j++) sum += row[j] * x[j];
      numerator += x[i] * (2n * sum + row[i] * x[i]);
      denominator += x[i] * x[i];
    }
    return numerator / denominator;
  }

  private topVector(): bigint[] {
    const { k, gram, traceBits } = this;
    const full = new Float64Array(k * k);
    gram.forEach((row, i) => {
      row.forEach((value, j) => {
        full[i * k + j] = full[j * k + i] = Number(shiftLeft(value, 64 - traceBits)) * 2 ** -64;
      });
    });
    return Array.from(topEigenvector(full, k), (value) => BigInt(Math.round(value * 2 ** 60)));
  }
}

function trace(lower: readonly (readonly bigint[])[]): bigint {
  return lower.reduce((sum, row, i) => sum + row[i], 0n);
}

/** The vector's direction to some `bits` bits. */
function shortened(vector: readonly bigint[], bits: number): bigint[] {
  const length = squareRoot(vector.reduce((sum, value) => sum + value * value, 0n));
  const drop = Math.max(0, bitLength(length) - bits);
  return vector.map((value) => shiftLeft(value, -drop));
}
