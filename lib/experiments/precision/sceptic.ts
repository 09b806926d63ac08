/**
 * What a sceptic would try on the claim that in float64 random d-subsets of the query vectors are independent: is it the
 * weights, the images, the noise of the input, the rounding of the forward pass, or the size?
 */
import { preprocess, type ImageSet } from '../../data';
import { computeFeatures } from '../../features/features';
import { readBatch } from '../../features/input-batch';
import { passExamples } from '../../features/pass-examples';
import { InputError } from '../../input-error';
import {
  layers as layersOf,
  loadLayers,
  randomViTB16,
  trainedViT,
  type FeatureLayer,
  type ImageModel,
} from '../../models';
import { referenceQueries } from './reference-queries';
import { begin } from '../../work';
import { singularValues, testKruskalRank } from '../../rank';
import { randomSource, valuesOf, type Matrix } from '../../tensor';
import { selectRows } from './spectra';

/** General position under one change: do random d-subsets stay independent in float64, and by what margin? */
export interface Recheck {
  readonly system: string;
  readonly title: string;
  /** What was changed. */
  readonly change: string;
  readonly images: string;
  readonly imageCount: number;
  readonly draws: number;
  readonly satisfied: number;
  /** Smallest sigma_min / sigma_max among the draws. */
  readonly sigmaRatio: number;
  /** The ratio that counts as zero in float64. */
  readonly tolerance: number;
}

/** Tests general position in float64 on other weights or other images. */
export async function recheck(
  change: string,
  changed: readonly FeatureLayer[],
  images: ImageSet,
  { draws, seed }: { readonly draws: number; readonly seed: number },
): Promise<Recheck[]> {
  const results: Recheck[] = [];
  for (const { layer, queries } of await computeFeatures(changed, images, { precision: 'float64', contexts: false })) {
    const test = await testKruskalRank(queries, {
      k: layer.d,
      draws,
      seed,
      rtol: 'float64',
      sigmaDraws: Math.min(draws, 4),
    });
    results.push({
      system: layer.name,
      title: layer.title,
      change,
      images: images.name,
      imageCount: images.count,
      draws,
      satisfied: test.satisfied,
      sigmaRatio: test.sigmaRatio.min,
      tolerance: test.tolerance,
    });
  }
  return results;
}

/** The layers whose general position precision decides, with weights of another seed where they are random. */
export function disputedLayers(seed: number): FeatureLayer[] {
  return layersOf.paper({ seed }).filter(({ name }) => name !== 'random-embeddings');
}

/** What rounding and noise do to one d-subset of query vectors, set against its smallest singular value. */
export interface ForwardError {
  readonly system: string;
  readonly title: string;
  readonly k: number;
  /** Random k-subsets among which this one has the smallest sigma_min / sigma_max. */
  readonly subsets: number;
  /** sigma_min and sigma_max of the subset, in float64. */
  readonly sigmaMin: number;
  readonly sigmaMax: number;
  /** Rows whose error was measured against double-double arithmetic, and the largest error (2-norm) among them. */
  readonly rowsMeasured: number;
  readonly largestRowError: number;
  /** sqrt(k) times the largest row error: what bounds ||E||_2 if no row of the subset is worse than those measured. */
  readonly errorNorm: number;
  /** ||X' - X||_2 after every pixel was multiplied by 1 + 1e-13 times a standard normal number, and sigma_min then. */
  readonly perturbation: number;
  readonly sigmaMinPerturbed: number;
}

/** A layer, and the model from which its query vectors are computed a second time. */
export interface Studied {
  readonly model: ImageModel;
  readonly output: 'attention' | 1;
  readonly layer: FeatureLayer;
}

/** Pixels of standard size times (1 + 1e-13 z). */
const PERTURBATION = 1e-13;

/** {@link forwardErrorsOf} the disputed layers. */
export async function forwardErrors(
  images: ImageSet,
  options: { readonly rows: number; readonly subsets: number; readonly seed: number },
): Promise<ForwardError[]> {
  const random = randomViTB16(options.seed);
  const [attention, block, trained] = disputedLayers(options.seed);
  const studied: Studied[] = [
    { model: random, output: 'attention', layer: attention },
    { model: random, output: 1, layer: block },
    { model: trainedViT(), output: 1, layer: trained },
  ];
  const errors: ForwardError[] = [];
  // One by one: the worst subset of one layer is not another's.
  for (const one of studied) errors.push(...(await forwardErrorsOf([one], images, options)));
  return errors;
}

/**
 * Weyl: |sigma_min(X + E) - sigma_min(X)| <= ||E||_2. For one random d-subset of the query vectors of layers of one network, of
 * `subsets` the one whose sigma_min / sigma_max is smallest in the first layer,
 * the first `rows` of them (all, where `rows` is more than d) are computed again in double-double arithmetic, which is exact
 * for this purpose, and all of them from pixels perturbed by 1e-13, in one pass for all layers.
 *
 * @throws InputError when there are fewer images than d.
 */
export async function forwardErrorsOf(
  studied: readonly Studied[],
  images: ImageSet,
  { rows, seed, subsets = 1 }: { readonly rows: number; readonly seed: number; readonly subsets?: number },
): Promise<ForwardError[]> {
  const layers = studied.map(({ layer }) => layer);
  const [{ d }] = layers;
  if (images.count < d) {
    throw new InputError(
      `${images.name}: expected at least ${d} images for a subset of ${d} query vectors, got ${images.count}`,
    );
  }
  const features = await computeFeatures(layers, images, { precision: 'float64', contexts: false });
  const random = randomSource(seed, 'forward-error');
  const drawn = Array.from({ length: subsets }, () => random.subset(images.count, d));
  const chosen = subsets === 1 ? drawn[0] : worstOf(drawn, features[0].queries);
  const perturbed = await perturbedQueries(layers, images, chosen, seed);
  const rowsMeasured = Math.min(rows, d);
  const results: ForwardError[] = [];
  for (const [index, one] of studied.entries()) {
    const subset = selectRows(features[index].queries, chosen);
    const { sigmaMin, sigmaMax } = extremes(subset);
    const largestRowError = await measureRows(one, images, chosen, subset.data as Float64Array, rowsMeasured, seed);
    const difference = perturbed[index].map((value, at) => value - subset.data[at]);
    results.push({
      system: one.layer.name,
      title: one.layer.title,
      k: d,
      subsets,
      sigmaMin,
      sigmaMax,
      rowsMeasured,
      largestRowError,
      errorNorm: Math.sqrt(d) * largestRowError,
      perturbation: extremes({ data: difference, shape: subset.shape }).sigmaMax,
      sigmaMinPerturbed: extremes({ data: perturbed[index], shape: subset.shape }).sigmaMin,
    });
  }
  return results;
}

/** The subset whose sigma_min / sigma_max is smallest. */
function worstOf(subsets: readonly Int32Array[], queries: Matrix): Int32Array {
  const ratios = subsets.map((subset) => {
    const { sigmaMin, sigmaMax } = extremes(selectRows(queries, subset));
    return sigmaMin / sigmaMax;
  });
  return subsets[ratios.indexOf(Math.min(...ratios))];
}

/** Largest error (2-norm) among the first `rows` of the chosen rows, float64 against double-double. */
async function measureRows(
  { model, output, layer }: Studied,
  images: ImageSet,
  chosen: Int32Array,
  computed: Float64Array,
  rows: number,
  seed: number,
): Promise<number> {
  const reference = await referenceQueries(model, output, seed);
  const work = begin(`${layer.title} in double-double arithmetic`, rows);
  let largest = 0;
  try {
    for (let row = 0; row < rows; row++) {
      const pixels = preprocess(images.load(chosen[row]), layer.preprocessing, 'float64') as Float64Array;
      const { hi, lo } = reference.query(pixels);
      let squares = 0;
      for (let i = 0; i < layer.d; i++) squares += (computed[row * layer.d + i] - hi[i] - lo[i]) ** 2;
      largest = Math.max(largest, Math.sqrt(squares));
      await work.advance(row + 1);
    }
  } finally {
    work.end();
  }
  return largest;
}

/** The chosen query vectors of each layer, `[k, d]`, from pixels that carry noise of relative size 1e-13. */
async function perturbedQueries(
  layers: readonly FeatureLayer[],
  images: ImageSet,
  chosen: Int32Array,
  seed: number,
): Promise<Float64Array[]> {
  const loaded = await loadLayers(layers, 'float64');
  const names = layers.map(({ title }) => title).join(', ');
  const work = begin(`${names} from pixels perturbed by ${PERTURBATION}`, chosen.length);
  const queries = layers.map(({ d }) => new Float64Array(chosen.length * d));
  try {
    await passExamples(loaded, {
      precision: 'float64',
      start: 0,
      end: chosen.length,
      read(rows) {
        const batch = readBatch(
          layers[0],
          images,
          rows.map((row) => chosen[row]),
          'float64',
        );
        const pixels = batch.data as Float64Array;
        const each = pixels.length / rows.length;
        for (const [i, row] of rows.entries()) {
          const random = randomSource(seed, 'perturbation', row);
          for (let at = i * each; at < (i + 1) * each; at++) pixels[at] *= 1 + PERTURBATION * random.normal();
        }
        return batch;
      },
      contexts: false,
      take: (outputs, from) =>
        outputs.forEach((output, index) => queries[index].set(valuesOf(output.queries), from * layers[index].d)),
      advance: (next) => work.advance(next),
    });
  } finally {
    work.end();
    loaded.dispose();
  }
  return queries;
}

function extremes(matrix: Matrix): { sigmaMin: number; sigmaMax: number } {
  const values = singularValues(matrix);
  return { sigmaMax: values[0], sigmaMin: values[values.length - 1] };
}
