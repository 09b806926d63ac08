/** Streams a layer's query vectors and context matrices to files, batch by batch. */
import { createNpy, type NpyWriter } from '../data';
import { type InputBatch, toInput } from '../features/input-batch';
import { type FeatureLayer, loadLayers } from '../models';
import { begin } from '../work';
import { contextRanks } from '../rank';
import { inPrecision, type Precision, tf, valuesOf } from '../tensor';

/** Where the examples come from: images or text, or a file of what they become. */
export interface ExampleSource {
  readonly name: string;
  readonly count: number;
  readonly files?: readonly string[];
  readonly skipped?: number;
  /** Consecutive examples, as the network takes them. */
  read(indices: readonly number[], precision: Precision): Promise<InputBatch>;
  close(): Promise<void>;
}

export interface ExtractOptions {
  readonly precision: Precision;
  /** Files to be written; each appears whole or not at all. */
  readonly queries: string;
  readonly contexts?: string;
  readonly contextRanks?: string;
}

/** Shapes of what was written, and how many contexts have which rank. */
export interface Extracted {
  readonly queries: readonly [T: number, d: number];
  readonly contexts?: readonly [T: number, n: number, d: number];
  readonly contextRanks?: Readonly<Record<string, number>>;
}

/** Examples that go through the network together; it changes no result's meaning. */
const BATCH = 8;

/** Passes all examples once through the network; holds one batch at a time. */
export async function extractFeatures(
  layer: FeatureLayer,
  source: ExampleSource,
  { precision, queries, contexts, contextRanks: ranks }: ExtractOptions,
): Promise<Extracted> {
  const { n, d } = layer;
  const T = source.count;
  const files: NpyWriter[] = [];
  const create = async (path: string, dtype: 'int32' | Precision, shape: readonly number[]) => {
    const file = await createNpy(path, dtype, shape);
    files.push(file);
    return file;
  };
  const counts: Record<string, number> = {};
  const network = await loadLayers([layer], precision);
  const work = begin(`features of ${layer.name} in ${precision}`, T);
  try {
    const queryFile = await create(queries, precision, [T, d]);
    const contextFile = contexts === undefined ? null : await create(contexts, precision, [T, n, d]);
    const rankFile = ranks === undefined ? null : await create(ranks, 'int32', [T]);
    for (let start = 0; start < T; start += BATCH) {
      const indices = Array.from({ length: Math.min(BATCH, T - start) }, (_, i) => start + i);
      const batch = await source.read(indices, precision);
      const values = inPrecision(precision, () => {
        const input = toInput(batch);
        const [output] = network.run(input, contextFile !== null || rankFile !== null);
        const result = {
          queries: valuesOf(output.queries),
          contexts: contextFile && output.contexts && valuesOf(output.contexts),
          ranks: rankFile && output.contexts && contextRanks(output.contexts, { rtol: precision }).ranks,
        };
        tf.dispose([input, output.queries, ...(output.contexts ? [output.contexts] : [])]);
        return result;
      });
      await queryFile.append(values.queries);
      if (contextFile && values.contexts) await contextFile.append(values.contexts);
      if (rankFile && values.ranks) {
        await rankFile.append(values.ranks);
        for (const rank of values.ranks) counts[rank] = (counts[rank] ?? 0) + 1;
      }
      await work.advance(start + indices.length);
    }
    for (const file of files) await file.finish();
  } finally {
    work.end();
    network.dispose();
    // Nothing but finished files stays.
    for (const file of files) await file.discard();
  }
  return {
    queries: [T, d],
    ...(contexts !== undefined && { contexts: [T, n, d] as const }),
    ...(ranks !== undefined && { contextRanks: counts }),
  };
}
