import type { ExampleSet } from '../../data';
import { computeFeatures } from '../../features/features';
import type { FeatureLayer } from '../../models';
import type { KruskalCurve } from '../../rank';
import { resumable } from '../resumable-tests';
import type { Precision } from '../../tensor';

/** The Kruskal curve of one layer's query vectors. */
export interface LayerCurve {
  readonly system: string;
  readonly title: string;
  /** Name of the set. */
  readonly examples: string;
  /** Of the features, and of the tolerance of the verdicts. */
  readonly precision: Precision;
  readonly n: number;
  readonly d: number;
  readonly curve: KruskalCurve;
}

export interface CurveOptions {
  readonly permutations: number;
  readonly seed: number;
  readonly precision: Precision;
}

/**
 * The share of independent k-subsets of each layer's query vectors, for every k from 1 to d. After an interruption another
 * call resumes where this one stopped.
 */
export async function kruskalCurves(
  layers: readonly FeatureLayer[],
  examples: ExampleSet,
  { permutations, seed, precision }: CurveOptions,
): Promise<LayerCurve[]> {
  return resumable(async (tests) => {
    const curves: LayerCurve[] = [];
    for (const { layer, queries } of await computeFeatures(layers, examples, { precision, contexts: false })) {
      const curve = await tests.kruskalCurve(queries, { permutations, seed, rtol: precision });
      const { name, title, n, d } = layer;
      curves.push({ system: name, title, examples: examples.name, precision, n, d, curve });
    }
    return curves;
  });
}
