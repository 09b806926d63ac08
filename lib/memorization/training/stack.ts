import { FusedAdam, inPrecision, tf, toTensor, valuesOf } from '../../tensor';
import { BatchOrder } from './batches';
import type { Best, Checkpoint } from './checkpoint';
import type { MemorizationConfig } from '../config';
import { stackData, type StackedData } from '../data';
import { evaluate, type Evaluation } from './evaluate';
import { gradient } from '../model';
import { Diverged, type Outcome } from './outcome';
import { parameterCount } from '../parameters';
import { saturationOf } from './saturation';
import { learningRateAt } from './schedule';
import { drawTask, type Task } from '../task';

/** One model in training: what it is, what it learns, in which order, and how far it is. */
interface Model {
  readonly config: MemorizationConfig;
  readonly task: Task;
  readonly batches: BatchOrder;
  readonly adam: FusedAdam;
  best: Best | null;
  evaluations: Evaluation[];
  diverged: boolean;
}

/**
 * Models in training side by side: one tensor of parameters and one of data, so that the calls of a step are shared.
 *
 * A model takes the same steps as it would alone, except for the rounding of last digits: TensorFlow's ops round an
 * element that fills a register of the processor together with others differently from one at the end of a tensor, and
 * where a model's numbers lie depends on how many stand before them.
 */
export class ModelStack {
  stepsDone: number;
  private models: readonly Model[];
  private data: StackedData;
  /** `[S, P]`: where the next step starts. */
  private vectors: tf.Tensor2D;
  private readonly evenWeights: tf.Tensor;
  private readonly started: number;

  constructor({ models, step, seconds }: Checkpoint) {
    this.stepsDone = step;
    this.started = performance.now() - seconds * 1000;
    const { batch, precision } = models[0].config;
    this.models = models.map(({ config, vector, firstMoment, secondMoment, best, evaluations }) => ({
      config,
      task: drawTask(config, precision),
      batches: new BatchOrder(config.examples, config.batch, config.seed),
      adam: inPrecision(precision, () => adamOf([vector, firstMoment, secondMoment], step)),
      best,
      evaluations: [...evaluations],
      diverged: false,
    }));
    this.evenWeights = inPrecision(precision, () => toTensor(new Array<number>(batch).fill(1 / batch), [1, batch, 1]));
    [this.data, this.vectors] = this.tensors();
  }

  get size(): number {
    return this.models.length;
  }

  private tensors(): [StackedData, tf.Tensor2D] {
    return inPrecision(this.models[0].config.precision, () => [
      stackData(this.models.map(({ task }) => task)),
      stackedVectors(this.models),
    ]);
  }

  /** One step of Adam for every model. */
  step(): void {
    const { config } = this.models[0];
    inPrecision(config.precision, () => {
      const { rows, weights } = this.nextBatch();
      const gradients = gradient(this.vectors, this.data, rows, weights, config);
      // While the vectors live, TensorFlow would copy them before it changes them.
      this.vectors.dispose();
      const each = this.size === 1 ? [gradients.reshape([gradients.size])] : tf.unstack(gradients);
      this.models.forEach(({ adam, config }, s) => adam.step(each[s], learningRateAt(this.stepsDone, config)));
      tf.dispose([rows, gradients, ...each, ...(weights === this.evenWeights ? [] : [weights])]);
      this.vectors = stackedVectors(this.models);
      this.stepsDone++;
    });
  }

  /** Rows [S, B] of the data, and what each example weighs: a short batch is filled up with rows that weigh nothing. */
  private nextBatch(): { rows: tf.Tensor2D; weights: tf.Tensor } {
    const S = this.size;
    const B = this.models[0].config.batch;
    const rows = new Int32Array(S * B);
    const sizes = this.models.map(({ batches }, s) => {
      const batch = batches.at(this.stepsDone);
      for (let b = 0; b < B; b++) rows[s * B + b] = this.data.firstRow[s] + (b < batch.length ? batch[b] : 0);
      return batch.length;
    });
    return {
      rows: tf.tensor2d(rows, [S, B], 'int32'),
      weights: sizes.every((size) => size === B) ? this.evenWeights : shortWeights(sizes, B),
    };
  }

  /** Evaluates the models that are due at this step, on all their examples; returns what was found. */
  evaluateIfDue(): [MemorizationConfig, Evaluation][] {
    const step = this.stepsDone;
    const isDue = ({ config }: Model) => step % config.evaluateEvery === 0 || step === config.steps;
    if (!this.models.some(isDue)) return [];
    const tasks = this.models.map(({ task }) => task);
    const found = inPrecision(this.models[0].config.precision, () => evaluate(this.vectors, this.data, tasks));
    const values = valuesOf(this.vectors);
    const P = values.length / this.size;
    return this.models.flatMap((model, s) => {
      if (!isDue(model)) return [];
      const evaluation = { step, ...found[s] };
      model.diverged = !Number.isFinite(evaluation.loss);
      if (!model.diverged) model.evaluations.push(evaluation);
      if (!model.diverged && (model.best === null || evaluation.loss < model.best.loss)) {
        model.best = { ...evaluation, vector: values.slice(s * P, (s + 1) * P) };
      }
      return [[model.config, evaluation]];
    });
  }

  /** Takes the models that have ended out of the stack. */
  takeFinished(): Outcome[] {
    const finished = this.models.filter((model) => this.hasEnded(model));
    if (finished.length === 0) return [];
    for (const { adam } of finished) adam.dispose();
    this.models = this.models.filter((model) => !finished.includes(model));
    if (this.size > 0) {
      this.data.dispose();
      this.vectors.dispose();
      [this.data, this.vectors] = this.tensors();
    }
    return finished.map((model) => this.outcome(model));
  }

  private hasEnded({ config, evaluations, diverged }: Model): boolean {
    const last = evaluations.at(-1);
    if (diverged || this.stepsDone >= config.steps) return true;
    if (!config.earlyStop || last?.step !== this.stepsDone) return false;
    return last.accuracy === 1 || (config.stopAtLoss !== null && last.loss <= config.stopAtLoss);
  }

  private outcome({ config, task, best, evaluations, diverged }: Model): Outcome {
    if (diverged || best === null) return new Diverged(config, this.stepsDone);
    return {
      config,
      parameters: parameterCount(config),
      steps: this.stepsDone,
      seconds: this.seconds,
      loss: best.loss,
      accuracy: best.accuracy,
      fitted: best.fitted,
      bestStep: best.step,
      saturation: saturationOf(task, best.vector, config.precision),
      evaluations,
    };
  }

  private get seconds(): number {
    return (performance.now() - this.started) / 1000;
  }

  /** A copy of everything that the next step depends on. */
  checkpoint(): Checkpoint {
    const models = this.models.map(({ config, adam, best, evaluations }) => {
      const tensors = inPrecision(config.precision, () => [adam.read(), ...adam.readMoments()]);
      const [vector, firstMoment, secondMoment] = tensors.map((tensor) => valuesOf(tensor).slice());
      tf.dispose(tensors);
      return { config, vector, firstMoment, secondMoment, best, evaluations };
    });
    return { models, step: this.stepsDone, seconds: this.seconds };
  }

  dispose(): void {
    for (const { adam } of this.models) adam.dispose();
    tf.dispose([this.vectors, this.evenWeights]);
    this.data.dispose();
  }
}

/** Adam after `steps` steps; the arrays are vector, first and second moment. */
function adamOf(arrays: readonly (Float32Array | Float64Array)[], steps: number): FusedAdam {
  const parts = arrays.map((values) => toTensor(values, [values.length]) as tf.Tensor1D);
  const adam = new FusedAdam(parts[0], parts[1], parts[2], steps);
  tf.dispose(parts);
  return adam;
}

/** [S, P]: the parameter vectors as they are now. */
function stackedVectors(models: readonly Model[]): tf.Tensor2D {
  return tf.tidy(() => {
    const each = models.map(({ adam }) => adam.read());
    return each.length === 1 ? each[0].expandDims(0) : tf.stack(each); // a stack of one would be a copy
  }) as tf.Tensor2D;
}

/** [S, B, 1]: one over the number of real examples, 0 for those that fill up. */
function shortWeights(sizes: readonly number[], B: number): tf.Tensor {
  const weights = sizes.flatMap((size) => Array.from({ length: B }, (_, b) => (b < size ? 1 / size : 0)));
  return toTensor(weights, [sizes.length, B, 1]);
}
