import type { ExampleSet } from '../../data';
import { computeFeatures, type Features } from '../../features/features';
import type { FeatureLayer } from '../../models';
import type { KruskalTest, Rtol, SubsetOfRows } from '../../rank';
import { resumable, type ResumableTests } from '../resumable-tests';
import type { Matrix, Precision } from '../../tensor';

/**
 * The statements of the paper (section 3 and its notebook) about one layer and one set of examples:
 * - `general-position`: the Kruskal rank of the query vectors is d (k = d);
 * - `A1`, Assumption 1: the Kruskal rank of the query vectors is at least n (k = n);
 * - `A2`, Assumption 2: every context matrix has rank n;
 * - `A3`, "Assumption 3" of the notebook: e(t) + mean of E(t) has Kruskal rank at least n (k = n).
 */
export type Statement = 'general-position' | 'A1' | 'A2' | 'A3';

/** What was found about one statement, one layer, one set of examples, at one precision and one tolerance. */
export interface AssumptionResult {
  readonly system: string;
  readonly title: string;
  readonly statement: Statement;
  /** Name of the set: `photos`, `speeches`. */
  readonly examples: string;
  /** Examples whose query vectors, or contexts, were tested. */
  readonly exampleCount: number;
  /** Precision of the features; the arithmetic of the verdicts is float64 always. */
  readonly precision: Precision;
  readonly rtol: Rtol;
  readonly seed: number;
  readonly n: number;
  readonly d: number;
  /** Size of the subsets drawn; for A2 the rank that every context should have, n. */
  readonly k: number;
  /** Subsets drawn; for A2 the examples tested, which are all there are. */
  readonly draws: number;
  readonly satisfied: number;
  readonly fraction: number;
  /** 95 % interval of the satisfied fraction (Clopper–Pearson); for A2, where nothing is sampled, the fraction itself. */
  readonly ci95: readonly [number, number];
  /** True when one subset, or one context, is a proof that the statement is false at this tolerance. */
  readonly refuted: boolean;
  readonly witness: SubsetOfRows | null;
  /** How many subsets (or contexts) had which rank. */
  readonly ranks: Readonly<Record<string, number>>;
  readonly ranksDraws: number;
  /** sigma_min / sigma_max of some of the subsets, in float64, and the ratio that counts as zero; null for A2. */
  readonly margin: { readonly values: readonly number[]; readonly median: number; readonly tolerance: number } | null;
}

export interface AssumptionOptions {
  /** Random subsets for each of general position, A1 and A3. */
  readonly draws: number;
  readonly seed: number;
  /** Precision of the features; the verdicts take its tolerance, as `torch.linalg.matrix_rank` does. */
  readonly precision: Precision;
  /** On how many examples, from the first on, A2 and A3 are tested (all). They need the contexts, the larger part of the work. */
  readonly contextExamples?: number;
}

/**
 * Subsets whose exact rank is counted, the first of the draws: a rank costs several times a verdict, and the range of ranks
 * changes little after some hundreds.
 */
const RANKED = 500;

/** Subsets whose singular values are computed, for the median margin: an SVD costs a hundred verdicts. */
export const MARGINS = 20;

/**
 * Tests the paper's statements on each layer: T examples in, four results per layer out. After an interruption another call
 * resumes where this one stopped.
 *
 * @throws InputError when there are fewer examples than d, fewer with contexts than n, or a feature is not finite.
 */
export async function testAssumptions(
  layers: readonly FeatureLayer[],
  examples: ExampleSet,
  options: AssumptionOptions,
): Promise<AssumptionResult[]> {
  const { precision, contextExamples } = options;
  return resumable(async (tests) => {
    const results: AssumptionResult[] = [];
    for (const features of await computeFeatures(layers, examples, { precision, contextExamples })) {
      results.push(...(await testStatements(features, options, tests)));
    }
    return results;
  });
}

async function testStatements(
  features: Features,
  options: AssumptionOptions,
  tests: ResumableTests,
): Promise<AssumptionResult[]> {
  const { layer, examples, queries, contexts } = features;
  const { precision, seed } = options;
  const rtol = precision;
  if (contexts === null) throw new Error('the statements speak of contexts: compute the features with them');
  const { name, title, n, d } = layer;
  const about = { system: name, title, examples: examples.name, precision, rtol, seed, n, d };
  const sampled = async (statement: Statement, vectors: Matrix, k: number): Promise<AssumptionResult> => {
    const { draws } = options;
    const some = { ranksDraws: Math.min(draws, RANKED), sigmaDraws: Math.min(draws, MARGINS) };
    const test = await tests.testKruskalRank(vectors, { k, draws, seed, rtol, ...some });
    return { ...about, statement, exampleCount: vectors.shape[0], ...sampledResult(test) };
  };
  return [
    await sampled('general-position', queries, d),
    await sampled('A1', queries, n),
    { ...about, statement: 'A2', exampleCount: contexts.ranks.length, ...contextResult(contexts.ranks, n) },
    await sampled('A3', contexts.meanShifted, n),
  ];
}

function sampledResult(test: KruskalTest) {
  const { k, draws, satisfied, fraction, ci95, witness, ranks, ranksDraws, tolerance } = test;
  const margin = { values: test.sigmaRatio.values, median: test.sigmaRatio.median, tolerance };
  return { k, draws, satisfied, fraction, ci95, refuted: witness !== null, witness, ranks, ranksDraws, margin };
}

function contextResult(ranks: Int32Array, n: number) {
  const counts: Record<string, number> = {};
  for (const rank of ranks) counts[rank] = (counts[rank] ?? 0) + 1;
  const satisfied = counts[n] ?? 0;
  const fraction = satisfied / ranks.length;
  return {
    k: n,
    draws: ranks.length,
    satisfied,
    fraction,
    ci95: [fraction, fraction] as const,
    refuted: ranks.some((rank) => rank >= 0 && rank < n),
    witness: null,
    ranks: counts,
    ranksDraws: ranks.length,
    margin: null,
  };
}
