/** Streams a layer's query vectors and context matrices to files, batch by batch. */
import { createNpy, type NpyWriter, type SkippedFile } from '../data';
import type { InputBatch } from '../features/input-batch';
import { passExamples } from '../features/pass-examples';
import { type FeatureLayer, loadLayers } from '../models';
import { begin } from '../work';
import { contextRanks } from '../rank';
import { type Precision, valuesOf } from '../tensor';

/** Where the examples come from: images or text, or a file of what they become. */
export interface ExampleSource {
  readonly name: string;
  readonly count: number;
  readonly files?: readonly string[];
  readonly skipped?: readonly SkippedFile[];
  /** Images that were turned as their EXIF orientation says. */
  readonly turned?: number;
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
    await passExamples(network, {
      precision,
      start: 0,
      end: T,
      read: (indices) => source.read(indices, precision),
      contexts: contextFile !== null || rankFile !== null,
      take([output]) {
        const queries = valuesOf(output.queries);
        const contexts = contextFile && valuesOf(output.contexts!);
        const ranks = rankFile && contextRanks(output.contexts!, { rtol: precision }).ranks;
        for (const rank of ranks ?? []) counts[rank] = (counts[rank] ?? 0) + 1;
        return async () => {
          await queryFile.append(queries);
          if (contexts) await contextFile.append(contexts);
          if (ranks) await rankFile.append(ranks);
        };
      },
      advance: (next) => work.advance(next),
    });
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
