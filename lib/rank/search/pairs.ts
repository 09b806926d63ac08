/** The smallest dependent sets, looked for in every place: zero rows and dependent pairs. */
import { begin } from '../../work';
import { randomSource } from '../../tensor';
import { exponentAbove } from '../proofs/rows';
import type { Independence } from './independence';

/** Lowest-numbered row that is dependent alone, or null: rows are zero as they were given, however small beside others. */
export function dependentRow(independence: Independence): number | null {
  const { original, count, columns } = independence;
  if (independence.ratio(1) >= 1) return 0;
  for (let i = 0; i < count; i++) {
    if (original.subarray(i * columns, (i + 1) * columns).every((value) => value === 0)) return i;
  }
  return null;
}

/**
 * A pair dependent at the tolerance, or null when all T(T-1)/2 pairs are independent: a proof for every pair. No row is zero.
 *
 * For two rows of lengths q and 1, q >= 1, at an angle theta, sigma_min sigma_max = q sin(theta) and
 * sigma_max^2 <= q^2 + 1: they are dependent only where sin(theta) <= ratio (q + 1 / q). Then the magnitudes of their unit
 * vectors' products with any one unit vector p differ by at most 2^(1/2) times that. So rows are sorted by |u . p|, apart for
 * each power of two of their lengths, and only neighbours are judged.
 */
export async function dependentPair(independence: Independence): Promise<[number, number] | null> {
  const { count, columns } = independence;
  const ratio = independence.ratio(2);
  const rounding = 8 * (columns + 8) * Number.EPSILON;
  const { unit, logLengths } = directions(independence);
  const keys = projections(unit, count, columns);
  const groups = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const size = Math.floor(logLengths[i]);
    const group = groups.get(size);
    if (group) group.push(i);
    else groups.set(size, [i]);
  }
  for (const rows of groups.values()) rows.sort((a, b) => keys[a] - keys[b] || a - b);
  const sizes = [...groups.keys()].sort((a, b) => a - b);
  const work = begin(`all ${(count * (count - 1)) / 2} pairs of rows`, count);
  let done = 0;
  try {
    for (const size of sizes) {
      for (const [place, i] of groups.get(size)!.entries()) {
        for (const other of sizes) {
          if (other < size) continue;
          const rows = groups.get(other)!;
          const near = Math.SQRT2 * ratio * (2 ** (other - size + 1) + 1) + rounding;
          let at = other === size ? place + 1 : firstAtLeast(rows, keys, keys[i] - near);
          for (; at < rows.length && keys[rows[at]] <= keys[i] + near; at++) {
            const j = rows[at];
            if (mayDepend(unit, columns, i, j, logLengths[j] - logLengths[i], ratio, rounding)) {
              const pair: [number, number] = i < j ? [i, j] : [j, i];
              if (independence.dependent(pair)) return pair;
            }
          }
        }
        await work.advance(done++);
      }
    }
    return null;
  } finally {
    work.end();
  }
}

/** Unit vectors [T, d] and the binary logarithms of lengths, each row scaled by itself: no length over- or underflows. */
function directions({ original, count, columns }: Independence): { unit: Float64Array; logLengths: Float64Array } {
  const unit = Float64Array.from(original);
  const logLengths = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const row = unit.subarray(i * columns, (i + 1) * columns);
    const exponent = exponentAbove(row.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
    // In two steps: 2^1074 is no float64.
    const halves = [Math.trunc(-exponent / 2), -exponent - Math.trunc(-exponent / 2)];
    for (let j = 0; j < columns; j++) row[j] = row[j] * 2 ** halves[0] * 2 ** halves[1];
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let j = 0; j < columns; j++) row[j] /= length;
    logLengths[i] = exponent + Math.log2(length);
  }
  return { unit, logLengths };
}

/** |u . p| for a p that no one has reason to expect: what lies in the data is not orthogonal to it. */
function projections(unit: Float64Array, count: number, columns: number): Float64Array {
  const random = randomSource(0, 'pairs');
  const p = Float64Array.from({ length: columns }, () => random.normal());
  const length = Math.sqrt(p.reduce((sum, value) => sum + value * value, 0));
  return Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += unit[i * columns + j] * p[j];
    return Math.abs(sum) / length;
  });
}

function firstAtLeast(rows: readonly number[], keys: Float64Array, least: number): number {
  let [from, to] = [0, rows.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (keys[rows[middle]] < least) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** False only where two rows are certainly independent. */
function mayDepend(
  unit: Float64Array,
  columns: number,
  i: number,
  j: number,
  logQuotient: number,
  ratio: number,
  rounding: number,
): boolean {
  let cosine = 0;
  for (let c = 0; c < columns; c++) cosine += unit[i * columns + c] * unit[j * columns + c];
  let square = 0;
  for (let c = 0; c < columns; c++) square += (unit[j * columns + c] - cosine * unit[i * columns + c]) ** 2;
  const sine = Math.sqrt(square);
  const q = 2 ** Math.abs(logQuotient);
  if (q > 1e100) return true;
  const largest = (q * q + 1 + Math.sqrt(Math.max(0, (q * q + 1) ** 2 - (2 * q * sine) ** 2))) / 2;
  return !(q * (sine - rounding) > ratio * largest * (1 + 1e-9));
}
