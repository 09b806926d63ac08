import { InputError } from '../input-error';
import { begin, Interrupted } from '../pace';
import { randomSource, type Matrix } from '../tensor';
import { clopperPearson } from './binomial-interval';
import { IndependenceTest, JUDGED_TOGETHER } from './independence';
import { checkCount, checkSubsetSize } from './kruskal-test';
import { prepareRows } from './rows';
import { relativeTolerance, type Rtol } from './tolerance';

export interface KruskalCurveOptions {
  /** Random orders of the rows. */
  readonly permutations: number;
  readonly seed: number;
  readonly rtol: Rtol;
  /** The sizes to report; every one from 1 to min(T, d) unless given. */
  readonly ks?: readonly number[];
  /** What an interrupted call had: see {@link KruskalCurveInterrupted}. */
  readonly from?: KruskalCurveProgress;
}

/** Of random k-subsets of the rows, the share that is linearly independent, for every k. */
export interface KruskalCurve {
  readonly permutations: number;
  readonly points: readonly KruskalPoint[];
  readonly rtol: Rtol;
  readonly seed: number;
  /** For each permutation, how many rows from its start are independent. */
  readonly lengths: readonly number[];
}

export interface KruskalPoint {
  readonly k: number;
  readonly satisfied: number;
  readonly fraction: number;
  /** Exact 95 % interval of the fraction among all k-subsets, for this k alone. */
  readonly ci95: readonly [low: number, high: number];
}

/** The permutations finished so far: plain data, to be kept as JSON and given back as `from`. */
export interface KruskalCurveProgress {
  readonly seed: number;
  readonly rtol: Rtol;
  readonly lengths: readonly number[];
}

/** Thrown when a curve is interrupted; `progress` lets another call go on where this one was. */
export class KruskalCurveInterrupted extends Interrupted {
  constructor(
    label: string,
    total: number,
    readonly progress: KruskalCurveProgress,
  ) {
    super(label, progress.lengths.length, total);
  }
}

/**
 * The satisfied fraction for every k at once.
 *
 * As rows are added in a random order, the smallest singular value can only fall and the largest, with the tolerance, only
 * grow: the first j rows are independent up to some j and never after. Each prefix is a random j-subset. So one bisection a
 * permutation gives the verdict for every k, where the paper's notebook draws 5000 subsets for each of 79 sizes.
 *
 * Verdicts at neighbouring k share permutations: the points are correlated along the curve, the interval of each is right.
 *
 * @throws InputError when an option is out of range, or a feature is not finite. @throws KruskalCurveInterrupted
 */
export async function kruskalCurve(features: Matrix, options: KruskalCurveOptions): Promise<KruskalCurve> {
  const { permutations, seed, rtol, from } = options;
  checkCount('permutations', permutations, 1);
  for (const k of options.ks ?? []) checkSubsetSize(k, features.shape);
  relativeTolerance(rtol, 1, 1);
  if (from && (from.seed !== seed || from.rtol !== rtol)) {
    throw new InputError(
      `an interrupted curve goes on with its own seed and rtol (${from.seed}, ${from.rtol}), but ${seed}, ${rtol} came.`,
    );
  }
  const rows = prepareRows(features);
  const longest = Math.min(rows.count, rows.columns);
  const search = new PrefixSearch(new IndependenceTest(rows, rtol), longest, from?.lengths ?? []);
  const label = `Kruskal curve of ${rows.count} vectors`;
  const work = begin(label, permutations);
  try {
    // A few first: where their edges are is where to look in all others.
    for (let size = 4; search.lengths.length < permutations; size = Math.min(4 * size, 16 * JUDGED_TOGETHER)) {
      const end = Math.min(permutations, search.lengths.length + size);
      const orders: Int32Array[] = [];
      for (let index = search.lengths.length; index < end; index++) {
        orders.push(randomSource(seed, 'permutations', index).permutation(rows.count).slice(0, longest));
      }
      await search.add(orders, (found) => work.advance(search.lengths.length + found));
    }
  } catch (error) {
    if (error instanceof Interrupted) {
      throw new KruskalCurveInterrupted(label, permutations, { seed, rtol, lengths: search.lengths });
    }
    throw error;
  } finally {
    work.end();
  }
  const ks = options.ks ?? Array.from({ length: longest }, (_, index) => index + 1);
  const lengths = search.lengths.slice(0, permutations);
  return { permutations, points: pointsOf(lengths, ks), rtol, seed, lengths };
}

function pointsOf(lengths: readonly number[], ks: readonly number[]): KruskalPoint[] {
  const intervals = new Map<number, [number, number]>();
  return ks.map((k) => {
    const satisfied = lengths.reduce((count, length) => (length >= k ? count + 1 : count), 0);
    const ci95 = intervals.get(satisfied) ?? clopperPearson(satisfied, lengths.length);
    intervals.set(satisfied, ci95);
    return { k, satisfied, fraction: satisfied / lengths.length, ci95 };
  });
}

/** What is known of one permutation: the first `low` rows are independent, the first `high` are not. */
interface Prefixes {
  readonly order: Int32Array;
  low: number;
  high: number;
  /** How often a step off the end did not suffice. */
  steps: number;
  /** The length, once proved from both sides. */
  length: number | null;
}

/** Finds how long the independent prefixes of permutations are, many permutations at a time. */
class PrefixSearch {
  readonly lengths: number[];
  /** The lengths, ascending. */
  private readonly sorted: number[];

  constructor(
    private readonly test: IndependenceTest,
    private readonly longest: number,
    known: readonly number[],
  ) {
    this.lengths = [...known];
    this.sorted = [...known].sort((a, b) => a - b);
  }

  async add(orders: readonly Int32Array[], advance: (found: number) => Promise<void>): Promise<void> {
    const all = orders.map((order): Prefixes => ({ order, low: 0, high: this.longest + 1, steps: 0, length: null }));
    for (;;) {
      const open = all.filter(({ length }) => length === null);
      if (open.length === 0) break;
      // Prefixes of one length are factorized together.
      const byLength = new Map<number, Prefixes[]>();
      for (const prefixes of open) {
        const probe = this.nextProbe(prefixes);
        byLength.set(probe, [...(byLength.get(probe) ?? []), prefixes]);
      }
      for (const [length, group] of byLength) {
        for (let start = 0; start < group.length; start += JUDGED_TOGETHER) {
          this.probe(group.slice(start, start + JUDGED_TOGETHER), length);
          await advance(all.length - all.filter((prefixes) => prefixes.length === null).length);
        }
      }
    }
    for (const { length } of all) this.lengths.push(length!);
    this.sorted.splice(0, this.sorted.length, ...[...this.lengths].sort((a, b) => a - b));
  }

  /**
   * The bisection only asks for proofs of independence: a prefix without one counts as dependent until the bracket has
   * closed, and then the full test has the last word on the first prefix beyond it.
   */
  private probe(group: readonly Prefixes[], length: number): void {
    const closing = group.filter(({ low, high }) => high - low === 1);
    const others = group.filter(({ low, high }) => high - low > 1);
    const prefixesOf = (some: readonly Prefixes[]) =>
      // In ascending order the inner products are found along rows of memory, four times as fast.
      some.map(({ order }) => order.slice(0, length).sort());
    if (others.length > 0) {
      const proved = this.test.provedIndependent(prefixesOf(others));
      others.forEach((prefixes, i) => {
        if (proved[i] === 1) prefixes.low = length;
        else prefixes.high = length;
      });
    }
    if (closing.length > 0) {
      const verdicts = this.test.judge(prefixesOf(closing), 'dependent');
      closing.forEach((prefixes, i) => {
        if (!verdicts[i].independent) prefixes.length = prefixes.low;
        else Object.assign(prefixes, { low: length, high: Math.min(length + 1, this.longest + 1) });
      });
    }
    for (const prefixes of group) if (prefixes.low === this.longest) prefixes.length = this.longest;
  }

  /**
   * Where to look next: at the median of the lengths that other permutations had inside of the bracket; with none there, a
   * step inwards from the end that is nearer to them, twice as far each time.
   */
  private nextProbe(prefixes: Prefixes): number {
    const { low, high } = prefixes;
    if (high - low === 1) return high;
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
