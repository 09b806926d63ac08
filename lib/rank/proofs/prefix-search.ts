import { groupBy, median } from '../../statistics';
import { type IndependenceTest, JUDGED_TOGETHER } from './independence';
import { provedPrefixes } from './proved-prefixes';

/** What is known of one permutation: the first `low` rows are independent, the first `high` are not. */
interface Prefixes {
  readonly order: Int32Array;
  low: number;
  high: number;
  /** How often a step off the end did not suffice. */
  steps: number;
  /** What the last probe saw: with the tolerance of the first `guess` rows the first `edge` are independent, no more. */
  seen: { readonly guess: number; readonly edge: number } | null;
  /** The length, once proved from both sides. */
  length: number | null;
  /** So many rows more are neither proved to be independent nor dependent: each with what was tried on it. */
  undecided: number;
}

/** Prefixes that are probed together: each with the tolerance of its guess, all from `from` to `to` rows. */
interface Probe {
  readonly group: readonly Prefixes[];
  readonly guesses: readonly number[];
  readonly from: number;
  readonly to: number;
}

/** How many rows a probe looks to either side of its guess: one that other permutations gave, or one of its own. */
const REACH = { ofOthers: 60, ofOwn: 6 };

/**
 * Finds how long the independent prefixes of permutations are, many permutations at a time.
 *
 * One factorization, extended row by row, passes every prefix around a guess, but at the tolerance of the guess: sigma_max,
 * and the tolerance with it, grows a little with each row. So the edge that a probe sees is off by a share of its distance
 * from the guess, and that share is much the same for all permutations: mostly the second probe is right.
 */
export class PrefixSearch {
  readonly lengths: number[];
  /** How many prefixes, from that length on, nothing could decide: for each permutation, mostly 0. */
  readonly undecided: number[];
  /** The lengths, ascending. */
  private readonly sorted: number[];
  /** By how much of a row an edge moves towards the guess for each row that the guess is away. */
  private readonly pulls: number[] = [0.1];

  constructor(
    private readonly test: IndependenceTest,
    private readonly longest: number,
    known: readonly number[],
    undecided: readonly number[] = [],
  ) {
    this.lengths = [...known];
    this.undecided = known.map((_, i) => undecided[i] ?? 0);
    this.sorted = [...known].sort((a, b) => a - b);
  }

  async add(orders: readonly Int32Array[], advance: (found: number) => Promise<void>): Promise<void> {
    const all = orders.map((order): Prefixes => ({
      order,
      low: 0,
      high: this.longest + 1,
      steps: 0,
      seen: null,
      length: null,
      undecided: 0,
    }));
    const pull = median(this.pulls);
    for (;;) {
      const open = all.filter(isOpen);
      if (open.length === 0) break;
      for (const group of closingGroups(open)) {
        this.close(group);
        await advance(all.length - all.filter(isOpen).length);
      }
      for (const probe of this.probes(
        open.filter((prefixes) => !isClosed(prefixes)),
        pull,
      )) {
        this.look(probe);
        await advance(all.length - all.filter(isOpen).length);
      }
    }
    for (const { length, undecided } of all) {
      this.lengths.push(length!);
      this.undecided.push(undecided);
    }
    this.sorted.splice(0, this.sorted.length, ...[...this.lengths].sort((a, b) => a - b));
  }

  /** A prefix that no probe could prove counts as dependent until here: the full test has the last word on it. */
  private close(group: readonly Prefixes[]): void {
    const verdicts = this.test.judge(
      group.map(({ order, high, undecided }) => ascending(order.subarray(0, high + undecided))),
      'dependent',
    );
    group.forEach((prefixes, i) => {
      const { high, undecided } = prefixes;
      const size = high + undecided;
      if (verdicts[i].independent) {
        // Then the shorter ones, which could not be decided, are too.
        prefixes.undecided = 0;
        this.narrow(prefixes, size, size + 1);
      } else if (verdicts[i].independent === null && size < this.longest) {
        prefixes.undecided++;
      } else {
        if (verdicts[i].independent === null) prefixes.undecided++;
        prefixes.length = prefixes.low;
      }
    });
  }

  private look({ group, guesses, from, to }: Probe): void {
    const proved = provedPrefixes(
      this.test,
      group.map(({ order }) => order),
      guesses,
      from,
      to,
    );
    group.forEach((prefixes, i) => {
      const { independent: edge, nextDependent } = proved[i];
      const guess = guesses[i];
      const { seen } = prefixes;
      prefixes.seen = edge >= from && edge < to ? { guess, edge } : null;
      if (seen !== null && prefixes.seen !== null && Math.abs(guess - seen.guess) >= 8) {
        this.pulls.push((seen.edge - edge) / (guess - seen.guess));
      }
      if (edge >= guess) this.narrow(prefixes, guess, edge < to ? edge + 1 : prefixes.high);
      else this.narrow(prefixes, edge, guess);
      if (nextDependent && prefixes.low === edge) prefixes.length = edge;
    });
  }

  private narrow(prefixes: Prefixes, low: number, high: number): void {
    prefixes.low = Math.max(low, prefixes.low);
    prefixes.high = Math.max(prefixes.low + 1, Math.min(high, prefixes.high));
    if (prefixes.low === this.longest) prefixes.length = this.longest;
  }

  /** Prefixes with neighbouring guesses go together. */
  private probes(open: readonly Prefixes[], pull: number): Probe[] {
    const guessed = open
      .map((prefixes) => ({ prefixes, guess: this.nextGuess(prefixes, pull) }))
      .sort((a, b) => a.guess - b.guess);
    const probes: Probe[] = [];
    for (let start = 0, end = 1; start < guessed.length; start = end++) {
      const first = guessed[start].guess;
      while (end < guessed.length && end - start < JUDGED_TOGETHER && guessed[end].guess - first <= REACH.ofOthers)
        end++;
      const together = guessed.slice(start, end);
      const reach = Math.max(...together.map(({ prefixes }) => this.reach(prefixes)));
      probes.push({
        group: together.map(({ prefixes }) => prefixes),
        guesses: together.map(({ guess }) => guess),
        from: Math.max(1, first - reach),
        to: Math.min(this.longest, guessed[end - 1].guess + reach),
      });
    }
    return probes;
  }

  /** With nothing known of other permutations, only the guess itself is looked at. */
  private reach({ seen }: Prefixes): number {
    if (seen !== null) return REACH.ofOwn;
    const { sorted } = this;
    const range = sorted.length === 0 ? 0 : sorted[sorted.length - 1] - sorted[0];
    return range === 0 ? 0 : Math.min(REACH.ofOthers, 4 + range);
  }

  /**
   * Where the edge must be, from where it was seen; else at the median of the lengths that other permutations had inside of
   * the bracket; with none there, a step inwards from the end that is nearer to them, twice as far each time.
   */
  private nextGuess(prefixes: Prefixes, pull: number): number {
    const { low, high, seen } = prefixes;
    if (seen !== null) {
      const expected = Math.round((seen.edge + pull * seen.guess) / (1 + pull));
      return Math.max(low + 1, Math.min(high - 1, expected));
    }
    const first = lowerBound(this.sorted, low + 1);
    const last = lowerBound(this.sorted, high);
    if (last > first) return this.sorted[(first + last) >> 1];
    if (this.sorted.length === 0) return high > this.longest ? this.longest : (low + high) >> 1;
    const step = 2 ** prefixes.steps++;
    const below = first > 0;
    const above = last < this.sorted.length;
    if (below && !above) return Math.min(low + step, high - 1);
    if (above && !below) return Math.max(high - step, low + 1);
    return (low + high) >> 1;
  }
}

const isOpen = ({ length }: Prefixes) => length === null;
const isClosed = ({ low, high }: Prefixes) => high - low === 1;
/** In ascending order the inner products are found along rows of memory, four times as fast. */
const ascending = (rows: Int32Array) => rows.slice().sort();

/** Those whose bracket has closed, by the length that is to be judged. */
function closingGroups(open: readonly Prefixes[]): Prefixes[][] {
  return [...groupBy(open.filter(isClosed), ({ high, undecided }) => high + undecided).values()];
}

/** The index of the first value that is at least `least`. */
function lowerBound(ascending: readonly number[], least: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
