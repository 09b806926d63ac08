import { checkCount, InputError } from '../input-error';
import { begin, Interrupted } from '../work';
import { randomSource, type Matrix } from '../tensor';
import { clopperPearson } from '../statistics';
import { IndependenceTest, JUDGED_TOGETHER } from './proofs/independence';
import { PrefixSearch } from './proofs/prefix-search';
import { prepareRows } from './proofs/rows';
import { relativeTolerance, type Rtol } from './tolerance';

export interface KruskalCurveOptions {
  /** Random orders of the rows. */
  readonly permutations: number;
  readonly seed: number;
  readonly rtol: Rtol;
  /** What an interrupted call had: see {@link KruskalCurveInterrupted}. */
  readonly from?: KruskalCurveProgress;
}

/** Of random k-subsets of the rows, the share that is linearly independent, for every k. */
export interface KruskalCurve {
  readonly permutations: number;
  readonly points: readonly KruskalPoint[];
  readonly rtol: Rtol;
  readonly seed: number;
  /** For each permutation, how many rows from its start are proved to be independent. */
  readonly lengths: readonly number[];
  /** For each permutation, how many prefixes from that length on are proved neither way; 0 in all but rare cases. */
  readonly undecided: readonly number[];
}

export interface KruskalPoint {
  readonly k: number;
  readonly satisfied: number;
  /** How many are neither proved to be independent nor dependent. */
  readonly undecided: number;
  /** satisfied / permutations. */
  readonly fraction: number;
  /** Exact 95 % interval of the fraction among all k-subsets, for this k alone; the undecided out below and in above. */
  readonly ci95: readonly [low: number, high: number];
}

/** The permutations finished so far: plain data, to be kept as JSON and given back as `from`. */
export interface KruskalCurveProgress {
  readonly seed: number;
  readonly rtol: Rtol;
  readonly lengths: readonly number[];
  readonly undecided: readonly number[];
}

/** Thrown when a curve is interrupted; `progress` lets another call resume. */
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
  if (from && (from.seed !== seed || from.rtol !== rtol)) {
    throw new InputError(
      `an interrupted curve resumes with its own seed and rtol: expected ${from.seed}, ${from.rtol}, got ${seed}, ${rtol}`,
    );
  }
  const rows = prepareRows(features);
  const longest = Math.min(rows.count, rows.columns);
  relativeTolerance(rtol, 1, rows.columns);
  const search = new PrefixSearch(new IndependenceTest(rows, rtol), longest, from?.lengths ?? [], from?.undecided);
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
      throw new KruskalCurveInterrupted(label, permutations, {
        seed,
        rtol,
        lengths: search.lengths,
        undecided: search.undecided,
      });
    }
    throw error;
  } finally {
    work.end();
  }
  const lengths = search.lengths.slice(0, permutations);
  const undecided = search.undecided.slice(0, permutations);
  return { permutations, points: pointsOf(lengths, longest, undecided), rtol, seed, lengths, undecided };
}

/** Where a curve leaves 1, passes a half and reaches 0: the largest k at which all, half and any of the subsets are independent. */
export function curveFall(points: readonly Pick<KruskalPoint, 'k' | 'fraction'>[]) {
  const last = (holds: (fraction: number) => boolean) =>
    points.filter(({ fraction }) => holds(fraction)).at(-1)?.k ?? 0;
  return {
    allUpTo: last((fraction) => fraction === 1),
    halfUpTo: last((fraction) => fraction >= 0.5),
    someUpTo: last((fraction) => fraction > 0),
  };
}

/** For every k from 1 to `longest`. */
export function pointsOf(
  lengths: readonly number[],
  longest: number,
  undecided: readonly number[] = lengths.map(() => 0),
): KruskalPoint[] {
  const intervals = new Map<number, readonly [number, number]>();
  const interval = (satisfied: number) => {
    const found = intervals.get(satisfied) ?? clopperPearson(satisfied, lengths.length);
    intervals.set(satisfied, found);
    return found;
  };
  return Array.from({ length: longest }, (_, index) => {
    const k = index + 1;
    const satisfied = lengths.filter((length) => length >= k).length;
    const possible = lengths.filter((length, i) => length + undecided[i] >= k).length;
    const ci95 = [interval(satisfied)[0], interval(possible)[1]] as const;
    return { k, satisfied, undecided: possible - satisfied, fraction: satisfied / lengths.length, ci95 };
  });
}
