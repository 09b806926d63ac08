import type { Gram } from './gram';
import { choleskySlack, rayleighSlack, SMALLEST_TRACE } from './rounding';
import { norm } from './rows';
import { factorize } from './small-cholesky';

/** Up to this size a factorization in plain JavaScript takes less time than the call of a kernel. */
const PLAIN_UP_TO = 40;

/**
 * Whether one set of rows is independent at the tolerance, by its Gram alone; null where that cannot tell. The search asks
 * for millions of small sets one by one: no call into TensorFlow, and one pass over the Gram for a bracket of sigma_max.
 */
export function judgeByGram(gram: Gram, set: Int32Array, tolerance: number): boolean | null {
  const k = set.length;
  const trace = gram.trace(set);
  if (!(trace >= SMALLEST_TRACE)) return null;
  const lower = gram.lower(set);
  const squared = tolerance ** 2;
  const slack = choleskySlack(gram.columns, k, trace);
  const largest = bracketOf(lower, k, gram.columns, trace);
  const passes = (shift: number, matrix: () => Float64Array) =>
    k <= PLAIN_UP_TO ? factorize(matrix(), k, shift) === k : gram.factors([set], [shift])[0] === 1;
  if (passes(squared * largest.high + slack, () => lower)) return true;
  const low = squared * largest.low - slack;
  return low > 0 && !passes(low, () => gram.lower(set)) ? false : null;
}

/** An interval of sigma_max^2: from below by power iteration, from above by the trace and the sums of rows (Gershgorin). */
function bracketOf(lower: Float64Array, k: number, columns: number, trace: number): { low: number; high: number } {
  let vector = new Float64Array(k).fill(1);
  let low = 0;
  let largestRowSum = 0;
  for (let step = 0; step < 3; step++) {
    const image = new Float64Array(k);
    const rowSums = step === 0 ? new Float64Array(k) : null;
    for (let i = 0; i < k; i++) {
      let sum = 0;
      const row = i * k;
      for (let j = 0; j < i; j++) {
        const entry = lower[row + j];
        sum += entry * vector[j];
        image[j] += entry * vector[i];
        if (rowSums) {
          rowSums[i] += Math.abs(entry);
          rowSums[j] += Math.abs(entry);
        }
      }
      image[i] += sum + lower[row + i] * vector[i];
      if (rowSums) rowSums[i] += lower[row + i];
    }
    if (rowSums) for (const sum of rowSums) largestRowSum = Math.max(largestRowSum, sum);
    const length = norm(vector);
    const imageLength = norm(image);
    if (length === 0 || imageLength === 0) break;
    // ||A v|| / ||v|| never exceeds the largest eigenvalue of A.
    low = Math.max(low, imageLength / length);
    vector = image.map((value) => value / imageLength);
  }
  for (let i = 0; i < k; i++) low = Math.max(low, lower[i * k + i]);
  const error = rayleighSlack(columns, k, trace);
  return { low: low - error, high: Math.min(trace, largestRowSum) + error };
}
