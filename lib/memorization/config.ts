import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../input-error';
import type { Precision } from '../tensor';

/**
 * How the examples get their context matrices: `shared`, one for all; `random`, one each; `perm`, rows drawn without
 * replacement from a bag of 500 that all examples share.
 */
export type ContextKind = 'shared' | 'random' | 'perm';
export type TaskKind = 'classification' | 'regression';

/** What defines a task and a model, in the paper's letters; how to train is the {@link Recipe}. */
export interface Setting {
  /** H, the number of heads. */
  readonly heads: number;
  /** n, the tokens of a context; the query token is not counted. */
  readonly context: number;
  /** d_h, the size of a query and of a key in each head, at most `width`. */
  readonly headSize: number;
  /** d, of the tokens and of the model alike. */
  readonly width: number;
  /** T, the examples to memorize. */
  readonly examples: number;
  readonly contexts: ContextKind;
  readonly task: TaskKind;
  /** Number of labels of a classification; 1 for a regression. */
  readonly classes: number;
  /** Of everything random: task, initial weights, order of the batches. */
  readonly seed: number;
  /**
   * `fixed`: tokens and queries enter the layer as they are, plus their positions. Absent where a linear embedding is
   * trained before it, as in the reference.
   */
  readonly embedding?: 'fixed';
}

/** A layer that the exact measurements know and the reference's recipe does not train. */
export interface Layer extends Setting {
  /** d_v, the numbers that a head reads from a token; 1 in the paper's experiments. */
  readonly valueSize: number;
  /**
   * G, the key and value projections, each for H / G heads: H in multi-head attention, fewer in grouped-query attention
   * (Ainslie et al., 2023), 1 in multi-query attention (Shazeer, 2019).
   */
  readonly keyValueHeads: number;
}

/** How to train: the defaults are the reference's. */
export interface Recipe {
  readonly steps: number;
  /** Examples a step. */
  readonly batch: number;
  /** The highest learning rate, reached after the warm-up. */
  readonly learningRate: number;
  /** Steps between two evaluations on all examples. */
  readonly evaluateEvery: number;
  /** Whether to stop at accuracy 1, or at `stopAtLoss`. */
  readonly earlyStop: boolean;
  /** The loss at which training stops early; null: at none. */
  readonly stopAtLoss: number | null;
  readonly precision: Precision;
}

export interface MemorizationConfig extends Setting, Recipe {}

/** A setting whose other values are the reference's defaults. */
export type SettingOptions = Pick<Setting, 'heads' | 'context' | 'examples' | 'contexts' | 'task'> &
  Partial<Pick<Setting, 'headSize' | 'width' | 'classes' | 'seed'>> & { readonly embedding?: 'fixed' | 'trained' };
/** {@link SettingOptions} of a {@link Layer}: d_v = 1 and G = H unless given. */
export type LayerOptions = SettingOptions & Partial<Omit<Layer, keyof Setting>>;
export type MemorizationOptions = SettingOptions & Partial<Recipe>;

const contextKinds: readonly unknown[] = ['shared', 'random', 'perm'];
const taskKinds: readonly unknown[] = ['classification', 'regression'];
const precisions: readonly unknown[] = ['float32', 'float64'];

/** Rows in the bag that `perm` contexts are drawn from, as in the reference. */
export const BAG_SIZE = 500;

/** The reference's length of a training: 500 passes over the examples, and at least 50 000 steps. */
export function referenceSteps(examples: number, batch: number, passes = 500, atLeast = 50_000): number {
  return Math.max(Math.floor((passes * examples) / batch), atLeast);
}

/** Fills in the reference's defaults (d = 64, d_h = d, 100 classes) and checks every value. */
export function setting(options: SettingOptions): Setting {
  const { heads, context, examples, contexts, task } = options;
  const width = options.width ?? 64;
  const headSize = options.headSize ?? width;
  const classes = task === 'regression' ? 1 : (options.classes ?? 100);
  const seed = options.seed ?? 0;
  count('heads', heads);
  count('context', context);
  count('width', width);
  count('head size', headSize);
  count('examples', examples);
  oneOf('contexts', contexts, contextKinds);
  oneOf('task', task, taskKinds);
  if (width % 2 !== 0) throw new InputError(`width: expected an even number, for sinusoidal positions, got ${width}.`);
  if (headSize > width) {
    throw new InputError(`head size: expected at most the width, ${width}, got ${headSize}.`);
  }
  if (task === 'classification') count('classes', classes, 2);
  if (contexts === 'perm' && context > BAG_SIZE) {
    throw new InputError(
      `context: expected at most the ${BAG_SIZE} rows of the bag for perm contexts, got ${context}.`,
    );
  }
  if (!Number.isSafeInteger(seed)) throw new InputError(`seed: expected a whole number, got ${seed}.`);
  const embedding = options.embedding ?? 'trained';
  oneOf('embedding', embedding, ['trained', 'fixed']);
  const shape = { heads, context, headSize, width, examples, contexts, task, classes, seed };
  return embedding === 'fixed' ? { ...shape, embedding } : shape;
}

/** A {@link setting} with its d_v and G, checked. */
export function layerOf(options: LayerOptions): Layer {
  const { valueSize = 1, keyValueHeads = options.heads } = options;
  count('value size', valueSize);
  count('key-value heads', keyValueHeads);
  if (options.heads % keyValueHeads !== 0) {
    throw new InputError(`key-value heads: expected a divisor of the ${options.heads} heads, got ${keyValueHeads}.`);
  }
  return { ...setting(options), valueSize, keyValueHeads };
}

/**
 * A setting and the recipe to train it with. A batch larger than the examples is cut to them.
 *
 * @throws InputError in one sentence, for the first value that makes no sense.
 */
export function memorizationConfig(options: MemorizationOptions): MemorizationConfig {
  const what = setting(options);
  const batch = options.batch ?? 256;
  count('batch', batch);
  const steps = options.steps ?? referenceSteps(what.examples, batch);
  const learningRate = options.learningRate ?? 1e-3;
  const evaluateEvery = options.evaluateEvery ?? 500;
  const earlyStop = options.earlyStop ?? true;
  const stopAtLoss = options.stopAtLoss ?? null;
  const precision = options.precision ?? 'float32';
  count('steps', steps);
  count('evaluateEvery', evaluateEvery);
  positive('learning rate', learningRate);
  if (stopAtLoss !== null) positive('stopAtLoss', stopAtLoss);
  oneOf('earlyStop', earlyStop, [true, false]);
  oneOf('precision', precision, precisions);
  return {
    ...what,
    steps,
    batch: Math.min(batch, what.examples),
    learningRate,
    evaluateEvery,
    earlyStop,
    stopAtLoss,
    precision,
  };
}

/** Whether two trainings are the same in every option. */
export function sameConfig(a: MemorizationConfig, b: MemorizationConfig): boolean {
  return isDeepStrictEqual(a, b);
}

/** One line that names a run: `regression, shared contexts, H=20 n=32 d_h=64 T=10000, seed 0`. */
export function describe(config: Setting): string {
  const { task, contexts, heads, context, headSize, examples, seed } = config;
  return `${task}, ${contexts} contexts, H=${heads} n=${context} d_h=${headSize} T=${examples}, seed ${seed}`;
}

function count(name: string, value: unknown, atLeast = 1): void {
  if (!Number.isSafeInteger(value) || (value as number) < atLeast) {
    throw new InputError(`${name}: expected a whole number of at least ${atLeast}, got ${shown(value)}.`);
  }
}

function positive(name: string, value: unknown): void {
  if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value)) {
    throw new InputError(`${name}: expected a positive number, got ${shown(value)}.`);
  }
}

function oneOf(name: string, value: unknown, choices: readonly unknown[]): void {
  if (!choices.includes(value)) throw new InputError(`${name}: expected ${choices.join(' or ')}, got ${shown(value)}.`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(JSON.stringify(value) ?? value);
}
