/**
 * Elimination modulo a prime below 2^26, in float64: products of two residues, and one more, are below 2^53 and so without
 * rounding.
 */

/** Residues of rows `[k, d]` modulo `prime`, each from 0 to prime - 1. */
export interface Residues {
  readonly values: Float64Array;
  readonly columns: number;
  readonly prime: number;
}

/** What an elimination modulo a prime says of rows in their order. */
export interface ModularRank {
  /** The rows that are independent of those before them. */
  readonly independent: readonly number[];
  /** For each other row its coefficients over the independent ones before it, `[independent.length]`, zeros after that. */
  readonly dependent: ReadonlyMap<number, Float64Array>;
}

const LARGEST_PRIME = 67108859;
const primes = [LARGEST_PRIME];

/** The primes below 2^26 from the largest down, counted from 0. */
export function primeNumber(index: number): number {
  while (primes.length <= index) {
    let candidate = primes[primes.length - 1] - 2;
    while (!isPrime(candidate)) candidate -= 2;
    primes.push(candidate);
  }
  return primes[index];
}

function isPrime(odd: number): boolean {
  for (let divisor = 3; divisor * divisor <= odd; divisor += 2) if (odd % divisor === 0) return false;
  return true;
}

/** How many rows, from the first on, are independent modulo the prime: over the rationals they are so too. */
export function independentPrefixModulo({ values, columns, prime }: Residues): number {
  const rows = values.slice();
  const k = values.length / columns;
  for (let i = 0; i < k; i++) {
    const own = rows.subarray(i * columns, (i + 1) * columns);
    const pivot = own.findIndex((value) => value !== 0);
    if (pivot < 0) return i;
    const inverse = inverseModulo(own[pivot], prime);
    for (let l = i + 1; l < k; l++) {
      const other = rows.subarray(l * columns, (l + 1) * columns);
      if (other[pivot] !== 0) subtract(other, own, times(other[pivot], inverse, prime), prime);
    }
  }
  return k;
}

/** The row rank, with each dependent row as a combination of independent ones before it. */
export function rankModulo({ values, columns, prime }: Residues): ModularRank {
  const k = values.length / columns;
  const independent: number[] = [];
  const dependent = new Map<number, Float64Array>();
  /** Reduced rows, and what they are in the independent ones: width columns + k. */
  const reduced: { row: Float64Array; pivot: number }[] = [];
  for (let i = 0; i < k; i++) {
    const row = new Float64Array(columns + k);
    row.set(values.subarray(i * columns, (i + 1) * columns));
    for (const { row: before, pivot } of reduced) if (row[pivot] !== 0) subtract(row, before, row[pivot], prime);
    const pivot = row.subarray(0, columns).findIndex((value) => value !== 0);
    if (pivot < 0) {
      // What was subtracted is minus the combination.
      dependent.set(
        i,
        row.slice(columns).map((value) => (value === 0 ? 0 : prime - value)),
      );
      continue;
    }
    row[columns + independent.length] = 1;
    independent.push(i);
    const inverse = inverseModulo(row[pivot], prime);
    for (let j = 0; j < row.length; j++) row[j] = times(row[j], inverse, prime);
    reduced.push({ row, pivot });
  }
  for (const [i, weights] of dependent) dependent.set(i, weights.slice(0, independent.length));
  return { independent, dependent };
}

/** row -= factor * other. */
function subtract(row: Float64Array, other: Float64Array, factor: number, prime: number): void {
  const add = prime - factor;
  const inverse = 1 / prime;
  for (let j = 0; j < row.length; j++) {
    const value = row[j] + add * other[j];
    // The quotient may be off by one either way.
    const rest = value - Math.floor(value * inverse) * prime;
    row[j] = rest < 0 ? rest + prime : rest >= prime ? rest - prime : rest;
  }
}

function times(a: number, b: number, prime: number): number {
  return (a * b) % prime;
}

/** By Fermat: a^(prime - 2). */
export function inverseModulo(value: number, prime: number): number {
  let result = 1;
  let power = value;
  for (let exponent = prime - 2; exponent > 0; exponent = Math.floor(exponent / 2)) {
    if (exponent % 2 === 1) result = times(result, power, prime);
    power = times(power, power, prime);
  }
  return result;
}
