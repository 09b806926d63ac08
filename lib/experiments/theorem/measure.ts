import { begin } from '../../work';
import { rankAt, relativeTolerance } from '../../rank';
import { setting as settingOf, type SettingOptions } from '../../memorization/config';
import type { Capacity } from '../../memorization/capacity/capacity';
import { featureMatrix, featureRank } from '../../memorization/capacity/feature-matrix';
import { initialParameters } from '../../memorization/parameters';
import { drawTask } from '../../memorization/task';
import { expectedRank, sharedUpperBound, theoremLowerBound } from '../../memorization/theorem';

/**
 * The largest error, of labels in [0, 1], up to which this notebook calls them fitted. At the rank itself a solve may need
 * value weights of 10^7 (20 heads of size 8), and adding terms of that size in float64 leaves errors of some 10^-8 on any
 * processor, which no refinement removes; one example more leaves more than 10^-3. This is at least 100 times from either.
 */
export const FITTED_TO = 1e-5;

/** Whether the solved weights fitted the labels to {@link FITTED_TO}. */
export function isFitted({ maxResidual }: Pick<Capacity, 'maxResidual'>): boolean {
  return maxResidual !== null && maxResidual <= FITTED_TO;
}

/** The rank of Z of one random layer beside what the theorem promises and the most that is possible. */
export interface LayerRank {
  readonly heads: number;
  readonly context: number;
  readonly headSize: number;
  readonly width: number;
  readonly contexts: string;
  readonly examples: number;
  readonly seed: number;
  readonly logitScale: number;
  /** At float64's and at float32's tolerance, both in float64 arithmetic. */
  readonly rank: number;
  readonly rankAtFloat32: number;
  /** min(T, the formula): H (n - 1) + 1 shared; H d, or d for n = 1, otherwise. */
  readonly formula: number;
  readonly theorem: number | null;
  readonly sharedUpperBound: number | null;
  /** The formula-th singular value over the largest: what float64's tolerance is compared with. */
  readonly sigmaRatio: number;
  readonly rtol: number;
  /** Mean over examples and heads of the largest attention weight; only of shared contexts, else null. */
  readonly meanLargestWeight: number | null;
}

/** Measures the rank of Z for each setting, weights and task drawn from its seed; `logitScale` multiplies the scores. */
export async function layerRanks(
  settings: readonly (SettingOptions & { readonly logitScale?: number })[],
): Promise<LayerRank[]> {
  const work = begin('ranks of feature matrices', settings.length);
  const found: LayerRank[] = [];
  try {
    for (const { logitScale = 1, ...options } of settings) {
      const setting = settingOf(options);
      const { heads, context, headSize, width, contexts, examples, seed } = setting;
      const matrix = await featureMatrix(drawTask(setting, 'float64'), initialParameters(setting), logitScale);
      const { rank, rtol, singularValues } = featureRank(matrix);
      const formula = Math.min(examples, expectedRank(setting));
      found.push({
        heads,
        context,
        headSize,
        width,
        contexts,
        examples,
        seed,
        logitScale,
        rank,
        rankAtFloat32: rankAt(singularValues, relativeTolerance('float32', ...matrix.shape)),
        formula,
        theorem: theoremLowerBound(setting),
        sharedUpperBound: sharedUpperBound(setting),
        sigmaRatio: singularValues[formula - 1] / singularValues[0],
        rtol,
        meanLargestWeight: contexts === 'shared' && context <= width ? meanLargest(matrix.data, context) : null,
      });
      await work.advance(found.length);
    }
  } finally {
    work.end();
  }
  return found;
}

/** Mean of the largest of each `context` consecutive weights. */
function meanLargest(weights: Float32Array | Float64Array, context: number): number {
  let sum = 0;
  for (let at = 0; at < weights.length; at += context) sum += Math.max(...weights.subarray(at, at + context));
  return (sum * context) / weights.length;
}
