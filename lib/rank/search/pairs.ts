/** The smallest dependent sets, looked for in every place: zero rows and dependent pairs. */
import { begin } from '../../work';
import type { Independence } from './independence';

/** Lowest-numbered row whose singular value does not count, or null. */
export function dependentRow(independence: Independence): number | null {
  for (let i = 0; i < independence.count; i++) {
    const row = independence.rows.subarray(i * independence.columns, (i + 1) * independence.columns);
    if (independence.ratio(1) >= 1 || row.every((value) => value === 0)) return i;
  }
  return null;
}

/**
 * The first pair dependent at the tolerance, or null when all T(T-1)/2 pairs are independent: a proof for every pair.
 * Two rows have the singular values of a 2 x 2 Gram; where its rounding leaves the verdict open the second row's part
 * orthogonal to the first is computed anew.
 */
export async function dependentPair(independence: Independence): Promise<[number, number] | null> {
  const { gram, count, columns } = independence;
  const ratio = independence.ratio(2);
  const blur = 8 * (columns + 8) * Number.EPSILON;
  const work = begin(`all ${(count * (count - 1)) / 2} pairs of rows`, count);
  try {
    for (let i = 1; i < count; i++) {
      const a = gram[i * count + i];
      for (let j = 0; j < i; j++) {
        const b = gram[j * count + j];
        const c = gram[i * count + j];
        const largest = (a + b) / 2 + Math.hypot((a - b) / 2, c);
        const product = a * b - c * c;
        // sigma_min^2 = product / largest; kept as products, because the squares of tiny rows have no quotient.
        if (product - blur * a * b > ratio * ratio * largest * largest * (1 + blur)) continue;
        if (pairRatio(independence, i, j) > ratio + blur) continue;
        if (independence.dependent([j, i])) return [j, i];
      }
      await work.advance(i);
    }
    return null;
  } finally {
    work.end();
  }
}

/** sigma_min / sigma_max of two rows, accurate to a few units of the last place of sigma_max. */
function pairRatio(independence: Independence, i: number, j: number): number {
  const { rows, columns, squaredNorms } = independence;
  const [long, short] = squaredNorms[i] >= squaredNorms[j] ? [i * columns, j * columns] : [j * columns, i * columns];
  let xx = 0;
  let xy = 0;
  for (let c = 0; c < columns; c++) {
    xx += rows[long + c] * rows[long + c];
    xy += rows[long + c] * rows[short + c];
  }
  if (!(xx > 0)) return 0;
  const projection = xy / xx;
  let rest = 0;
  for (let c = 0; c < columns; c++) {
    const part = rows[short + c] - projection * rows[long + c];
    rest += part * part;
  }
  // Singular values of the triangle [[p, 0], [q, r]].
  const p = Math.sqrt(xx);
  const q = xy / p;
  const r = Math.sqrt(rest);
  const largest = (Math.hypot(p + r, q) + Math.hypot(p - r, q)) / 2;
  return (p * r) / largest / largest;
}
