import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { layerOf, type Layer } from '../config';
import { dimensionFormula, functionalDimension, type DimensionOptions } from './dimension';
import { memorizeExactly, type ExactOptions, type ExactResult } from './memorize-exactly';
import { readState, writeState } from '../state-file';

export interface ExactCapacityOptions extends Pick<ExactOptions, 'starts' | 'iterations' | 'checkpointSeconds'> {
  /** The search ends when the interval is as narrow as this share of the dimension, or one example; default 0.02. */
  readonly resolution?: number;
  /** Folder to keep trials in: those that are there are not made again, and one under way resumes. */
  readonly folder?: string;
}

/** The largest number of examples whose targets Levenberg-Marquardt fitted, as an interval. */
export interface ExactCapacity {
  /** Its `examples` are those fitted. */
  readonly config: Layer;
  /** The dimension over the outputs of an example: random labels of more examples are fitted with probability 0. */
  readonly bound: number;
  /** The largest T that was fitted; 0 where none was. */
  readonly fittedAt: number;
  /**
   * The smallest T that was not fitted by any start, which is no proof that it cannot be; `bound` + 1, which cannot, where
   * all that were tried were fitted.
   */
  readonly notFittedAt: number;
  /** Starts of each trial. */
  readonly starts: number;
  /** In the order in which they were made. */
  readonly trials: readonly ExactResult[];
}

const FORMAT = 'attention-capacity exact trial 1';

/**
 * Measures how many random examples a layer memorizes to 1e-8, by a bisection of the number of examples with
 * {@link memorizeExactly}. The examples of a smaller T are the first of a larger one. It tries 0.95 of the bound first and,
 * as long as nothing is fitted, goes down by twice as much each time.
 *
 * @throws as {@link memorizeExactly} does.
 */
export async function exactCapacity(
  options: DimensionOptions,
  { resolution = 0.02, folder, ...search }: ExactCapacityOptions = {},
): Promise<ExactCapacity> {
  const layer = layerOf({ ...options, examples: 1 });
  const dimension = dimensionFormula(layer) ?? functionalDimension(options).dimension;
  const bound = Math.floor(dimension / layer.classes);
  const narrow = Math.max(1, Math.floor(resolution * bound));
  const trials: ExactResult[] = [];
  let [fittedAt, notFittedAt] = [0, bound + 1];
  for (let down = Math.max(1, Math.round(0.05 * bound)); notFittedAt - fittedAt > narrow; down *= 2) {
    const examples = fittedAt === 0 ? Math.max(1, notFittedAt - 1 - down) : Math.floor((fittedAt + notFittedAt) / 2);
    const trial = await keptTrial({ ...options, examples }, search, folder);
    trials.push(trial);
    if (trial.memorized) fittedAt = examples;
    else notFittedAt = examples;
  }
  const config = layerOf({ ...options, examples: Math.max(1, fittedAt) });
  return { config, bound, fittedAt, notFittedAt, starts: search.starts ?? 4, trials };
}

async function keptTrial(
  options: Parameters<typeof memorizeExactly>[0],
  search: ExactOptions,
  folder: string | undefined,
): Promise<ExactResult> {
  if (folder === undefined) return memorizeExactly(options, search);
  const { heads: H, keyValueHeads: G, context: n, headSize: r, valueSize: v, width: d, ...rest } = layerOf(options);
  const kinds = [rest.contexts, rest.task, rest.embedding ?? 'trained'].join('-');
  const name = `${kinds}-H${H}-G${G}-n${n}-r${r}-v${v}-d${d}-C${rest.classes}-T${rest.examples}-s${rest.seed}`;
  const how = `starts${search.starts ?? 4}-iterations${search.iterations ?? 1000}`;
  const file = path.join(folder, `${name}-${how}`);
  const kept = readState(`${file}.trial`, FORMAT);
  if (kept !== null) return kept.header as ExactResult;
  mkdirSync(folder, { recursive: true });
  const trial = await memorizeExactly(options, { ...search, checkpoint: `${file}.checkpoint` });
  writeState(`${file}.trial`, FORMAT, trial, []);
  return trial;
}
