/**
 * Orders of the rows that put a likely dependency of a given row first: matching pursuit, which is cheap, and
 * reweighted least squares, which finds dependencies of more rows. Guides only; the verdict is Independence's.
 */
import { cholesky, inFloat64, scalar, tf, toTensor, triangularSolve, valuesOf } from '../../tensor';
import type { Independence } from './independence';

/**
 * Orthogonal matching pursuit: the leader, then again and again the row with the largest inner product with what is left
 * of the leader. Ends after `length` rows or when nothing is left. Costs T * length^2 / 2 multiplications.
 */
export function pursue(cosines: Float64Array, T: number, leader: number, length: number): number[] {
  const order = [leader];
  const left = cosines.slice(leader * T, (leader + 1) * T);
  const directions: Float64Array[] = [];
  const taken = new Uint8Array(T);
  taken[leader] = 1;
  while (order.length < length && left[leader] > 1e-13) {
    let next = -1;
    let largest = 0;
    for (let j = 0; j < T; j++) {
      if (taken[j] === 0 && Math.abs(left[j]) > largest) {
        largest = Math.abs(left[j]);
        next = j;
      }
    }
    if (next < 0) break;
    taken[next] = 1;
    order.push(next);
    const direction = cosines.slice(next * T, (next + 1) * T);
    for (const earlier of directions) {
      const factor = earlier[next];
      for (let j = 0; j < T; j++) direction[j] -= factor * earlier[j];
    }
    if (!(direction[next] > 1e-12)) continue;
    const scale = 1 / Math.sqrt(direction[next]);
    const part = direction[leader] * scale;
    for (let j = 0; j < T; j++) {
      direction[j] *= scale;
      left[j] -= part * direction[j];
    }
    directions.push(direction);
  }
  return order;
}

/** Multiplications of one call of {@link reweight}. */
export function reweightCost(T: number, d: number): number {
  return STEPS * (T * d * d + (d * d * d) / 3 + 40 * T * d);
}

const STEPS = 14;

/**
 * Iteratively reweighted least squares (Chartrand, Yin 2008): the combination c with c_leader = 1 that minimises
 * ||X^T c||^2 / tau^2 + sum |c_j|^(1/2), approached through weighted squares whose smoothing shrinks. Rows in the order of
 * their part in it. Each row counts as if it had unit length.
 */
export function reweight(independence: Independence, leader: number): number[] {
  const { count: T, columns: d, rows, squaredNorms } = independence;
  const identity = Float64Array.from({ length: d * d }, (_, at) => (at % (d + 1) === 0 ? 1 : 0));
  let weights = new Float64Array(T).fill(1);
  let part = new Float64Array(T);
  let smoothing = 1;
  for (let step = 0; step < STEPS; step++) {
    const ridge = Math.max(independence.ratio(d) ** 2, 1e-13) * weights.reduce((sum, weight) => sum + weight, 0);
    const image = inFloat64(() => {
      const unit = toTensor(rows, [T, d]).div(toTensor(squaredNorms, [T, 1]).sqrt()) as tf.Tensor2D;
      const own = unit.slice([leader, 0], [1, d]).transpose();
      const weighted = unit.mul(toTensor(weights, [T, 1]));
      const normal = tf.matMul(unit, weighted, true, false).add(toTensor(identity, [d, d]).mul(scalar(ridge)));
      const lower = cholesky(normal);
      const solution = triangularSolve(lower, triangularSolve(lower, own), { adjoint: true });
      return Float64Array.from(valuesOf(tf.matMul(weighted, solution)));
    });
    const rest = 1 - image[leader];
    if (!(rest > 0)) break;
    part = image.map((value, j) => (j === leader ? 1 : -value / rest));
    smoothing *= 0.4;
    weights = part.map((value, j) => (j === leader ? 1 : (value * value + smoothing * smoothing) ** 0.75));
  }
  const order = Array.from({ length: T }, (_, j) => j);
  return order.sort((a, b) => Math.abs(part[b]) - Math.abs(part[a]) || a - b);
}
