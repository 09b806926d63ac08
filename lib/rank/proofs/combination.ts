import { cholesky, eigh, inFloat64, qr, randomSource, tf, toTensor, triangularSolve, valuesOf } from '../../tensor';
import { exactProduct, exactProductError } from './exact-product';
import { batchSize, type Gram } from './gram';
import { gatherRows, norm, type Rows } from './rows';
import { UNIT } from './rounding';

/** Vectors that are iterated together: near-dependencies that a Gram cannot tell apart are told apart among them. */
const TOGETHER = 8;

/**
 * For each subset S (all of k rows) an upper bound of sigma_min(S)^2, from a combination v of its rows that is as short as could be
 * found: sigma_min <= ||S^T v|| / ||v||. The search is inverse iteration with the Gram, moved by a little more than its rounding so that it
 * has a Cholesky factor, on a few vectors at a time, and the shortest combination in their span (Rayleigh-Ritz; Parlett, The Symmetric
 * Eigenvalue Problem, chapter 11). It may fail to find a short one; what it finds is measured on the rows themselves.
 * `slacks` are what rounding may move an eigenvalue of each Gram by, `wanted` the squares that are worth a finer measurement.
 */
export function shortestSquares(
  gram: Gram,
  rows: Rows,
  subsets: readonly Int32Array[],
  slacks: readonly number[],
  wanted: readonly number[],
): number[] {
  const squares: number[] = [];
  const size = batchSize(subsets[0].length);
  for (let start = 0; start < subsets.length; start += size) {
    const batch = subsets.slice(start, start + size);
    const weights = inFloat64(() => combinations(gram, rows, batch, slacks.slice(start, start + size)));
    squares.push(...squaredLengths(rows, batch, weights, wanted.slice(start, start + size)));
  }
  return squares;
}

/**
 * Upper bounds of ||S^T v||^2 / ||v||^2 for weights v of each subset's rows. Where rounding hides whether one is below
 * what is `wanted`, the product is computed again to nearly the last bit.
 */
export function squaredLengths(
  rows: Rows,
  subsets: readonly Int32Array[],
  weights: readonly Float64Array[],
  wanted: readonly number[],
): number[] {
  const { count, columns, values, squaredNorms } = rows;
  const combined = ofAllRows(rows, subsets, weights);
  return weights.map((own, index) => {
    const length = norm(own);
    const trace = subsets[index].reduce((sum, row) => sum + squaredNorms[row], 0);
    const shortest = norm(combined.subarray(index * columns, (index + 1) * columns)) / length;
    // Sums of `count` products, of which k are not zero, and norms.
    const error = (own.length + 8) * UNIT * 1.01 * Math.sqrt(trace);
    const bound = ((shortest + error) * (1 + (count + columns) * UNIT)) ** 2;
    if (!(length > 0)) return Infinity;
    if (bound < wanted[index] || shortest ** 2 > wanted[index]) return bound;
    const k = own.length;
    const largest = own.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
    const finer = norm(exactProduct(own, gatherRows(values, columns, subsets[index]), 1, k, columns)) / length;
    const lost = (exactProductError(k) * (largest / length) * Math.sqrt(trace) + 2 ** -51 * finer) * 1.01;
    return Math.min(bound, ((finer + lost) * (1 + (count + columns) * UNIT)) ** 2);
  });
}

/** S^T v for each subset, `[B, columns]`: one product with all rows reads them once. */
function ofAllRows({ count, columns, values }: Rows, subsets: readonly Int32Array[], weights: readonly Float64Array[]) {
  const spread = new Float64Array(weights.length * count);
  weights.forEach((own, index) => {
    own.forEach((weight, i) => (spread[index * count + subsets[index][i]] = weight));
  });
  return inFloat64(() => {
    const all = toTensor(values, [count, columns]) as tf.Tensor2D;
    return Float64Array.from(valuesOf(tf.matMul(toTensor(spread, [weights.length, count]) as tf.Tensor2D, all)));
  });
}

function combinations(
  gram: Gram,
  rows: Rows,
  subsets: readonly Int32Array[],
  slacks: readonly number[],
): Float64Array[] {
  const k = subsets[0].length;
  const together = Math.min(TOGETHER, k);
  const batch = subsets.length;
  const factor = cholesky(
    gram.leading(
      subsets,
      slacks.map((slack) => -2 * slack),
      k,
    ),
  );
  const random = randomSource(0, 'combinations', k);
  const begun = Float64Array.from({ length: k * together }, () => random.normal());
  let block: tf.Tensor = tf.tile(toTensor(begun, [1, k, together]) as tf.Tensor3D, [batch, 1, 1]);
  for (let step = 0; step < 2; step++) {
    block = triangularSolve(factor, triangularSolve(factor, block), { adjoint: true });
    [block] = qr(block);
  }
  // [B, k, together]
  const basis = valuesOf(block);
  const vectors = Array.from({ length: batch * together }, (_, at) => {
    const [index, column] = [Math.floor(at / together), at % together];
    return Float64Array.from({ length: k }, (_, i) => basis[(index * k + i) * together + column]);
  });
  const images = ofAllRows(
    rows,
    vectors.map((_, at) => subsets[Math.floor(at / together)]),
    vectors,
  );
  const stack = toTensor(images, [batch, together, rows.columns]) as tf.Tensor3D;
  const [, ritz] = eigh(tf.matMul(stack, stack, false, true));
  const shortest = tf.slice(ritz as tf.Tensor3D, [0, 0, 0], [batch, together, 1]);
  const found = valuesOf(tf.matMul(block as tf.Tensor3D, shortest));
  return subsets.map((_, index) => Float64Array.from(found.subarray(index * k, (index + 1) * k)));
}
