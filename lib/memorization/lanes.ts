import { inPrecision, tf, toTensor } from '../tensor';
import type { BatchOrder } from './batches';
import type { MemorizationConfig } from './config';
import { stackData, type StackedData } from './data';
import { evaluate, type Evaluation } from './evaluate';
import { gradient } from './model';
import { learningRateAt } from './schedule';
import { keepModels, StackedAdam, type AdamState } from './stacked-adam';
import type { Task } from './task';

/** A model in training: what it is, what it learns, and in which order. */
export interface Lane {
  readonly config: MemorizationConfig;
  readonly task: Task;
  readonly batches: BatchOrder;
}

/**
 * The arithmetic of a stack of models: one tensor of parameters, one of data, a step for all at once.
 *
 * A model alone takes the same steps as in a stack, for most shapes to the last bit; for others, some odd sizes among them,
 * float32's last digit is rounded differently. TensorFlow's batched product has one kernel for a batch of one and
 * another for a batch of several when the matrices are small (at most 128 * 128 multiplications), which round
 * differently; so a small model that is alone runs beside a twin of itself. That costs little: a small model's time goes
 * into the calls.
 */
export class Lanes {
  private readonly adam: StackedAdam;
  private readonly data: StackedData;
  private readonly evenWeights: tf.Tensor;
  /** The models, or one model twice. */
  private readonly lanes: readonly Lane[];

  constructor(
    private readonly models: readonly Lane[],
    state: AdamState,
  ) {
    const { config } = models[0];
    const { precision, batch } = config;
    const twin = models.length === 1 && hasSmallProducts(config);
    this.lanes = twin ? [models[0], models[0]] : models;
    this.adam = new StackedAdam(twin ? keepModels(state, 1, [0, 0]) : state, this.lanes.length, precision);
    const data = inPrecision(precision, () => stackData(models.map(({ task }) => task)));
    this.data = twin ? { ...data, firstRow: [0, 0] } : data;
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
    return inPrecision(config.precision, () => evaluate(this.adam.vectors, this.data, tasks)).slice(
      0,
      this.models.length,
    );
  }

  /** A copy of what the next step depends on. */
  state(): AdamState {
    const state = this.adam.state();
    return this.lanes.length === this.models.length ? state : keepModels(state, 2, [0]);
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

function hasSmallProducts(config: MemorizationConfig): boolean {
  const { heads: H, context: n, width: d, headSize: r, classes: C, batch: B, contexts } = config;
  const m = contexts === 'shared' ? n : n + d;
  const products = [
    [B, d + 1, d],
    [m, d + 1, d],
    [H, d, m],
    [B, d, H * n],
    [B, d, H * d],
    [B * n, d, H],
    [H, d, C],
    [B, H, C],
    ...(H === 1 ? [[m, d, r]] : []),
    ...(B === 1 ? [[H, d, n]] : []),
  ];
  return products.some(([a, b, c]) => Math.min(a, b, c) > 1 && a * b * c <= 128 * 128);
}
