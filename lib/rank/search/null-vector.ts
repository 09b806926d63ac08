/**
 * The combination of a set's rows that comes nearest to zero: the left singular vector of sigma_min, by inverse
 * iteration. Its large entries name the rows that carry a dependency. A guide for the search, never a proof.
 */
import type { Independence } from './independence';
import { shiftedCholesky } from './independence';

/** Above this ratio a float64 Gram still resolves the smallest singular value (its square against 2^-52). */
const GRAM_RESOLVES = 1e-6;

/** Entries of the vector, one a row of the set, largest magnitude 1. */
export function nullVector(independence: Independence, set: ArrayLike<number>): Float64Array {
  const k = set.length;
  let lower: Float64Array | null = null;
  if (independence.ratio(k) >= GRAM_RESOLVES) {
    let trace = 0;
    for (let i = 0; i < k; i++) trace += independence.squaredNorms[set[i]];
    const regular = 4 * (independence.columns + k) * Number.EPSILON * trace;
    const sub = independence.gather(set);
    if (shiftedCholesky(sub, k, -regular)) lower = sub;
  }
  lower ??= lowerFactor(independence.select(set), k, independence.columns);
  let vector = Float64Array.from({ length: k }, (_, i) => 1 + ((i * 7919) % 101) / 101);
  for (let step = 0; step < 4; step++) {
    vector = unitLargest(backward(lower, k, forward(lower, k, vector)));
  }
  return vector;
}

/** L of X = L Q by Householder reflections of the rows [k, d], k <= d: backward stable, so it sees what a Gram cannot. */
function lowerFactor(x: Float64Array, k: number, d: number): Float64Array {
  const lower = new Float64Array(k * k);
  for (let t = 0; t < k; t++) {
    const row = t * d;
    let norm = 0;
    for (let c = t; c < d; c++) norm += x[row + c] * x[row + c];
    norm = Math.sqrt(norm);
    const alpha = x[row + t] > 0 ? -norm : norm;
    if (norm > 0) {
      x[row + t] -= alpha;
      const scale = -1 / (alpha * x[row + t]);
      for (let i = t + 1; i < k; i++) {
        const other = i * d;
        let sum = 0;
        for (let c = t; c < d; c++) sum += x[other + c] * x[row + c];
        sum *= scale;
        for (let c = t; c < d; c++) x[other + c] -= sum * x[row + c];
      }
    }
    lower[t * k + t] = alpha;
    for (let i = t + 1; i < k; i++) lower[i * k + t] = x[i * d + t];
  }
  return lower;
}

function forward(lower: Float64Array, k: number, rhs: Float64Array): Float64Array {
  const solution = Float64Array.from(rhs);
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < i; j++) solution[i] -= lower[i * k + j] * solution[j];
    solution[i] /= pivot(lower, k, i);
  }
  return unitLargest(solution);
}

function backward(lower: Float64Array, k: number, rhs: Float64Array): Float64Array {
  const solution = Float64Array.from(rhs);
  for (let i = k - 1; i >= 0; i--) {
    solution[i] /= pivot(lower, k, i);
    for (let j = 0; j < i; j++) solution[j] -= lower[i * k + j] * solution[i];
  }
  return unitLargest(solution);
}

/** A vanishing pivot means an exact dependency: any tiny number in its place lets the iteration find it. */
function pivot(lower: Float64Array, k: number, i: number): number {
  const value = lower[i * k + i];
  return Math.abs(value) > 1e-60 ? value : 1e-60;
}

function unitLargest(vector: Float64Array): Float64Array {
  let largest = 0;
  for (const value of vector) if (Math.abs(value) > largest) largest = Math.abs(value);
  return largest > 0 && Number.isFinite(largest) ? vector.map((value) => value / largest) : vector.fill(1);
}
