import type { ExampleSet, ResizedImages, RgbImage } from '../data';
import { FeatureStore, type FeaturePart, type Part } from './feature-store';
import { groupBy } from '../statistics';
import { checkCount } from '../input-error';
import { readBatch } from './input-batch';
import { inputOf, loadLayers, type FeatureLayer, type LayerBatch } from '../models';
import { passExamples } from './pass-examples';
import { begin } from '../work';
import { contextRanks } from '../rank';
import { tf, valuesOf, type Matrix, type Precision } from '../tensor';

/** What a layer computes for a set of images or passages: everything that the paper's statements are about. */
export interface Features {
  readonly layer: FeatureLayer;
  readonly examples: ExampleSet;
  readonly precision: Precision;
  /** The query vectors e(t), one row an example: `[T, d]`, in the precision. */
  readonly queries: Matrix;
  /** What the context matrices E(t) gave; null when only queries were asked for. */
  readonly contexts: ContextFeatures | null;
  /**
   * How concentrated the query's attention is in the block of the layer, `[T, 2 H]`: the largest weight of each head, then the
   * entropy of each head's weights in nats. Null when not asked for.
   */
  readonly attention: Matrix | null;
}

export interface ContextFeatures {
  /** e(t) plus the mean over tokens of E(t), `[C, d]`: the vectors of the notebook's Assumption 3. */
  readonly meanShifted: Matrix;
  /** Rank of every context matrix at the precision's own tolerance, `[C]`; C = T, or as many as `contextExamples` asked for. */
  readonly ranks: Int32Array;
  /** sigma_min / sigma_max of the first eight contexts of every part of 200 examples, by SVD; null when not asked for. */
  readonly sigmaRatios: Float64Array | null;
}

export interface FeatureOptions {
  readonly precision: Precision;
  /**
   * Whether contexts are computed and ranked (default), or the query vectors alone, at a fraction of the cost; a function
   * decides it for each layer.
   */
  readonly contexts?: boolean | ((layer: FeatureLayer) => boolean);
  /** For which layers the concentration of the query's attention is kept (none). */
  readonly attention?: (layer: FeatureLayer) => boolean;
  /** How many examples, from the first on, have their contexts computed (all). */
  readonly contextExamples?: number;
  /** Whether the singular values of some contexts are computed too (no). */
  readonly contextSigmas?: boolean;
}

/** Examples in one stored part: the most that an interruption can cost. */
const PART = 200;
/** Contexts of each part whose singular values are computed, where they are asked for. */
const SIGMAS = 8;

/**
 * Passes every example once through the networks behind `layers`. For each layer it keeps the query vectors and what the
 * contexts gave; the contexts themselves (`[T, n, d]`: 2.4 GB for a ViT-B, 2000 images and float64) are ranked as they
 * come and dropped.
 *
 * Parts of 200 examples are kept in the cache folder under the hash of all that they depend on (examples, weights, precision),
 * so that interrupted work resumes, and no notebook computes what another one had.
 */
export async function computeFeatures(
  layers: readonly FeatureLayer[],
  examples: ExampleSet,
  options: FeatureOptions,
): Promise<Features[]> {
  const { precision } = options;
  const { stores, parts } = await completeStores(layers, examples, options);
  return Promise.all(
    stores.map(async (store) => ({ layer: store.layer, examples, precision, ...(await store.read(parts)) })),
  );
}

/**
 * Computes what the cache lacks, in the same one pass, and reads nothing: for more layers than memory should hold. Each is
 * read by {@link computeFeatures}, with the same options, when its turn comes.
 */
export async function prepareFeatures(
  layers: readonly FeatureLayer[],
  examples: ExampleSet,
  options: FeatureOptions,
): Promise<void> {
  await completeStores(layers, examples, options);
}

async function completeStores(
  layers: readonly FeatureLayer[],
  examples: ExampleSet,
  {
    precision,
    contexts = true,
    attention = () => false,
    contextExamples = examples.count,
    contextSigmas = false,
  }: FeatureOptions,
): Promise<{ stores: FeatureStore[]; parts: Part[] }> {
  checkCount('contextExamples', contextExamples, 1);
  const ofContexts = (layer: FeatureLayer) => {
    if (!(typeof contexts === 'boolean' ? contexts : contexts(layer))) return 'nothing';
    return contextSigmas ? 'sigmas' : 'ranks';
  };
  const stores = layers.map((layer) => {
    const wanted = { contexts: ofContexts(layer), contextExamples, attention: attention(layer) } as const;
    return new FeatureStore(layer, examples, precision, wanted);
  });
  const parts: Part[] = [];
  for (let start = 0; start < examples.count; start = parts[parts.length - 1].end) {
    const end = Math.min(start - (start % PART) + PART, examples.count);
    // A part has all its contexts or none.
    parts.push({ start, end: start < contextExamples ? Math.min(end, contextExamples) : end });
  }
  const jobs = await jobsOf(stores, parts);
  if (jobs.length > 0) await computeParts(jobs, examples, precision);
  return { stores, parts };
}

/** Layers that take the same input and lack something, and the parts that at least one of them lacks. */
interface Job {
  readonly stores: readonly FeatureStore[];
  readonly parts: readonly Part[];
}

async function jobsOf(stores: readonly FeatureStore[], parts: readonly Part[]): Promise<Job[]> {
  const lacking = new Map<FeatureStore, readonly Part[]>();
  for (const store of stores) {
    const present = await Promise.all(parts.map((part) => store.has(part)));
    const lacks = parts.filter((_, index) => !present[index]);
    if (lacks.length > 0) lacking.set(store, lacks);
  }
  return byInput([...lacking.keys()]).map((group) => ({
    stores: group,
    parts: parts.filter((part) => group.some((store) => lacking.get(store)?.includes(part))),
  }));
}

/** Computes what is missing, part by part; each part's examples pass once through the networks that take the same input. */
async function computeParts(jobs: readonly Job[], examples: ExampleSet, precision: Precision): Promise<void> {
  const total = jobs.flatMap(({ parts }) => parts).reduce((sum, { start, end }) => sum + end - start, 0);
  const names = [...new Set(jobs.flatMap(({ stores }) => stores.map(({ layer }) => layer.name)))];
  const what = names.length > 4 ? `${names.length} layers` : names.join(', ');
  const work = begin(`features of ${what} in ${precision}`, total);
  let done = 0;
  try {
    for (const { stores, parts } of jobs) {
      const loaded = await loadLayers(
        stores.map(({ layer }) => layer),
        precision,
      );
      try {
        for (const part of parts) {
          const collected = stores.map((store) => new PartCollector(store, part, precision));
          const before = done - part.start;
          await passExamples(loaded, {
            ...part,
            precision,
            read: (indices) => readBatch(stores[0].layer, examples, indices, precision, keptOf(examples)),
            contexts: stores.map((store) => store.wantedOf(part) !== 'nothing'),
            attention: stores.map((store) => store.wanted.attention),
            take: (outputs) => outputs.forEach((output, index) => collected[index].add(output)),
            advance: (next) => work.advance((done = before + next)),
          });
          await Promise.all(stores.map((store, index) => store.write(part, collected[index].part())));
        }
      } finally {
        loaded.dispose();
      }
    }
  } finally {
    work.end();
  }
}

/** A set passes through several networks, in both precisions: what was resized for one serves the others. */
const resized = new WeakMap<ExampleSet, ResizedImages>();

function keptOf(examples: ExampleSet): ResizedImages {
  const kept = resized.get(examples) ?? new Map<string, RgbImage>();
  resized.set(examples, kept);
  return kept;
}

/** Layers that take the same input go through their networks together. */
function byInput(stores: readonly FeatureStore[]): FeatureStore[][] {
  return [...groupBy(stores, ({ layer }) => inputOf(layer)).values()];
}

/** Gathers what one layer makes of the batches of one part. */
class PartCollector {
  private readonly queries: Float32Array | Float64Array;
  private readonly meanShifted: Float32Array | Float64Array | null;
  private readonly ranks: Int32Array | null;
  private readonly sigmaRatios: Float64Array | null;
  private readonly attention: (Float32Array | Float64Array)[] = [];
  private readonly layer: FeatureLayer;
  private row = 0;

  constructor(
    store: FeatureStore,
    part: Part,
    private readonly precision: Precision,
  ) {
    const { layer } = store;
    const { start, end } = part;
    const wanted = store.wantedOf(part);
    const floats = () => new (precision === 'float64' ? Float64Array : Float32Array)((end - start) * layer.d);
    this.layer = layer;
    this.queries = floats();
    this.meanShifted = wanted === 'nothing' ? null : floats();
    this.ranks = wanted === 'nothing' ? null : new Int32Array(end - start);
    this.sigmaRatios = wanted === 'sigmas' ? new Float64Array(Math.min(SIGMAS, end - start)) : null;
  }

  /** Takes the outputs for the next examples. Runs within the backend of the precision. */
  add({ queries, contexts, attention }: LayerBatch): void {
    const at = this.row * this.layer.d;
    this.queries.set(valuesOf(queries), at);
    if (this.meanShifted && this.ranks && contexts) {
      const meanShifted = tf.tidy(() => tf.add(queries, tf.mean(contexts, 1)));
      this.meanShifted.set(valuesOf(meanShifted), at);
      meanShifted.dispose();
      const sigmaRatios = Math.max(0, (this.sigmaRatios?.length ?? 0) - this.row);
      const { ranks, sigmaRatio } = contextRanks(contexts, { rtol: this.precision, sigmaRatios });
      this.ranks.set(ranks, this.row);
      if (sigmaRatios > 0) this.sigmaRatios?.set(sigmaRatio, this.row);
    }
    if (attention) this.attention.push(valuesOf(attention));
    this.row += queries.shape[0];
  }

  part(): FeaturePart {
    const { queries, meanShifted, ranks, sigmaRatios, attention } = this;
    return { queries, meanShifted, ranks, sigmaRatios, attention: attention.length > 0 ? attention : null };
  }
}
