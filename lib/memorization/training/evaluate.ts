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
}

/** Examples of each model that go through at once; always as many, so that no result depends on who else is there. */
const CHUNK = 256;

/** Loss and accuracy of each model of a stack over all its examples. Losses add up in float64. */
export function evaluate(vectors: tf.Tensor2D, data: StackedData, tasks: readonly Task[]): Omit<Evaluation, 'step'>[] {
  const sums = tasks.map(() => ({ loss: 0, right: 0 }));
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
    accuracy: task === 'classification' ? sums[s].right / examples : null,
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
  sum: { loss: number; right: number },
  outputs: Float32Array | Float64Array,
  { labels, setting: { examples, classes, task } }: Task,
  from: number,
): void {
  const count = Math.min(CHUNK, examples - from);
  for (let b = 0; b < count; b++) {
    const label = labels[from + b];
    if (task === 'regression') {
      sum.loss += (outputs[b] - label) ** 2;
      continue;
    }
    let best = 0;
    for (let c = 1; c < classes; c++) if (outputs[b * classes + c] > outputs[b * classes + best]) best = c;
    const largest = outputs[b * classes + best];
    let exponentials = 0;
    for (let c = 0; c < classes; c++) exponentials += Math.exp(outputs[b * classes + c] - largest);
    sum.loss += largest + Math.log(exponentials) - outputs[b * classes + label];
    if (best === label) sum.right++;
  }
}
