import type { Gram } from './gram';

/** Rows that are chosen one by one; after so many, the distances of the others are a good enough order. */
const CHOSEN = 128;

/**
 * Where each row stands, `[T]`, in an order that begins with rows far from the span of those before them: a Cholesky
 * factorization with diagonal pivoting (Higham, Accuracy and Stability of Numerical Algorithms, section 10.3) that is
 * stopped early, the other rows by their distance from the span of the chosen ones, farthest first.
 *
 * Neighbours in this order are unlike each other. The leading rows of a subset, taken in this order, are much better
 * conditioned than its rows in any other order known beforehand: crops of one photograph are nearly parallel.
 */
export function distinctFirst(gram: Gram): Int32Array {
  const { count } = gram;
  const distances = Float64Array.from(gram.squaredNorms);
  const order: number[] = [];
  const chosen = new Uint8Array(count);
  const factor: Float64Array[] = [];
  const most = Math.min(CHOSEN, count);
  while (order.length < most) {
    let pivot = -1;
    for (let row = 0; row < count; row++) {
      if (chosen[row] === 0 && (pivot < 0 || distances[row] > distances[pivot])) pivot = row;
    }
    if (!(distances[pivot] > 0)) break;
    const column = gram.productsWith(pivot);
    for (const before of factor) {
      const weight = before[pivot];
      for (let row = 0; row < count; row++) column[row] -= weight * before[row];
    }
    const scale = 1 / Math.sqrt(distances[pivot]);
    for (let row = 0; row < count; row++) {
      column[row] *= scale;
      distances[row] -= column[row] * column[row];
    }
    factor.push(column);
    order.push(pivot);
    chosen[pivot] = 1;
  }
  const rest = Array.from(chosen.keys()).filter((row) => chosen[row] === 0);
  order.push(...rest.sort((a, b) => distances[b] - distances[a] || a - b));
  const places = new Int32Array(count);
  order.forEach((row, place) => {
    places[row] = place;
  });
  return places;
}
