/**
 * The combination of a set's rows that comes nearest to zero: the left singular vector of sigma_min. Its large entries
 * name the rows that carry a dependency. A guide for the search, never a proof.
 */
import { inFloat64, svd, toTensor, valuesOf } from '../../tensor';
import type { Independence } from './independence';
import { factorize, solveLower, solveTransposed } from '../proofs/small-cholesky';

/** Above this ratio a float64 Gram still resolves the smallest singular value (its square against 2^-52). */
const GRAM_RESOLVES = 1e-6;

/** Entries of the vector, one a row of the set, up to a common factor. */
export function nullVector(independence: Independence, set: ArrayLike<number>): Float64Array {
  const k = set.length;
  if (independence.ratio(k) >= GRAM_RESOLVES) {
    let trace = 0;
    for (let i = 0; i < k; i++) trace += independence.squaredNorms[set[i]];
    const lower = independence.gather(set);
    if (factorize(lower, k, -4 * (independence.columns + k) * Number.EPSILON * trace) === k) {
      let vector: Float64Array = Float64Array.from({ length: k }, (_, i) => 1 + ((i * 7919) % 101) / 101);
      for (let step = 0; step < 4; step++) vector = inverseStep(lower, k, vector);
      return vector;
    }
  }
  const { left } = singularVectors(independence, set);
  return Float64Array.from({ length: k }, (_, i) => left[i * k + k - 1]);
}

/** Singular values, descending, and the left singular vectors [k, k], one a column, of a set of k <= d rows. */
export function singularVectors(
  independence: Independence,
  set: ArrayLike<number>,
): { sigma: Float64Array; left: Float64Array } {
  const k = set.length;
  return inFloat64(() => {
    const [left, sigma] = svd(toTensor(independence.scaled(set), [k, independence.columns]));
    return { sigma: Float64Array.from(valuesOf(sigma)), left: Float64Array.from(valuesOf(left)) };
  });
}

/** One step of inverse iteration on A = L L^T, largest entry 1. */
function inverseStep(lower: Float64Array, k: number, vector: Float64Array): Float64Array {
  const solution = Float64Array.from(vector);
  solveLower(lower, k, k, solution);
  solveTransposed(lower, k, k, solution);
  const largest = solution.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return solution.map((value) => value / largest);
}
