import { inPrecision, tf, toTensor } from '../../tensor';
import type { BatchOrder } from './batches';
import type { MemorizationConfig } from '../config';
import { stackData, type StackedData } from '../data';
import { evaluate, type Evaluation } from './evaluate';
import { gradient } from '../model';
import { learningRateAt } from './schedule';
import { StackedAdam, type AdamState } from './stacked-adam';
import type { Task } from '../task';

/** A model in training: what it is, what it learns, and in which order. */
export interface Lane {
  readonly config: MemorizationConfig;
  readonly task: Task;
  readonly batches: BatchOrder;
}

/**
 * The arithmetic of a stack of models: one tensor of parameters, one of data, a step for all at once.
 *
 * A model takes the same steps as it would alone, but for the rounding of last digits: TensorFlow's ops round an element that
 * fills a register of the processor together with others differently from one at the end of a tensor, and where a model's
 * numbers lie hangs on how many stand before them.
 */
export class Lanes {
  private readonly adam: StackedAdam;
  private readonly data: StackedData;
  private readonly evenWeights: tf.Tensor;

  constructor(
    private readonly lanes: readonly Lane[],
    state: AdamState,
  ) {
    const { precision, batch } = lanes[0].config;
    this.adam = new StackedAdam(state, lanes.length, precision);
    this.data = inPrecision(precision, () => stackData(lanes.map(({ task }) => task)));
    this.evenWeights = inPrecision(precision, () => toTensor(new Array<number>(batch).fill(1 / batch), [1, batch, 1]));
  }

  get stepsDone(): number {
    return this.adam.stepsDone;
  }

  /** One step of Adam for every model. */
  step(): void {
    const { config } = this.lanes[0];
    inPrecision(config.precision, () => {
      const { rows, weights } = this.nextBatch();
      const gradients = gradient(this.adam.vectors, this.data, rows, weights, config);
      const rates = this.lanes.map((lane) => learningRateAt(this.adam.stepsDone, lane.config));
      this.adam.step(gradients, rates);
      tf.dispose(weights === this.evenWeights ? [rows, gradients] : [rows, gradients, weights]);
    });
  }

  /** Rows [S, B] of the data, and what each example weighs: a short batch is filled up with rows that weigh nothing. */
  private nextBatch(): { rows: tf.Tensor2D; weights: tf.Tensor } {
    const S = this.lanes.length;
    const B = this.lanes[0].config.batch;
    const rows = new Int32Array(S * B);
    const sizes = this.lanes.map(({ batches }, s) => {
      const batch = batches.at(this.adam.stepsDone);
      for (let b = 0; b < B; b++) rows[s * B + b] = this.data.firstRow[s] + (b < batch.length ? batch[b] : 0);
      return batch.length;
    });
    return {
      rows: tf.tensor2d(rows, [S, B], 'int32'),
      weights: sizes.every((size) => size === B) ? this.evenWeights : shortWeights(sizes, B),
    };
  }

  /** Loss and accuracy of each model over all its examples. */
  evaluate(): Omit<Evaluation, 'step'>[] {
    const { config } = this.lanes[0];
    const tasks = this.lanes.map(({ task }) => task);
    return inPrecision(config.precision, () => evaluate(this.adam.vectors, this.data, tasks));
  }

  /** A copy of what the next step depends on. */
  state(): AdamState {
    return this.adam.state();
  }

  dispose(): void {
    this.adam.dispose();
    this.data.dispose();
    this.evenWeights.dispose();
  }
}

/** [S, B, 1]: one over the number of real examples, 0 for those that fill up. */
function shortWeights(sizes: readonly number[], B: number): tf.Tensor {
  const weights = sizes.flatMap((size) => Array.from({ length: B }, (_, b) => (b < size ? 1 / size : 0)));
  return toTensor(weights, [sizes.length, B, 1]);
}
