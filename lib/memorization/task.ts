import { randomSource, type Precision, type Random } from '../tensor';
import { BAG_SIZE, type Setting } from './config';

type Values = Float32Array | Float64Array;

/**
 * A memorization task: T examples, each a query vector, a context matrix and a label, all drawn from the seed.
 * Plain arrays, row-major, in the chosen precision; the numbers of both precisions are the same up to
 * rounding.
 */
export interface Task {
  readonly setting: Setting;
  /** e(t): [T, d], uniform in [0, 1). */
  readonly queries: Values;
  /**
   * The rows of the contexts, uniform in [0, 1): shared [n, d]; random [T, n, d]; perm [500, d], the bag.
   */
  readonly tokens: Values;
  /** perm only: [T, n], which rows of the bag are the context of each example. */
  readonly bagRows: Int32Array | null;
  /** `[T]`: the class of each example, or the number to be regressed, uniform in [0, 1). */
  readonly labels: Int32Array | Values;
}

/** Draws the task that belongs to a setting: section 5 of the paper, `RandomDataset` in the reference. */
export function drawTask(setting: Setting, precision: Precision): Task {
  const { examples, context, width, contexts, seed } = setting;
  const stream = (name: string) => randomSource(seed, 'memorization', name);
  const rows = { shared: context, random: examples * context, perm: BAG_SIZE }[contexts];
  const tokens = uniforms(stream('contexts'), rows * width, precision);
  const queries = uniforms(stream('queries'), examples * width, precision);
  const labels = drawLabels(setting, precision);
  const bagRows = contexts === 'perm' ? drawBagRows(stream('bag'), examples, context) : null;
  return { setting, queries, tokens, bagRows, labels };
}

/** The labels of {@link drawTask} alone. */
export function drawLabels(
  { task, examples, classes, seed }: Setting,
  precision: Precision,
): Int32Array | Float32Array | Float64Array {
  const random = randomSource(seed, 'memorization', 'labels');
  if (task === 'regression') return uniforms(random, examples, precision);
  return Int32Array.from({ length: examples }, () => random.integer(classes));
}

function uniforms(random: Random, count: number, precision: Precision): Values {
  const values = precision === 'float32' ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = random.uniform();
  return values;
}

/** Each example's rows in the order in which they were drawn: the tokens of a context have positions. */
function drawBagRows(random: Random, examples: number, context: number): Int32Array {
  const rows = new Int32Array(examples * context);
  const bag = Int32Array.from({ length: BAG_SIZE }, (_, row) => row);
  for (let t = 0; t < examples; t++) {
    for (let i = 0; i < context; i++) {
      // The first steps of a Fisher-Yates shuffle; the bag's order before it does not matter.
      const j = i + random.integer(BAG_SIZE - i);
      const row = bag[j];
      bag[j] = bag[i];
      bag[i] = row;
      rows[t * context + i] = row;
    }
  }
  return rows;
}
