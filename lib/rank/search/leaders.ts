/**
 * The proof that no set of up to m rows is dependent, from one vector for each row.
 *
 * Let S, |S| <= m, be dependent at the tolerance: some c, ||c|| = 1, has c_i = 0 outside of S and sum c_i x_i = e with
 * ||e|| <= tau(m) = ratio(m) * (a bound of sigma_max over all sets of m rows). Take any positive weights n_i. The row of S
 * where |c_i| n_i is largest is its leader l; ||c|| = 1 gives |c_l| n_l >= 1 / N(m), N(m)^2 = the sum of the m largest
 * n_i^-2. For any vector v the inner product of v with sum c_i x_i = e, divided by |c_l| n_l, reads
 *
 *     |x_l . v| / n_l  <=  sum over S without l of |x_j . v| / n_j  +  tau(m) * ||v|| * N(m).                         (1)
 *
 * So if, for every row l, some v_l makes the left side larger than the m - 1 largest |x_j . v_l| / n_j, j != l, and the last
 * term together, no set of up to m rows is dependent. Whoever found weights and vectors need not be trusted: one product of
 * X with the v_l tells. (With tau = 0 and one bound t for all terms of the sum, (1) says m >= 1 + 1 / t: for v_l = x_l that
 * is coherence; the least t is the value of a linear program, dual to writing x_l with coefficients of the least sum of
 * magnitudes: Donoho and Elad, PNAS 100, 2003; Juditsky and Nemirovski, Math. Programming 127, 2011.)
 *
 * Rounding: a computed inner product is off by at most 1.01 (d + 2) 2^-53 ||x_j|| ||v||, in any order of summation (Higham,
 * Accuracy and Stability of Numerical Algorithms, section 3.1), and by underflow less than 2^-900 ||v||; both are added to
 * every term on the right and taken from the left. The sums are compared with a margin of 10^-9, a million times what
 * rounding does to them, so that neither another order of the rows nor another kernel makes another bound of the same vectors.
 */
import { inFloat64, tf, toTensor, valuesOf } from '../../tensor';
import type { Independence } from './independence';

const MARGIN = 1e-9;
const UNDERFLOW = 2 ** -900;

/** What one vector proves of the sets that a row leads. */
export interface Led {
  /** The fewest rows that such a set can have, at most `most` + 1; 1 where nothing is proved. */
  readonly needed: number;
  /** The left side of (1) less its last term, over the largest term of the sum: the 1 / t of the program above. */
  readonly room: number;
}

/**
 * For each row that `leaders` names, what its vector proves under the weights `n` [T]; `v` [leaders, d] in the scale of
 * `independence.rows`. Sets of more than `most` rows are not asked about.
 */
export function ledSets(
  independence: Independence,
  n: Float64Array,
  leaders: Int32Array,
  v: Float64Array,
  most: number,
): Led[] {
  const { count: T, columns: d, rows, squaredNorms } = independence;
  const products = inFloat64(() => {
    const vectors = toTensor(v, [leaders.length, d]) as tf.Tensor2D;
    return valuesOf(tf.matMul(vectors, toTensor(rows, [T, d]) as tf.Tensor2D, false, true));
  });
  const price = priceOfTolerance(independence, n, most);
  const unit = 1.01 * (d + 2) * 2 ** -53;
  const errors = squaredNorms.map((square, i) => (unit * Math.sqrt(square) + UNDERFLOW) / n[i]);
  const terms = new Float64Array(T);
  return Array.from(leaders, (leader, index) => {
    let square = 0;
    for (let j = index * d; j < (index + 1) * d; j++) square += v[j] * v[j];
    const length = Math.sqrt(square) * (1 + unit);
    let largest = 0;
    for (let j = 0; j < T; j++) {
      const term = Math.abs(products[index * T + j]) / n[j] + errors[j] * length;
      terms[j] = term;
      if (j !== leader && !(term <= largest)) largest = term;
    }
    const own = Math.abs(products[index * T + leader]) / n[leader] - errors[leader] * length;
    terms[leader] = 0;
    const left = own * (1 - MARGIN);
    const needed = rowsNeeded(terms, largest, left, (m) => price[m] * length, most);
    return { needed, room: (left - price[Math.min(needed, most)] * length) / largest };
  });
}

/** tau(m) N(m) for m up to `most`. */
function priceOfTolerance(independence: Independence, n: Float64Array, most: number): Float64Array {
  const inverseSquares = n.map((weight) => weight ** -2).sort();
  const price = new Float64Array(most + 1);
  let sum = 0;
  for (let m = 1; m <= most; m++) {
    sum += inverseSquares[inverseSquares.length - m];
    const tau = independence.ratio(m) * independence.largestSigma(m);
    price[m] = tau * Math.sqrt(sum) * (1 + MARGIN);
  }
  return price;
}

/** The least m whose m - 1 largest terms and price reach `left`, or `most` + 1. Written so that NaN proves nothing. */
function rowsNeeded(
  terms: Float64Array,
  largest: number,
  left: number,
  price: (m: number) => number,
  most: number,
): number {
  const least = (sum: (count: number) => number) => {
    let m = 1;
    while (m <= most && sum(m - 1) + price(m) < left) m++;
    return m;
  };
  // Sums of the few largest: most terms of a good vector are nearly as large as the largest, so often this is all.
  const atLargest = least((count) => count * largest);
  for (const threshold of [largest / 4, -1]) {
    const descending = terms
      .filter((term) => term > threshold)
      .sort()
      .reverse();
    let [counted, sum] = [0, 0];
    const m = least((count) => {
      while (counted < count) sum += descending[counted++] ?? NaN;
      return sum;
    });
    if (counted <= descending.length) return m;
  }
  return atLargest;
}
