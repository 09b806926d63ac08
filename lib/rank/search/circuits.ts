/**
 * Exact dependencies by fundamental circuits. Over a basis B of the rows every other row is x_i = sum C_ij x_B(j); the
 * rows with C_ij != 0, and i, are a dependent set. A dependency of s rows shows as soon as the basis holds s - 1 of
 * them: for 4 among 400 in 64 dimensions one basis in 70 does, where a random draw of 64 rows holds all four once in
 * 1500. Exchanging one row of the basis costs a single rank-one update of C, so the search walks from basis to basis.
 *
 * A dependency of which two rows, i and j, are outside of the basis shows as well, which is some s T / d times as likely: the
 * coefficients of both are in one ratio everywhere but at its rows, so that with two columns at random the quotients
 * C_ik / C_il and C_jk / C_jl are equal, and sorting finds them. This is information-set decoding (Lee and Brickell, EUROCRYPT
 * '88; Stern, 1989) over the real numbers, at a tolerance.
 */
import { begin } from '../../work';
import type { Random } from '../../tensor';
import type { Independence } from './independence';

/** Rows [T, p] of coefficients over a basis; `basis[j]` is the row of X that column j stands for. */
interface Coordinates {
  readonly c: Float64Array;
  readonly rank: number;
  readonly basis: Int32Array;
  /** The column a row stands for, or -1 outside of the basis. */
  readonly place: Int32Array;
}

/**
 * The dependent set of fewest rows that the walk meets, below `limit` rows, or null. `operations` bounds the
 * multiplications spent.
 */
export async function smallCircuit(
  independence: Independence,
  random: Random,
  limit: number,
  operations: number,
): Promise<number[] | null> {
  const { count: T, columns: d } = independence;
  const zero = Math.min(1e-3, Math.max(1e-9, 30 * independence.ratio(Math.min(T, d))));
  let best: number[] | null = null;
  let most = limit;
  let spent = 0;
  const work = begin('small circuits', operations);
  try {
    while (spent < operations) {
      const start = coordinates(independence, random, zero);
      const { c, rank: p, basis } = start;
      spent += T * d * p;
      if (p >= T) return null;
      // A walk this long forgets where it began, and rounding has not yet grown.
      const steps = 40 * p;
      for (let step = 0; step <= steps && spent < operations; step++) {
        const row = sparsest(start, T, zero);
        if (row !== null && row.nonzero + 1 < most) {
          const set = [row.index];
          for (let j = 0; j < p; j++) if (Math.abs(c[row.index * p + j]) > zero) set.push(basis[j]);
          if (independence.dependent(set)) {
            best = set;
            most = set.length;
          }
        }
        const offer = (set: readonly number[]) => {
          if (set.length >= most || !independence.dependent(set)) return;
          best = [...set];
          most = set.length;
        };
        inRatio(start, T, random, zero, () => most, offer);
        exchange(start, T, random);
        spent += 3 * T * p + 20 * T + 2000;
        await work.advance(Math.min(spent, operations));
      }
    }
    return best;
  } finally {
    work.end();
  }
}

/** Row outside the basis with the fewest coefficients. */
function sparsest({ c, rank: p, place }: Coordinates, T: number, zero: number) {
  let best: { index: number; nonzero: number } | null = null;
  for (let i = 0; i < T; i++) {
    if (place[i] >= 0) continue;
    let nonzero = 0;
    const end = (i + 1) * p;
    const enough = best === null ? p + 1 : best.nonzero;
    for (let at = i * p; at < end && nonzero < enough; at++) if (Math.abs(c[at]) > zero) nonzero++;
    if (nonzero < enough) best = { index: i, nonzero };
  }
  return best;
}

/**
 * Pairs of rows outside the basis whose coefficients in two random columns are in one ratio, with the rows of the basis where
 * they are not, where that makes fewer than `most()`.
 */
function inRatio(
  { c, rank: p, basis, place }: Coordinates,
  T: number,
  random: Random,
  zero: number,
  most: () => number,
  offer: (set: readonly number[]) => void,
): void {
  if (p < 2) return;
  const k = random.integer(p);
  const l = (k + 1 + random.integer(p - 1)) % p;
  const angles = new Map<number, number>();
  for (let i = 0; i < T; i++) {
    const [x, y] = [c[i * p + k], c[i * p + l]];
    if (place[i] >= 0 || (Math.abs(x) <= zero && Math.abs(y) <= zero)) continue;
    // Of a line through zero, from 0 to pi.
    const angle = Math.atan2(y, x);
    angles.set(i, angle < 0 ? angle + Math.PI : angle);
  }
  const rows = [...angles.keys()].sort((a, b) => angles.get(a)! - angles.get(b)! || a - b);
  for (let at = 0; at + 1 < rows.length; at++) {
    const i = rows[at];
    for (let next = at + 1; next < Math.min(rows.length, at + 4); next++) {
      const j = rows[next];
      if (angles.get(j)! - angles.get(i)! > zero) break;
      const column = Math.abs(c[j * p + k]) > Math.abs(c[j * p + l]) ? k : l;
      const quotient = c[i * p + column] / c[j * p + column];
      const threshold = zero * Math.max(1, Math.abs(quotient));
      const set = [i, j];
      for (let m = 0; m < p && set.length < most(); m++) {
        if (Math.abs(c[i * p + m] - quotient * c[j * p + m]) > threshold) set.push(basis[m]);
      }
      offer(set);
    }
  }
}

/** A random row enters the basis for a random one that it needs. */
function exchange({ c, rank: p, basis, place }: Coordinates, T: number, random: Random): void {
  let entering = random.integer(T);
  while (place[entering] >= 0) entering = (entering + 1) % T;
  const row = entering * p;
  let largest = 0;
  for (let j = 0; j < p; j++) largest = Math.max(largest, Math.abs(c[row + j]));
  let leaving = random.integer(p);
  // A small pivot would blow up the coefficients; the largest one is always large enough.
  while (!(Math.abs(c[row + leaving]) >= 0.1 * largest)) leaving = (leaving + 1) % p;
  const pivotRow = c.slice(row, row + p);
  const pivot = pivotRow[leaving];
  for (let i = 0; i < T; i++) {
    const at = i * p;
    const factor = c[at + leaving] / pivot;
    if (factor === 0) continue;
    for (let j = 0; j < p; j++) c[at + j] -= factor * pivotRow[j];
    c[at + leaving] = factor;
  }
  place[basis[leaving]] = -1;
  basis[leaving] = entering;
  place[entering] = leaving;
}

/** Coordinates over a basis of random rows, by Gauss-Jordan elimination on the columns. */
function coordinates(independence: Independence, random: Random, zero: number): Coordinates {
  const { count: T, columns: d, rows, squaredNorms } = independence;
  const x = Float64Array.from(rows);
  for (let i = 0; i < T; i++) {
    const norm = Math.sqrt(squaredNorms[i]);
    for (let j = i * d; j < (i + 1) * d; j++) x[j] /= norm;
  }
  const basis: number[] = [];
  const pivots: number[] = [];
  const free = new Uint8Array(d).fill(1);
  for (const row of random.permutation(T)) {
    if (basis.length === d) break;
    let column = -1;
    let largest = zero / Math.sqrt(d);
    for (let j = 0; j < d; j++) {
      const magnitude = Math.abs(x[row * d + j]);
      if (free[j] === 1 && magnitude > largest) {
        largest = magnitude;
        column = j;
      }
    }
    if (column < 0) continue;
    const pivotRow = x.slice(row * d, (row + 1) * d);
    for (let i = 0; i < T; i++) {
      const at = i * d;
      const factor = x[at + column] / pivotRow[column];
      if (factor === 0) continue;
      for (let j = 0; j < d; j++) x[at + j] -= factor * pivotRow[j];
      x[at + column] = factor;
    }
    free[column] = 0;
    basis.push(row);
    pivots.push(column);
  }
  const p = basis.length;
  const c = new Float64Array(T * p);
  const place = new Int32Array(T).fill(-1);
  basis.forEach((row, j) => (place[row] = j));
  for (let i = 0; i < T; i++) for (let j = 0; j < p; j++) c[i * p + j] = x[i * d + pivots[j]];
  return { c, rank: p, basis: Int32Array.from(basis), place };
}
