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
  const lengths = search.lengths.slice(0, permutations);
  return { permutations, points: pointsOf(lengths, longest), rtol, seed, lengths };
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
export function pointsOf(lengths: readonly number[], longest: number): KruskalPoint[] {
  const intervals = new Map<number, [number, number]>();
  return Array.from({ length: longest }, (_, index) => {
    const k = index + 1;
    const satisfied = lengths.reduce((count, length) => (length >= k ? count + 1 : count), 0);
    const ci95 = intervals.get(satisfied) ?? clopperPearson(satisfied, lengths.length);
    intervals.set(satisfied, ci95);
    return { k, satisfied, fraction: satisfied / lengths.length, ci95 };
  });
}
