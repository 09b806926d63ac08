import type { ImageSet } from '../../data';
import { computeFeatures, prepareFeatures, type Features } from '../../features/features';
import { SATURATED } from '../../memorization/training/saturation';
import { blockParts, layerOf, type BlockPart, type FeatureLayer, type ImageModel } from '../../models';
import { relativeTolerance } from '../../rank';
import { median } from '../../statistics';
import { resumable, type ResumableTests } from '../resumable-tests';
import type { Matrix, Precision } from '../../tensor';

/** A place on the way of the query vectors through a network: the embeddings, a part of a block, its output. */
export type DepthPart = 'embeddings' | BlockPart | 'output';

/** What random k-subsets of the query vectors showed at one place. */
export interface DepthTest {
  readonly k: number;
  readonly draws: number;
  readonly satisfied: number;
  readonly fraction: number;
  /** The ratio to sigma_max that counts as zero. */
  readonly tolerance: number;
  /** sigma_min / sigma_max of the first draws, by SVD in float64. */
  readonly ratios: { readonly draws: number; readonly median: number; readonly min: number };
}

/** How much of the query's attention lies on one token. */
export interface QuerySaturation {
  /** The largest attention weight of each head, mean over the images, `[H]`. */
  readonly largestWeights: readonly number[];
  /** Entropy of each head's weights over ln n (1: spread evenly), mean over the images, `[H]`. */
  readonly entropies: readonly number[];
  /** Share of all heads and images whose largest weight exceeds {@link SATURATED}, as the memorization experiments count. */
  readonly saturated: number;
}

/** One place in one network, for one set of images and one precision. */
export interface DepthPlace {
  readonly system: string;
  readonly title: string;
  readonly images: string;
  readonly imageCount: number;
  /** Of the features, and of the tolerance of the verdicts. */
  readonly precision: Precision;
  readonly seed: number;
  readonly n: number;
  readonly d: number;
  readonly heads: number;
  /** 0: the embeddings. */
  readonly block: number;
  readonly part: DepthPart;
  /** k = n. */
  readonly assumption1: DepthTest;
  /** k = d; null where there are not more images than that. */
  readonly generalPosition: DepthTest | null;
  /** Each head's own vectors `[T, d_h]` with k = d_h, all heads together; at the part `heads` only. */
  readonly byHead: DepthTest | null;
  /** The context matrices: every image's rank should be n. At the embeddings and the blocks' outputs only. */
  readonly contexts: DepthTest | null;
  /** At the blocks' outputs only. */
  readonly saturation: QuerySaturation | null;
}

export interface DepthOptions {
  readonly precision: Precision;
  /** How many blocks, from the first on. */
  readonly blocks: number;
  /** Random subsets of each size at each place. */
  readonly draws: number;
  /** Of how many of them sigma_min / sigma_max is computed. */
  readonly sigmaDraws: number;
  readonly seed: number;
}

/**
 * Follows the query vectors through the blocks of a ViT. All places are computed in one pass over the images and kept in
 * the cache, then tested one by one, so that one place is in memory at a time. After an interruption another call resumes
 * where this one stopped.
 *
 * @throws InputError when there are fewer images than tokens in a context.
 */
export async function depthPlaces(model: ImageModel, images: ImageSet, options: DepthOptions): Promise<DepthPlace[]> {
  const wish = {
    precision: options.precision,
    contexts: ({ output }: FeatureLayer) => typeof output === 'number',
    attention: ({ output }: FeatureLayer) => typeof output === 'number' && output > 0,
    contextSigmas: true,
  };
  const places = placesOf(options.blocks);
  const layers = places.map((place) => layerAt(model, place));
  await prepareFeatures(layers, images, wish);
  return resumable(async (tests) => {
    const results: DepthPlace[] = [];
    for (const [index, { block, part }] of places.entries()) {
      const [features] = await computeFeatures([layers[index]], images, wish);
      results.push({
        system: model.name,
        title: model.title,
        images: images.name,
        imageCount: images.count,
        precision: options.precision,
        seed: options.seed,
        n: features.layer.n,
        d: features.layer.d,
        heads: model.config.heads,
        block,
        part,
        ...(await testPlace(tests, features, part, options)),
        saturation: features.attention && saturationOf(features.attention, features.layer.n),
      });
    }
    return results;
  });
}

/** In the order of computation. */
function placesOf(blocks: number): { block: number; part: DepthPart }[] {
  const ofBlock: readonly DepthPart[] = [...blockParts, 'output'];
  return [
    { block: 0, part: 'embeddings' },
    ...Array.from({ length: blocks }, (_, i) => ofBlock.map((part) => ({ block: i + 1, part }))).flat(),
  ];
}

function layerAt(model: ImageModel, { block, part }: { block: number; part: DepthPart }): FeatureLayer {
  return layerOf(model, part === 'embeddings' || part === 'output' ? block : `${block}.${part}`);
}

async function testPlace(
  tests: ResumableTests,
  { layer, examples, queries, contexts }: Features,
  part: DepthPart,
  options: DepthOptions,
) {
  const { n, d, heads } = layer;
  const byHead = part === 'heads' ? await testHeads(tests, queries, heads, options) : null;
  return {
    assumption1: await test(tests, queries, n, options),
    generalPosition: examples.count > d ? await test(tests, queries, d, options) : null,
    byHead,
    contexts: contexts && contextTest(contexts.ranks, contexts.sigmaRatios ?? new Float64Array(0), n, d, options),
  };
}

async function test(tests: ResumableTests, vectors: Matrix, k: number, options: DepthOptions): Promise<DepthTest> {
  const { draws, sigmaDraws, seed, precision } = options;
  const found = await tests.testKruskalRank(vectors, { k, draws, sigmaDraws, seed, rtol: precision });
  const { satisfied, fraction, tolerance, sigmaRatio } = found;
  const ratios = { draws: sigmaRatio.draws, median: sigmaRatio.median, min: sigmaRatio.min };
  return { k, draws, satisfied, fraction, tolerance, ratios };
}

/** Each head alone, in its own d_h dimensions; the medians' median and the least of all. */
async function testHeads(
  tests: ResumableTests,
  joined: Matrix,
  heads: number,
  options: DepthOptions,
): Promise<DepthTest | null> {
  const [count, width] = joined.shape;
  const size = width / heads;
  if (count < size) return null;
  const found: DepthTest[] = [];
  for (let head = 0; head < heads; head++) {
    const data = new Float64Array(count * size);
    for (let row = 0; row < count; row++) {
      const start = row * width + head * size;
      data.set(joined.data.subarray(start, start + size), row * size);
    }
    found.push(await test(tests, { data, shape: [count, size] }, size, options));
  }
  const sum = (of: (test: DepthTest) => number) => found.reduce((total, one) => total + of(one), 0);
  const [draws, satisfied] = [sum((one) => one.draws), sum((one) => one.satisfied)];
  const ratios = {
    draws: sum((one) => one.ratios.draws),
    median: median(found.map((one) => one.ratios.median)),
    min: Math.min(...found.map((one) => one.ratios.min)),
  };
  return { k: size, draws, satisfied, fraction: satisfied / draws, tolerance: found[0].tolerance, ratios };
}

function contextTest(ranks: Int32Array, ratios: Float64Array, n: number, d: number, { precision }: DepthOptions) {
  const satisfied = ranks.filter((rank) => rank === n).length;
  return {
    k: n,
    draws: ranks.length,
    satisfied,
    fraction: satisfied / ranks.length,
    tolerance: relativeTolerance(precision, n, d),
    ratios: { draws: ratios.length, median: median(Array.from(ratios)), min: Math.min(...ratios) },
  };
}

/** From the largest weights and the entropies `[T, 2 H]`. */
function saturationOf({ data, shape: [count, width] }: Matrix, n: number): QuerySaturation {
  const heads = width / 2;
  const means = new Array<number>(width).fill(0);
  data.forEach((value, i) => (means[i % width] += value / count));
  let saturated = 0;
  data.forEach((value, i) => {
    if (i % width < heads && value > SATURATED) saturated++;
  });
  return {
    largestWeights: means.slice(0, heads),
    entropies: means.slice(heads).map((entropy) => entropy / Math.log(n)),
    saturated: saturated / (count * heads),
  };
}
