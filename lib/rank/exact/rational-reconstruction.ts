import { squareRoot } from './integers';

/**
 * The fraction n / m with n = m * residue modulo `modulus` and |n|, m <= sqrt(modulus / 2), of which there is at most one, by
 * the extended Euclidean algorithm that is stopped half way (Wang, 1981); null where there is none.
 */
export function fractionOf(residue: bigint, modulus: bigint): { numerator: bigint; denominator: bigint } | null {
  const most = squareRoot(modulus >> 1n);
  let [before, rest] = [modulus, residue];
  let [weightBefore, weight] = [0n, 1n];
  while (rest > most) {
    const quotient = before / rest;
    [before, rest] = [rest, before - quotient * rest];
    [weightBefore, weight] = [weight, weightBefore - quotient * weight];
  }
  if (weight === 0n || weight > most || weight < -most) return null;
  return weight < 0n ? { numerator: -rest, denominator: -weight } : { numerator: rest, denominator: weight };
}

/** Integers without a common divisor, in the ratios of the fractions that belong to these residues; null where one has none. */
export function integerRatios(residues: readonly bigint[], modulus: bigint): bigint[] | null {
  let common = 1n;
  const integers: bigint[] = [];
  for (const residue of residues) {
    // What is left over after the denominators so far is often whole: far fewer bits decide then.
    const fraction = fractionOf((residue * common) % modulus, modulus);
    if (fraction === null) return null;
    const { numerator, denominator } = fraction;
    if (denominator !== 1n) {
      for (let i = 0; i < integers.length; i++) integers[i] *= denominator;
      common *= denominator;
    }
    integers.push(numerator);
  }
  return withoutCommonDivisor([...integers, common]);
}

/** In the same ratios; not all are 0. */
export function withoutCommonDivisor(values: readonly bigint[]): bigint[] {
  let divisor = 0n;
  for (const value of values) divisor = greatestCommonDivisor(divisor, value < 0n ? -value : value);
  return values.map((value) => value / divisor);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}
