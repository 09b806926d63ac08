import { inPrecision, scalar, tf, toTensor, valuesOf, type Precision } from '../tensor';

/** What Adam knows of S models with P numbers each: arrays [S * P], in the precision of the training. */
export interface AdamState {
  readonly step: number;
  readonly vectors: Float32Array | Float64Array;
  /** Sums of decayed gradients and of decayed squared gradients: the moments, each over its 1 - beta. */
  readonly firstSums: Float32Array | Float64Array;
  readonly secondSums: Float32Array | Float64Array;
}

const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-8;

/**
 * Adam (Kingma and Ba, algorithm 1, with PyTorch's defaults) on the parameter vectors of a stack, each model with its own
 * learning rate. All numbers of a step are one tensor, so that a small model is not buried under calls; and the moments
 * are kept without their factors 1 - beta, which saves two of twelve passes over the parameters.
 *
 * Its state can be taken out and put back to the last bit.
 */
export class StackedAdam {
  vectors: tf.Tensor2D;
  private firstSums: tf.Tensor2D;
  private secondSums: tf.Tensor2D;
  private readonly beta1: tf.Scalar;
  private readonly beta2: tf.Scalar;

  constructor(
    state: AdamState,
    private readonly models: number,
    private readonly precision: Precision,
  ) {
    this.stepsDone = state.step;
    const matrix = (values: Float32Array | Float64Array) =>
      toTensor(values.slice(), [models, values.length / models]) as tf.Tensor2D;
    [this.vectors, this.firstSums, this.secondSums] = inPrecision(precision, () => [
      matrix(state.vectors),
      matrix(state.firstSums),
      matrix(state.secondSums),
    ]);
    [this.beta1, this.beta2] = inPrecision(precision, () => [scalar(BETA_1), scalar(BETA_2)]);
  }

  /** Steps done so far. */
  stepsDone: number;

  /** Moves every model against its gradient [S, P], which stays the caller's. In the precision of the state. */
  step(gradients: tf.Tensor2D, learningRates: readonly number[]): void {
    const t = ++this.stepsDone;
    const firstCorrection = (1 - BETA_1 ** t) / (1 - BETA_1);
    const secondCorrection = (1 - BETA_2 ** t) / (1 - BETA_2);
    // rate * (m / c1) / (sqrt(v / c2) + eps) = m / (sqrt(v) * factor + offset)
    const factors = learningRates.map((rate) => firstCorrection / (rate * Math.sqrt(secondCorrection)));
    const offsets = learningRates.map((rate) => (EPSILON * firstCorrection) / rate);
    const next = tf.tidy(() => {
      const firstSums = tf.add(tf.mul(this.firstSums, this.beta1), gradients) as tf.Tensor2D;
      const secondSums = tf.add(tf.mul(this.secondSums, this.beta2), tf.mul(gradients, gradients)) as tf.Tensor2D;
      const spread = tf.mul(tf.sqrt(secondSums), toTensor(factors, [this.models, 1]));
      const move = tf.div(firstSums, tf.add(spread, toTensor(offsets, [this.models, 1])));
      return [tf.sub(this.vectors, move) as tf.Tensor2D, firstSums, secondSums];
    });
    tf.dispose([this.vectors, this.firstSums, this.secondSums]);
    [this.vectors, this.firstSums, this.secondSums] = next;
  }

  /** A copy of everything that the next step depends on. */
  state(): AdamState {
    const values = (tensor: tf.Tensor) => inPrecision(this.precision, () => valuesOf(tensor).slice());
    return {
      step: this.stepsDone,
      vectors: values(this.vectors),
      firstSums: values(this.firstSums),
      secondSums: values(this.secondSums),
    };
  }

  dispose(): void {
    tf.dispose([this.vectors, this.firstSums, this.secondSums, this.beta1, this.beta2]);
  }
}

/** The state before the first step. */
export function freshState(vectors: Float32Array | Float64Array): AdamState {
  const zeros = () =>
    vectors instanceof Float32Array ? new Float32Array(vectors.length) : new Float64Array(vectors.length);
  return { step: 0, vectors, firstSums: zeros(), secondSums: zeros() };
}

/** The state without the models that `keep` leaves out. */
export function keepModels(state: AdamState, models: number, keep: readonly number[]): AdamState {
  const pick = (values: Float32Array | Float64Array) => {
    const P = values.length / models;
    const kept = values instanceof Float32Array ? new Float32Array(P * keep.length) : new Float64Array(P * keep.length);
    keep.forEach((model, i) => kept.set(values.subarray(model * P, (model + 1) * P), i * P));
    return kept;
  };
  return {
    step: state.step,
    vectors: pick(state.vectors),
    firstSums: pick(state.firstSums),
    secondSums: pick(state.secondSums),
  };
}
