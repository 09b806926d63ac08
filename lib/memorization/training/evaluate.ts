import { tf, valuesOf } from '../../tensor';
import type { StackedData } from '../data';
import { forward } from '../model';
import type { Task } from '../task';

/** How well a model knows all its examples at one moment of its training. */
export interface Evaluation {
  /** Training steps done. */
  readonly step: number;
  /** Mean cross-entropy in nats, or mean squared error. */
  readonly loss: number;
  /** Fraction of examples whose own class has the largest logit; null for a regression. */
  readonly accuracy: number | null;
  /** Examples memorized: right answers; of a regression, outputs within {@link FITTED_WITHIN} of their labels. */
  readonly fitted: number;
}

/**
 * The largest error, of labels in [0, 1], up to which a trained regression counts an example as memorized: float32 and a
 * finite training leave more than the 1e-8 of an exact fit. An output of the labels' mean is that near to 2 % of them.
 */
export const FITTED_WITHIN = 0.01;

/** Examples of each model that go through at once; always as many, so that no result depends on who else is there. */
const CHUNK = 256;

/** Loss and accuracy of each model of a stack over all its examples. Losses add up in float64. */
export function evaluate(vectors: tf.Tensor2D, data: StackedData, tasks: readonly Task[]): Omit<Evaluation, 'step'>[] {
  const sums = tasks.map(() => ({ loss: 0, fitted: 0 }));
  const { setting } = tasks[0];
  const most = Math.max(...tasks.map((task) => task.setting.examples));
  for (let from = 0; from < most; from += CHUNK) {
    const outputs = tf.tidy(() => forward(vectors, data, chunkRows(data, tasks, from), setting));
    const values = valuesOf(outputs);
    outputs.dispose();
    tasks.forEach((task, s) => {
      const part = values.subarray(s * CHUNK * setting.classes, (s + 1) * CHUNK * setting.classes);
      addTo(sums[s], part, task, from);
    });
  }
  return tasks.map(({ setting: { examples, task } }, s) => ({
    loss: sums[s].loss / examples,
    accuracy: task === 'classification' ? sums[s].fitted / examples : null,
    fitted: sums[s].fitted,
  }));
}

/** Rows [S, CHUNK] of the examples from `from` on; a model that has no more gets its first one again. */
export function chunkRows(data: StackedData, tasks: readonly Task[], from: number): tf.Tensor2D {
  const rows = new Int32Array(tasks.length * CHUNK);
  tasks.forEach(({ setting }, s) => {
    for (let i = 0; i < CHUNK; i++)
      rows[s * CHUNK + i] = data.firstRow[s] + (from + i < setting.examples ? from + i : 0);
  });
  return tf.tensor2d(rows, [tasks.length, CHUNK], 'int32');
}

function addTo(
  sum: { loss: number; fitted: number },
  outputs: Float32Array | Float64Array,
  { labels, setting: { examples, classes, task } }: Task,
  from: number,
): void {
  const count = Math.min(CHUNK, examples - from);
  for (let b = 0; b < count; b++) {
    const label = labels[from + b];
    if (task === 'regression') {
      sum.loss += (outputs[b] - label) ** 2;
      if (Math.abs(outputs[b] - label) <= FITTED_WITHIN) sum.fitted++;
      continue;
    }
    let best = 0;
    for (let c = 1; c < classes; c++) if (outputs[b * classes + c] > outputs[b * classes + best]) best = c;
    const largest = outputs[b * classes + best];
    let exponentials = 0;
    for (let c = 0; c < classes; c++) exponentials += Math.exp(outputs[b * classes + c] - largest);
    sum.loss += largest + Math.log(exponentials) - outputs[b * classes + label];
    if (best === label) sum.fitted++;
  }
}
