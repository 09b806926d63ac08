import type { ImageSet } from '../../data';
import { computeFeatures } from '../../features/features';
import type { FeatureLayer } from '../../models';
import { begin } from '../../work';
import { relativeTolerance, testKruskalRank, type KruskalTest } from '../../rank';
import { prepareRows } from '../../rank/proofs/rows';
import { singularValuesOfSubsets, SVDS_TOGETHER } from '../../rank/proofs/singular-values';
import { randomSource, type Matrix, type Precision } from '../../tensor';

/** Singular values of random d-subsets of one layer's query vectors. */
export interface LayerSpectra {
  readonly title: string;
  readonly system: string;
  /** Of the features; the singular values are computed in float64. */
  readonly precision: Precision;
  readonly n: number;
  readonly d: number;
  readonly seed: number;
  /** The ratio that counts as zero in this precision: max(k, d) eps with k = d. */
  readonly tolerance: number;
  /** One spectrum a subset, `[draws][d]`: sigma_i / sigma_1, descending. */
  readonly spectra: readonly (readonly number[])[];
}

/** How the verdicts of one layer depend on what counts as zero. */
export interface ToleranceSweep {
  readonly title: string;
  readonly system: string;
  readonly precision: Precision;
  readonly n: number;
  readonly d: number;
  /** k = d (general position) and k = n (Assumption 1); `sigmaRatio.values` holds every draw's sigma_min / sigma_max. */
  readonly generalPosition: KruskalTest;
  readonly assumption1: KruskalTest;
}

export interface SpectraOptions {
  readonly draws: number;
  readonly seed: number;
  readonly precision: Precision;
}

/** The whole spectra of `draws` random d-subsets, layer by layer. */
export async function layerSpectra(
  layers: readonly FeatureLayer[],
  images: ImageSet,
  { draws, seed, precision }: SpectraOptions,
): Promise<LayerSpectra[]> {
  const results: LayerSpectra[] = [];
  const all = await computeFeatures(layers, images, { precision, contexts: false });
  const work = begin(`spectra in ${precision}`, all.length * draws);
  try {
    for (const { layer, queries } of all) {
      const rows = prepareRows(queries);
      const subsets = Array.from({ length: draws }, (_, draw) =>
        randomSource(seed, 'spectrum', draw).subset(queries.shape[0], layer.d),
      );
      const spectra: number[][] = [];
      for (let start = 0; start < draws; start += SVDS_TOGETHER) {
        for (const values of singularValuesOfSubsets(rows, subsets.slice(start, start + SVDS_TOGETHER))) {
          spectra.push(Array.from(values, (value) => (values[0] === 0 ? 0 : value / values[0])));
        }
        await work.advance(results.length * draws + spectra.length);
      }
      const { title, name, n, d } = layer;
      const tolerance = relativeTolerance(precision, d, d);
      results.push({ title, system: name, precision, n, d, seed, tolerance, spectra });
    }
  } finally {
    work.end();
  }
  return results;
}

/** sigma_min / sigma_max of `draws` random subsets for k = d and for k = n, layer by layer. */
export async function toleranceSweeps(
  layers: readonly FeatureLayer[],
  images: ImageSet,
  { draws, seed, precision }: SpectraOptions,
): Promise<ToleranceSweep[]> {
  const results: ToleranceSweep[] = [];
  for (const { layer, queries } of await computeFeatures(layers, images, { precision, contexts: false })) {
    const { title, name, n, d } = layer;
    const options = { draws, seed, rtol: precision, sigmaDraws: draws };
    results.push({
      title,
      system: name,
      precision,
      n,
      d,
      generalPosition: await testKruskalRank(queries, { ...options, k: d }),
      assumption1: await testKruskalRank(queries, { ...options, k: n }),
    });
  }
  return results;
}

/** The rows of a matrix that are named, as a matrix of their own. */
export function selectRows({ data, shape: [, columns] }: Matrix, rows: ArrayLike<number>): Matrix {
  const selected = new Float64Array(rows.length * columns);
  for (let i = 0; i < rows.length; i++) {
    selected.set(data.subarray(rows[i] * columns, (rows[i] + 1) * columns), i * columns);
  }
  return { data: selected, shape: [rows.length, columns] };
}
