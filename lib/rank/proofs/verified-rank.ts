import { inFloat64, svd, toTensor, valuesOf } from '../../tensor';
import { Congruence } from './congruence';
import { Gram } from './gram';
import { tightBrackets } from './largest-singular-value';
import { nearness } from './rounding';

/** The rank of a matrix at a tolerance. */
export interface CountedRank {
  /** Proved; null where a singular value is too near to the tolerance to tell. */
  readonly rank: number | null;
  /**
   * The singular value nearest to the tolerance, divided by the tolerance, by SVD, when it is near to it ({@link nearness});
   * else null.
   */
  readonly nearest: number | null;
}

/** Below this part of the tolerance it does not matter how small a singular value is. */
const FLOOR = 1 / 8;
/** The SVD may have put so many singular values on the wrong side. */
const MOST_MISPLACED = 3;

/**
 * The rank of a matrix `[rows, columns]` of which the largest magnitude is near 1: how many singular values are greater than
 * the tolerance times the largest. An SVD says which, and a {@link Congruence} with its left singular vectors, divided by the
 * singular values, proves it.
 */
export function verifiedRank(
  values: Float64Array,
  [rows, columns]: readonly [number, number],
  tolerance: number,
): CountedRank {
  const k = Math.min(rows, columns);
  const d = Math.max(rows, columns);
  const a = rows <= columns ? values : transposed(values, rows, columns);
  const gram = new Gram(a, k, d);
  const all = Int32Array.from({ length: k }, (_, i) => i);
  const trace = gram.trace(all);
  if (trace === 0) return { rank: 0, nearest: null };
  const { left, sigmas } = inFloat64(() => {
    const [u, s] = svd(toTensor(a, [k, d]));
    return { left: valuesOf(u), sigmas: valuesOf(s) };
  });
  const bound = tolerance * sigmas[0];
  const map = new Float64Array(k * k);
  for (let i = 0; i < k; i++) {
    const scale = Math.max(sigmas[i], FLOOR * bound);
    for (let j = 0; j < k; j++) map[i * k + j] = left[j * k + i] / scale;
  }
  const largest = tightBrackets(gram, [all], [trace]);
  const [low, high] = [largest.low, largest.high].map(([end]) => tolerance ** 2 * end);
  const shifted = new Congruence(a, map, k, d, 3);
  const expected = sigmas.filter((sigma) => sigma > bound).length;
  // Those that it may have misplaced are near to the tolerance.
  const possible = Array.from({ length: k + 1 }, (_, rank) => rank)
    .filter((rank) => Math.abs(rank - expected) <= MOST_MISPLACED)
    .filter((rank) =>
      all.subarray(Math.min(rank, expected), Math.max(rank, expected)).every((i) => isNear(sigmas[i], bound, 0.5)),
    )
    .sort((x, y) => Math.abs(x - expected) - Math.abs(y - expected));
  const nearest = nearestToTolerance(sigmas, tolerance);
  return { rank: possible.find((rank) => shifted.countIs(rank, low, high)) ?? null, nearest };
}

/** See {@link CountedRank}; of singular values in descending order. */
export function nearestToTolerance(sigmas: ArrayLike<number>, tolerance: number): number | null {
  const bound = tolerance * sigmas[0];
  const near = nearness(tolerance, sigmas.length);
  const ratios = Array.from(sigmas, (sigma) => sigma / bound).filter((ratio) => isNear(ratio, 1, near));
  return ratios.sort((x, y) => Math.abs(x - 1) - Math.abs(y - 1))[0] ?? null;
}

const isNear = (value: number, bound: number, distance: number) => Math.abs(value / bound - 1) <= distance;

function transposed(values: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j];
  return result;
}
