import { groupBy } from '../../statistics';
import { squaredLengths } from './combination';
import { batchSize } from './gram';
import type { IndependenceTest } from './independence';
import { isBlind, shiftToProve } from './proof';
import { SMALLEST_TRACE } from './rounding';

/** What a factorization says of the first rows of an order, at the tolerance of so many of them as were guessed. */
export interface ProvedPrefixes {
  /**
   * How many are independent: the most from `from` to `to`, or 0 where `from` are not. Up to the guess that is proved at
   * their own tolerances, which are smaller; beyond, more could not be proved at their own.
   */
  independent: number;
  /** Whether one row more is proved to be dependent, at its own tolerance. */
  nextDependent: boolean;
}

/** What one factorization of each order's rows, made with the tolerance of its first `guesses[i]`, says of its prefixes. */
export function provedPrefixes(
  test: IndependenceTest,
  orders: readonly Int32Array[],
  guesses: readonly number[],
  from: number,
  to: number,
): ProvedPrefixes[] {
  const candidates = orders.map((order, i) => test.candidate(order.subarray(0, guesses[i])));
  const proved = orders.map((): ProvedPrefixes => ({ independent: 0, nextDependent: false }));
  const usable = Array.from(candidates.keys()).filter((i) => candidates[i].trace >= SMALLEST_TRACE);
  if (usable.length === 0) return proved;
  const open = usable.map((i) => candidates[i]);
  test.bracket(open, 'closely');
  if (isBlind(open)) {
    for (const group of groupBy(open, ({ subset }) => subset.length).values()) {
      for (const proof of [test.interlacing('closely'), test.cholesky, test.preconditioned, test.inverse])
        test.attempt(proof, group);
    }
    for (const i of usable) if (candidates[i].verdict?.independent) proved[i].independent = guesses[i];
    return proved;
  }
  const size = batchSize(to);
  for (let start = 0; start < usable.length; start += size) {
    const batch = usable.slice(start, start + size);
    const arranged = batch.map((i) => leadingAscending(orders[i].subarray(0, to), from));
    const shifts = batch.map((i) => shiftToProve(candidates[i]));
    const found = test.gram.longestFactors(arranged, shifts, from, to);
    // Where the factorization stopped, a combination of the rows that is so short that it may prove one row more dependent.
    const places = Array.from(batch.keys()).filter((place) => found[place].weights !== null);
    const bounds = places.map((place) => candidates[batch[place]].low);
    const squares = squaredLengths(
      test.rows,
      places.map((place) => arranged[place].subarray(0, found[place].length + 1)),
      places.map((place) => found[place].weights!),
      bounds,
    );
    const dependent = new Set(places.filter((_, i) => squares[i] < bounds[i]));
    batch.forEach((i, place) => {
      const { length } = found[place];
      proved[i] = { independent: length, nextDependent: length + 1 >= guesses[i] && dependent.has(place) };
    });
  }
  return proved;
}

/** In ascending order inner products are found along rows of memory. */
function leadingAscending(order: Int32Array, leading: number): Int32Array {
  const arranged = order.slice();
  arranged.subarray(0, leading).sort();
  return arranged;
}
