import { checkCount, InputError } from '../input-error';
import { begin, Interrupted } from '../work';
import { randomSource, type Matrix } from '../tensor';
import { clopperPearson } from '../statistics';
import { IndependenceTest, JUDGED_TOGETHER, type Method, type Verdict } from './proofs/independence';
import { median } from '../statistics';
import { RankCounter, rankOf, type CountedRank } from './proofs/rank-count';
import { prepareRows, type Rows } from './proofs/rows';
import { sigmaRatioOf, sigmaRatios, SVDS_TOGETHER } from './proofs/singular-values';
import { relativeTolerance, type Rtol } from './tolerance';

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

/** A subset of which a singular value lies within 1e-6 (relative) of the tolerance: its rank hangs on the last digits. */
export interface NearTolerance {
  readonly draw: number;
  readonly rank: number;
  /** That singular value divided by the tolerance. */
  readonly ratio: number;
}

/** What random subsets of k rows say about the Kruskal rank, at one tolerance. */
export interface KruskalTest {
  readonly k: number;
  readonly draws: number;
  /** How many of the subsets are linearly independent: sigma_min > tolerance * sigma_max. */
  readonly satisfied: number;
  readonly fraction: number;
  /** Exact 95 % interval of the fraction among all subsets. */
  readonly ci95: readonly [low: number, high: number];
  readonly rtol: Rtol;
  /** The ratio to sigma_max that counts as zero. */
  readonly tolerance: number;
  readonly seed: number;
  /** Of the arithmetic, whatever the features' own. */
  readonly precision: 'float64';
  /** How many of the first `ranksDraws` subsets had which rank. */
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
  /** How many verdicts each method gave. */
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
  readonly ranks: Readonly<Record<string, number>>;
  /** Rows of the first dependent subset. */
  readonly witness: readonly number[] | null;
  readonly nearTolerance: readonly NearTolerance[];
  readonly decidedBy: Readonly<Partial<Record<Method, number>>>;
}

/** Thrown when a test is interrupted; `progress` lets another call go on where this one was. */
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
 * Verdicts are those of `torch.linalg.matrix_rank` in float64 at the given tolerance, by cheaper proofs where they exist
 * (paper, section 3, takes 5000 SVDs): see {@link IndependenceTest}.
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
      const counted = ranksOf(test, counter, subsets, verdicts, wanted);
      tally.add(subsets, verdicts, counted);
      await work.advance(tally.done);
    }
    const ratios = await ratiosOfDraws(rows, options, sigmaDraws, () => work.advance(draws));
    const witness = tally.witness === null ? null : Int32Array.from(tally.witness);
    return {
      k,
      draws,
      satisfied: tally.satisfied,
      fraction: tally.satisfied / draws,
      ci95: clopperPearson(tally.satisfied, draws),
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

/** Ranks of the first `wanted` of the judged subsets. */
function ranksOf(
  test: IndependenceTest,
  counter: RankCounter,
  subsets: readonly Int32Array[],
  verdicts: readonly Verdict[],
  wanted: number,
): (CountedRank | null)[] {
  const toCount = subsets.filter(
    (_, i) => i < wanted && !verdicts[i].independent && verdicts[i].singularValues === null,
  );
  const counted = counter.count(toCount);
  let next = 0;
  return subsets.map((subset, i) => {
    if (i >= wanted) return null;
    const { independent, singularValues } = verdicts[i];
    if (singularValues !== null) return rankOf(singularValues, test.tolerance(subset.length));
    return independent ? { rank: subset.length, nearest: null } : counted[next++];
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
  const nothing = { done: 0, satisfied: 0, ranks: {}, witness: null, nearTolerance: [], decidedBy: {} };
  return { k, seed, rtol, ranksDraws, ...nothing };
}

/** What was found so far. */
class Tally {
  done: number;
  satisfied: number;
  witness: readonly number[] | null;
  readonly ranks: Record<string, number>;
  readonly nearTolerance: NearTolerance[];
  readonly decidedBy: Partial<Record<Method, number>>;

  constructor(private readonly begun: KruskalProgress) {
    this.done = begun.done;
    this.satisfied = begun.satisfied;
    this.witness = begun.witness;
    this.ranks = { ...begun.ranks };
    this.nearTolerance = [...begun.nearTolerance];
    this.decidedBy = { ...begun.decidedBy };
  }

  mustBelongTo(k: number, seed: number, rtol: Rtol, ranksDraws: number): void {
    const { begun } = this;
    if (begun.k === k && begun.seed === seed && begun.rtol === rtol && begun.ranksDraws === ranksDraws) return;
    throw new InputError(
      `an interrupted test goes on with its own k, seed, rtol and ranksDraws ` +
        `(${begun.k}, ${begun.seed}, ${begun.rtol}, ${begun.ranksDraws}), but ${k}, ${seed}, ${rtol}, ${ranksDraws} came.`,
    );
  }

  add(subsets: readonly Int32Array[], verdicts: readonly Verdict[], counted: readonly (CountedRank | null)[]): void {
    verdicts.forEach(({ independent, method }, i) => {
      if (independent) this.satisfied++;
      else this.witness ??= Array.from(subsets[i]);
      this.decidedBy[method] = (this.decidedBy[method] ?? 0) + 1;
      const rank = counted[i];
      if (rank !== null) {
        this.ranks[rank.rank] = (this.ranks[rank.rank] ?? 0) + 1;
        if (rank.nearest !== null) this.nearTolerance.push({ draw: this.done, rank: rank.rank, ratio: rank.nearest });
      }
      this.done++;
    });
  }

  progress(): KruskalProgress {
    const { k, seed, rtol, ranksDraws } = this.begun;
    const { done, satisfied, ranks, witness, nearTolerance, decidedBy } = this;
    return { k, seed, rtol, ranksDraws, done, satisfied, ranks, witness, nearTolerance, decidedBy };
  }
}

/** @throws InputError when k is no whole number from 1 to min(T, d). */
export function checkSubsetSize(k: number, [count, columns]: Matrix['shape']): void {
  if (!Number.isInteger(k) || k < 1) throw new InputError(`k must be a positive whole number, but ${k} came.`);
  if (k > count)
    throw new InputError(`k is ${k}, but there are only ${count} vectors to draw from: give more, or a smaller k.`);
  if (k > columns) {
    throw new InputError(
      `k is ${k}, but vectors with ${columns} components cannot have ${k} independent ones among them.`,
    );
  }
}
