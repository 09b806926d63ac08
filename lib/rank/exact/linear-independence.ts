import { bitLength } from './integers';
import {
  independentPrefixModulo,
  inverseModulo,
  primeNumber,
  rankModulo,
  type ModularRank,
  type Residues,
} from './modular-elimination';
import { integerRatios, withoutCommonDivisor } from './rational-reconstruction';
import type { RationalRows } from './rational-rows';

/** Integers c, without a common divisor, with sum c_i x_i = 0 for some rows x_i; the last one that is not 0 is positive. */
export type Relation = readonly bigint[];

/** What is looked for: any proof of dependence, the whole rank, or a relation. */
type Wanted = 'dependence' | 'rank' | 'relation';

/**
 * Linear independence of rows over the rationals, without a tolerance and without rounding:
 *
 * - rows that are independent modulo a prime are independent;
 * - a relation between rows, found modulo primes, put together to fractions and checked in whole numbers, proves that they are
 *   dependent;
 * - where its fractions are too large for that to be soon: minors that vanish modulo primes whose product is
 *   above Hadamard's bound of the minors are zero, which bounds the rank from above.
 */
export class LinearIndependence {
  /** Of the largest prime: nearly always it is the only one needed. */
  private readonly residues: Residues;
  /** Upper bounds of log2 ||x_i||, `[T]`. */
  private readonly bits: Float64Array;

  constructor(readonly rows: RationalRows) {
    this.residues = residuesOf(rows.rows, rows.columns, primeNumber(0));
    this.bits = Float64Array.from(rows.rows, (row) => bitLength(row.reduce((sum, x) => sum + x * x, 0n)) / 2);
  }

  /** The same of some of the rows, counted from 0 again. */
  among(set: ArrayLike<number>): LinearIndependence {
    const { columns, rows, exponents } = this.rows;
    const chosen = Array.from(set);
    return new LinearIndependence({
      count: chosen.length,
      columns,
      rows: chosen.map((row) => rows[row]),
      exponents: chosen.map((row) => exponents[row]),
    });
  }

  /** Whether these rows are linearly independent. */
  independent(set: ArrayLike<number>): boolean {
    if (set.length > this.rows.columns) return false;
    return (
      independentPrefixModulo(this.first(set)) === set.length || this.analyse(set, 'dependence').rank === set.length
    );
  }

  /** The rank of these rows. */
  rank(set: ArrayLike<number>): number {
    return this.independent(set) ? set.length : this.analyse(set, 'rank').rank;
  }

  /** A relation between rows that are dependent, in their order; null where they are independent. */
  relation(set: ArrayLike<number>): Relation | null {
    const { relation } = this.analyse(set, 'relation');
    if (relation === null) return null;
    // Of the integers of each row, so far.
    const exponents = Array.from(set, (row) => this.rows.exponents[row]);
    const most = exponents.reduce(
      (largest, exponent, i) => (relation[i] ? Math.max(largest, exponent) : largest),
      -Infinity,
    );
    return withoutCommonDivisor(relation.map((weight, i) => (weight ? weight << BigInt(most - exponents[i]) : 0n)));
  }

  /** A minimal dependent set among rows that are dependent, ascending: those of a {@link relation} between them. */
  circuit(set: ArrayLike<number>): number[] {
    const relation = this.relation(set);
    if (relation === null) throw new RangeError('expected dependent rows, got independent ones');
    return Array.from(set)
      .filter((_, i) => relation[i] !== 0n)
      .sort((a, b) => a - b);
  }

  /** How many rows of an order, from its first on, are independent. */
  independentPrefix(order: ArrayLike<number>): number {
    const rows = Array.from(order);
    let length = independentPrefixModulo(this.first(rows.slice(0, this.rows.columns)));
    while (length < rows.length && this.independent(rows.slice(0, length + 1))) length++;
    return length;
  }

  /** With 'dependence' or 'relation' the rank is only told to be full or not. */
  private analyse(set: ArrayLike<number>, wanted: Wanted): { rank: number; relation: Relation | null } {
    const rows = Array.from(set, (row) => this.rows.rows[row]);
    const longest = Array.from(set, (row) => this.bits[row]).sort((a, b) => b - a);
    // The basis found so far that is nearest to the rows' own.
    let best: ModularRank = { independent: [], dependent: new Map() };
    let combined = new Combination(best, 1);
    let known = 0;
    let rank = 0;
    for (let index = 0; ; index++) {
      const prime = primeNumber(index);
      const found = rankModulo(index === 0 ? this.first(set) : residuesOf(rows, this.rows.columns, prime));
      if (found.independent.length === rows.length) return { rank: rows.length, relation: null };
      known += Math.log2(prime - 1);
      rank = Math.max(rank, found.independent.length);
      const order = compareBases(found.independent, best.independent);
      if (order < 0 || index === 0) combined = new Combination((best = found), prime);
      else if (order === 0) combined.add(found, prime);
      // A minor of rank + 1 rows is a multiple of each prime so far, and at most the product of their lengths.
      const bound = longest.slice(0, rank + 1).reduce((sum, bits) => sum + bits, 0);
      if (wanted !== 'relation' && (known > bound || rank === this.rows.columns)) return { rank, relation: null };
      if (combined.worthTrying()) {
        const relation = combined.check(rows, wanted === 'rank');
        if (relation !== null) return { rank, relation };
      }
    }
  }

  private first(set: ArrayLike<number>): Residues {
    const { values, columns, prime } = this.residues;
    const chosen = new Float64Array(set.length * columns);
    for (let i = 0; i < set.length; i++) {
      chosen.set(values.subarray(set[i] * columns, (set[i] + 1) * columns), i * columns);
    }
    return { values: chosen, columns, prime };
  }
}

/** Coefficients of dependent rows over independent ones, modulo the product of the primes so far (Chinese remainders). */
class Combination {
  private modulus: bigint;
  private primes = 1;
  private readonly coefficients: Map<number, bigint[]>;

  constructor(
    private readonly base: ModularRank,
    prime: number,
  ) {
    this.modulus = BigInt(prime);
    this.coefficients = new Map(Array.from(base.dependent, ([row, own]) => [row, Array.from(own, BigInt)]));
  }

  add(found: ModularRank, prime: number): void {
    const inverse = inverseModulo(Number(this.modulus % BigInt(prime)), prime);
    for (const [row, own] of this.coefficients) {
      const other = found.dependent.get(row)!;
      own.forEach((value, i) => {
        const before = Number(value % BigInt(prime));
        const step = (((other[i] - before + prime) % prime) * inverse) % prime;
        own[i] = value + this.modulus * BigInt(step);
      });
    }
    this.modulus *= BigInt(prime);
    this.primes++;
  }

  /** After 1, 2, 4, 8 … primes. */
  worthTrying(): boolean {
    return (this.primes & (this.primes - 1)) === 0;
  }

  /** The relation of the first dependent row, once it holds in whole numbers; with `all` once those of all rows do. */
  check(rows: readonly (readonly bigint[])[], all: boolean): Relation | null {
    let first: Relation | null = null;
    for (const [row, own] of this.coefficients) {
      const ratios = integerRatios(own, this.modulus);
      if (ratios === null) return null;
      const relation = new Array<bigint>(rows.length).fill(0n);
      this.base.independent.forEach((other, i) => (relation[other] = -ratios[i]));
      relation[row] = ratios[ratios.length - 1];
      if (!vanishes(relation, rows)) return null;
      first ??= relation;
      if (!all) break;
    }
    return first;
  }
}

function vanishes(relation: Relation, rows: readonly (readonly bigint[])[]): boolean {
  for (let j = 0; j < rows[0].length; j++) {
    let sum = 0n;
    relation.forEach((weight, i) => {
      if (weight !== 0n) sum += weight * rows[i][j];
    });
    if (sum !== 0n) return false;
  }
  return true;
}

/** Below 0 where `a` is nearer to the rows' own basis: that takes rows early and takes more of them than any modulo a prime. */
function compareBases(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return b.length - a.length;
}

function residuesOf(rows: readonly (readonly bigint[])[], columns: number, prime: number): Residues {
  const modulus = BigInt(prime);
  const values = new Float64Array(rows.length * columns);
  rows.forEach((row, i) => {
    row.forEach((value, j) => {
      const rest = Number(value % modulus);
      values[i * columns + j] = rest < 0 ? rest + prime : rest;
    });
  });
  return { values, columns, prime };
}
