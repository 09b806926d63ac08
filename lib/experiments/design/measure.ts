/**
 * The sizes of an attention layer as a choice: of all layers that a number of parameters can pay for, which memorizes most?
 * What matters of the data is how long its contexts are, how large its tokens, and its Kruskal rank: Theorem 1 counts
 * min(n, d_h) of each head only as far as that many query vectors are always independent (Assumption 1).
 */
import { createHash } from 'node:crypto';
import { cacheFolder } from '../../data/project-root';
import { InputError } from '../../input-error';
import { testKruskalRank } from '../../rank';
import type { Precision } from '../../tensor';
import { setting as settingOf, type Setting, type SettingOptions } from '../../memorization/config';
import { memorizedExamples } from '../memorization/measure';
import { parameterCount } from '../../memorization/parameters';
import { layerRanks, type LayerRank } from '../theorem/measure';
import { planSweep } from '../../memorization/sweep/plan';
import { runSweep, sweepResults } from '../../memorization/sweep/sweep';
import { drawTask } from '../../memorization/task';
import { theoremLowerBound } from '../../memorization/theorem';

/** What is given, and what may be chosen. */
export interface DesignSpace {
  /** Task, kind of contexts, width d, number of examples and seed; its heads, context and head size are chosen. */
  readonly data: Pick<SettingOptions, 'contexts' | 'task' | 'width' | 'examples' | 'classes' | 'seed'>;
  /** Of the query vectors: see {@link kruskalCandidate}. */
  readonly kruskalRank: number;
  /** Most numbers that the model may have, embedding and decoder included. */
  readonly budget: number;
  /** n, d_h to choose among; H is then as large as the budget allows. */
  readonly contexts: readonly number[];
  readonly headSizes: readonly number[];
}

/** One choice. */
export interface Design {
  readonly setting: Setting;
  readonly parameters: number;
  /** H (min(n, d_h, Kruskal rank) - 1) + 1; null where n > d. */
  readonly theorem: number | null;
}

/** A choice and what its random layer can fit: the rank of its feature matrix, at most the number of examples. */
export interface MeasuredDesign extends Design {
  readonly rank: number;
  readonly rankAtFloat32: number;
}

/** A choice that was trained, once with each seed. */
export interface TrainedDesign extends Design {
  /** Examples memorized, as {@link memorizedExamples} counts them, one number for each seed. */
  readonly memorized: readonly number[];
}

/**
 * The largest of the candidates that no random subset refutes, at the precision's tolerance; 0 when all are refuted. It is
 * an estimate: subsets that were not drawn may be dependent.
 */
export async function kruskalCandidate(
  data: DesignSpace['data'],
  candidates: readonly number[],
  { draws, precision }: { readonly draws: number; readonly precision: Precision },
): Promise<number> {
  const task = drawTask(settingOf({ ...data, heads: 1, context: 1, headSize: 1 }), 'float64');
  const { width, examples, seed } = task.setting;
  const queries = { data: task.queries, shape: [examples, width] as const };
  let largest = 0;
  for (const k of [...candidates].sort((a, b) => a - b)) {
    const { witness } = await testKruskalRank(queries, { k, draws, seed, rtol: precision, sigmaDraws: 0 });
    if (witness !== null) break;
    largest = k;
  }
  return largest;
}

/** Every choice that the budget pays for, with as many heads as it allows. Throws InputError when it pays for none. */
export function designs({ data, kruskalRank, budget, contexts, headSizes }: DesignSpace): Design[] {
  const found = contexts.flatMap((context) =>
    headSizes.flatMap((headSize): Design[] => {
      const one = settingOf({ ...data, context, headSize, heads: 1 });
      const alone = parameterCount(one);
      const perHead = parameterCount({ ...one, heads: 2 }) - alone;
      const heads = 1 + Math.floor((budget - alone) / perHead);
      if (heads < 1) return [];
      const setting = { ...one, heads };
      const theorem = theoremLowerBound({ ...setting, headSize: Math.min(headSize, kruskalRank) });
      return [{ setting, parameters: parameterCount(setting), theorem }];
    }),
  );
  if (found.length > 0) return found;
  throw new InputError(`a budget of ${budget} parameters is too small for one head of any of the given sizes.`);
}

/** The rank of each choice's feature matrix with weights drawn like a model's initialisation. */
export async function measureDesigns(choices: readonly Design[]): Promise<MeasuredDesign[]> {
  const ranks: LayerRank[] = await layerRanks(choices.map(({ setting }) => setting));
  return choices.map((design, i) => ({ ...design, rank: ranks[i].rank, rankAtFloat32: ranks[i].rankAtFloat32 }));
}

/** The sizes of a choice, in words. */
export const nameOf = ({ setting: { heads, context, headSize } }: Design) =>
  `H = ${heads}, d_h = ${headSize}, n = ${context}`;

/** Whether another choice has the same sizes. */
export const sameSizes = (a: Design) => (b: Design) => nameOf(a) === nameOf(b);

/** The choice that is greatest by `of`; of equal ones that with fewer parameters. */
export function bestDesign<D extends Design>(choices: readonly D[], of: (design: D) => number): D {
  return choices.reduce((best, one) => {
    const gain = of(one) - of(best);
    return gain > 0 || (gain === 0 && one.parameters < best.parameters) ? one : best;
  });
}

/**
 * The choices that training compares: Theorem 1's, the rank's, and those that share a context length or a head size with
 * the rank's.
 */
export function designsToTrain(measured: readonly MeasuredDesign[]): MeasuredDesign[] {
  const byTheorem = bestDesign(measured, ({ theorem }) => theorem ?? 0);
  const { context, headSize } = bestDesign(measured, ({ rank }) => rank).setting;
  return measured.filter(
    (design) => design === byTheorem || design.setting.context === context || design.setting.headSize === headSize,
  );
}

/** Trains choices with several seeds; finished runs are kept in the cache, and interrupted ones resume. */
export async function trainDesigns(
  choices: readonly Design[],
  { steps, seeds, learningRate }: { readonly steps: number; readonly seeds: number; readonly learningRate?: number },
): Promise<TrainedDesign[]> {
  const plan = planSweep({
    name: 'design',
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
    profile: { steps, evaluateEvery: steps, ...(learningRate !== undefined && { learningRate }) },
    grids: choices.map(({ setting }) => {
      const { contexts, task, heads, context, headSize, examples, width, classes } = setting;
      const shape = { contexts, task, heads, context, headSize, examples, width };
      return { panel: panelOf(setting), ...shape, ...(task === 'classification' && { classes }) };
    }),
  });
  const hash = createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 12);
  const folder = cacheFolder('sweeps', `design-${hash}`);
  const { missing } = await runSweep(plan, { folder });
  if (missing.length > 0)
    throw new Error(`not trained: ${missing.map(({ run, reason }) => `${run} (${reason})`).join(', ')}`);
  const results = sweepResults(plan, folder);
  return choices.map((design) => {
    const own = results.filter(({ panel }) => panel === panelOf(design.setting)).map(({ result }) => result);
    return { ...design, memorized: own.map((run) => memorizedExamples(run.config, run.loss, run.accuracy)) };
  });
}

function panelOf({ heads, context, headSize }: Setting): string {
  return `heads-${heads}-context-${context}-size-${headSize}`;
}
