import { checkCount, InputError } from '../input-error';
import { begin, Interrupted } from '../work';
import { randomSource, type Matrix } from '../tensor';
import { clopperPearson, median } from '../statistics';
import { IndependenceTest, JUDGED_TOGETHER } from './proofs/independence';
import type { Method, Verdict } from './proofs/proof';
import { RankCounter } from './proofs/rank-count';
import { nearness } from './proofs/rounding';
import { prepareRows, type Rows } from './proofs/rows';
import { sigmaRatioOf, sigmaRatios, SVDS_TOGETHER } from './proofs/singular-values';
import { relativeTolerance, type Rtol } from './tolerance';
import type { CountedRank } from './proofs/verified-rank';

export interface KruskalTestOptions {
  /** Rows in each subset, 1 … min(T, d). */
  readonly k: number;
  /** Random subsets. */
  readonly draws: number;
  readonly seed: number;
  readonly rtol: Rtol;
  /** Of how many draws, from the first on, the rank is counted (0): the rank of an independent subset is known, k. */
  readonly ranksDraws?: number;
  /** Of how many draws, from the first on, sigma_min / sigma_max is computed by SVD (50). */
  readonly sigmaDraws?: number;
  /** What an interrupted test had: see {@link KruskalTestInterrupted}. */
  readonly from?: KruskalProgress;
}

/** Some rows of the features, counted from 0, ascending, and how far from dependent they are. */
export interface SubsetOfRows {
  readonly rows: readonly number[];
  /** sigma_min / sigma_max, by SVD in float64. */
  readonly sigmaRatio: number;
}

/**
 * A subset of which a singular value is so near to the tolerance that its rank depends on the last digits of the numbers: within
 * 1e-6, relative, or within what half a unit in their last place may move it by, if that is more.
 */
export interface NearTolerance {
  readonly draw: number;
  /** Null where it is too near to tell. */
  readonly rank: number | null;
  /** That singular value divided by the tolerance, by SVD in float64. */
  readonly ratio: number;
}

/** What random subsets of k rows say about the Kruskal rank, at one tolerance. */
export interface KruskalTest {
  readonly k: number;
  readonly draws: number;
  /** How many of the subsets are proved to be linearly independent: sigma_min > tolerance * sigma_max. */
  readonly satisfied: number;
  /** How many are proved to be neither independent nor dependent, so near is their sigma_min to the tolerance. */
  readonly undecided: number;
  /** satisfied / draws. */
  readonly fraction: number;
  /** Exact 95 % interval of the fraction among all subsets, with those undecided left out below and taken in above. */
  readonly ci95: readonly [low: number, high: number];
  readonly rtol: Rtol;
  /** The ratio to sigma_max that counts as zero. */
  readonly tolerance: number;
  readonly seed: number;
  /** Of the arithmetic, whatever the features' own. */
  readonly precision: 'float64';
  /** How many of the first `ranksDraws` subsets had which rank; those of which it could not be told are left out. */
  readonly ranks: Readonly<Record<string, number>>;
  readonly ranksDraws: number;
  /** sigma_min / sigma_max of the first `draws` of the subsets, `values` in their order; NaN where there are none. */
  readonly sigmaRatio: {
    readonly draws: number;
    readonly min: number;
    readonly median: number;
    readonly values: readonly number[];
  };
  /** The first dependent subset: a proof that the Kruskal rank is below k, at this tolerance. Null when none was drawn. */
  readonly witness: SubsetOfRows | null;
  /** Among the subsets whose ranks were counted. */
  readonly nearTolerance: readonly NearTolerance[];
  /** How many verdicts each method gave; those undecided are not among them. */
  readonly decidedBy: Readonly<Partial<Record<Method, number>>>;
}

/** The state of a test between two draws: plain data, to be kept as JSON and given back as `from`. */
export interface KruskalProgress {
  readonly k: number;
  readonly seed: number;
  readonly rtol: Rtol;
  readonly ranksDraws: number;
  readonly done: number;
  readonly satisfied: number;
  readonly undecided: number;
  readonly ranks: Readonly<Record<string, number>>;
  /** Rows of the first dependent subset. */
  readonly witness: readonly number[] | null;
  readonly nearTolerance: readonly NearTolerance[];
  readonly decidedBy: Readonly<Partial<Record<Method, number>>>;
}

/** Thrown when a test is interrupted; `progress` lets another call resume. */
export class KruskalTestInterrupted extends Interrupted {
  constructor(
    label: string,
    total: number,
    readonly progress: KruskalProgress,
  ) {
    super(label, progress.done, total);
  }
}

/** Draw number `draw` of the k-subsets of `count` rows: depends on the seed, k and the number alone. */
export function drawnSubset(seed: number, count: number, k: number, draw: number): Int32Array {
  return randomSource(seed, 'subsets', k, draw).subset(count, k);
}

/**
 * Draws random k-subsets of the rows of `features` `[T, d]` and judges each: is it linearly independent at the tolerance?
 * A dependent one refutes "Kruskal rank >= k" at that tolerance; any number of independent ones is an estimate.
 *
 * Verdicts are what `torch.linalg.matrix_rank` would say at the given tolerance if it computed without rounding; each is
 * proved (paper, section 3, takes 5000 SVDs): see {@link IndependenceTest}.
 *
 * @throws InputError when an option is out of range, or a feature is not finite. @throws KruskalTestInterrupted
 */
export async function testKruskalRank(features: Matrix, options: KruskalTestOptions): Promise<KruskalTest> {
  const { k, draws, seed, rtol } = options;
  checkSubsetSize(k, features.shape);
  checkCount('draws', draws, 1);
  const ranksDraws = Math.min(draws, options.ranksDraws ?? 0);
  const sigmaDraws = Math.min(draws, options.sigmaDraws ?? 50);
  checkCount('ranksDraws', ranksDraws, 0);
  checkCount('sigmaDraws', sigmaDraws, 0);
  const tolerance = relativeTolerance(rtol, k, features.shape[1]);
  const rows = prepareRows(features);
  const tally = new Tally(options.from ?? start(k, seed, rtol, ranksDraws));
  tally.mustBelongTo(k, seed, rtol, ranksDraws);

  const test = new IndependenceTest(rows, rtol);
  const counter = new RankCounter(test);
  const label = `${k}-subsets of ${rows.count} vectors`;
  const work = begin(label, draws);
  try {
    while (tally.done < draws) {
      const end = Math.min(draws, tally.done + JUDGED_TOGETHER);
      const subsets: Int32Array[] = [];
      for (let draw = tally.done; draw < end; draw++) subsets.push(drawnSubset(seed, rows.count, k, draw));
      const wanted = Math.max(0, ranksDraws - tally.done);
      const byCount =
        wanted < subsets.length ? undefined : (open: readonly Int32Array[]) => counter.provesDependent(open);
      const verdicts = test.judge(subsets, 'as before', byCount);
      const counted = ranksOf(rows, tolerance, counter, subsets, verdicts, wanted);
      tally.add(subsets, verdicts, counted);
      await work.advance(tally.done);
    }
    const ratios = await ratiosOfDraws(rows, options, sigmaDraws, () => work.advance(draws));
    const witness = tally.witness === null ? null : Int32Array.from(tally.witness);
    return {
      k,
      draws,
      satisfied: tally.satisfied,
      undecided: tally.undecided,
      fraction: tally.satisfied / draws,
      ci95: [clopperPearson(tally.satisfied, draws)[0], clopperPearson(tally.satisfied + tally.undecided, draws)[1]],
      rtol,
      tolerance,
      seed,
      precision: 'float64',
      ranks: tally.ranks,
      ranksDraws,
      sigmaRatio: {
        draws: sigmaDraws,
        min: ratios.length > 0 ? Math.min(...ratios) : NaN,
        median: median(ratios),
        values: ratios,
      },
      witness: witness && { rows: Array.from(witness), sigmaRatio: sigmaRatioOf(rows, witness) },
      nearTolerance: tally.nearTolerance,
      decidedBy: tally.decidedBy,
    };
  } catch (error) {
    if (error instanceof Interrupted) throw new KruskalTestInterrupted(label, draws, tally.progress());
    throw error;
  } finally {
    work.end();
  }
}

/** What only a subset whose smallest singular value is near to the tolerance needs. */
const FINE: readonly Method[] = ['congruence', 'double-double', 'multiprecision'];

/** Ranks of the first `wanted` of the judged subsets. */
function ranksOf(
  rows: Rows,
  tolerance: number,
  counter: RankCounter,
  subsets: readonly Int32Array[],
  verdicts: readonly Verdict[],
  wanted: number,
): (CountedRank | null)[] {
  const counted = counter.count(subsets.filter((_, i) => i < wanted && verdicts[i].independent !== true));
  let next = 0;
  return subsets.map((subset, i) => {
    if (i >= wanted) return null;
    if (verdicts[i].independent !== true) return counted[next++];
    const rank = subset.length;
    if (!FINE.includes(verdicts[i].method)) return { rank, nearest: null };
    const ratio = sigmaRatioOf(rows, subset) / tolerance;
    return { rank, nearest: Math.abs(ratio - 1) <= nearness(tolerance, rank) ? ratio : null };
  });
}

async function ratiosOfDraws(
  rows: Rows,
  { k, seed }: KruskalTestOptions,
  draws: number,
  breathe: () => Promise<void>,
): Promise<number[]> {
  const ratios: number[] = [];
  while (ratios.length < draws) {
    const batch = Math.min(SVDS_TOGETHER, draws - ratios.length);
    const subsets = Array.from({ length: batch }, (_, i) => drawnSubset(seed, rows.count, k, ratios.length + i));
    ratios.push(...sigmaRatios(rows, subsets));
    await breathe();
  }
  return ratios;
}

function start(k: number, seed: number, rtol: Rtol, ranksDraws: number): KruskalProgress {
  const nothing = { done: 0, satisfied: 0, undecided: 0, ranks: {}, witness: null, nearTolerance: [], decidedBy: {} };
  return { k, seed, rtol, ranksDraws, ...nothing };
}

/** What was found so far. */
class Tally {
  done: number;
  satisfied: number;
  undecided: number;
  witness: readonly number[] | null;
  readonly ranks: Record<string, number>;
  readonly nearTolerance: NearTolerance[];
  readonly decidedBy: Partial<Record<Method, number>>;

  constructor(private readonly begun: KruskalProgress) {
    this.done = begun.done;
    this.satisfied = begun.satisfied;
    this.undecided = begun.undecided;
    this.witness = begun.witness;
    this.ranks = { ...begun.ranks };
    this.nearTolerance = [...begun.nearTolerance];
    this.decidedBy = { ...begun.decidedBy };
  }

  mustBelongTo(k: number, seed: number, rtol: Rtol, ranksDraws: number): void {
    const { begun } = this;
    if (begun.k === k && begun.seed === seed && begun.rtol === rtol && begun.ranksDraws === ranksDraws) return;
    throw new InputError(
      `an interrupted test resumes with its own k, seed, rtol and ranksDraws: ` +
        `expected ${begun.k}, ${begun.seed}, ${begun.rtol}, ${begun.ranksDraws}, got ${k}, ${seed}, ${rtol}, ${ranksDraws}`,
    );
  }

  add(subsets: readonly Int32Array[], verdicts: readonly Verdict[], counted: readonly (CountedRank | null)[]): void {
    verdicts.forEach(({ independent, method }, i) => {
      if (independent === null) this.undecided++;
      else this.decidedBy[method] = (this.decidedBy[method] ?? 0) + 1;
      if (independent === true) this.satisfied++;
      if (independent === false) this.witness ??= Array.from(subsets[i]);
      const rank = counted[i];
      if (rank !== null) {
        if (rank.rank !== null) this.ranks[rank.rank] = (this.ranks[rank.rank] ?? 0) + 1;
        if (rank.nearest !== null) this.nearTolerance.push({ draw: this.done, rank: rank.rank, ratio: rank.nearest });
      }
      this.done++;
    });
  }

  progress(): KruskalProgress {
    const { k, seed, rtol, ranksDraws } = this.begun;
    const { done, satisfied, undecided, ranks, witness, nearTolerance, decidedBy } = this;
    return { k, seed, rtol, ranksDraws, done, satisfied, undecided, ranks, witness, nearTolerance, decidedBy };
  }
}

/** @throws InputError when k is not a whole number from 1 to min(T, d). */
export function checkSubsetSize(k: number, [count, columns]: Matrix['shape']): void {
  if (!Number.isInteger(k) || k < 1) throw new InputError(`k: expected a positive whole number, got ${k}`);
  if (k > count)
    throw new InputError(
      `k: expected at most ${count}, the number of vectors, got ${k}; give more vectors, or a smaller k`,
    );
  if (k > columns) {
    throw new InputError(`k: expected at most ${columns}, the number of components of each vector, got ${k}`);
  }
}
