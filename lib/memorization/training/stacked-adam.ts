import { FusedAdam, inPrecision, tf, toTensor, valuesOf, type Precision } from '../../tensor';

/** What Adam knows of S models with P numbers each: arrays [S * P], in the precision of the training. */
export interface AdamState {
  readonly step: number;
  readonly vectors: Float32Array | Float64Array;
  readonly firstMoments: Float32Array | Float64Array;
  readonly secondMoments: Float32Array | Float64Array;
}

/**
 * Adam on the parameter vectors of a stack, each model with its own learning rate. All numbers of a model are one vector,
 * so that a small model is not buried under calls. Its state can be taken out and put back to the last bit.
 */
export class StackedAdam {
  /** `[S, P]`: what the next step starts from; it disposes of them. */
  vectors: tf.Tensor2D;
  private readonly members: readonly FusedAdam[];

  constructor(
    state: AdamState,
    private readonly models: number,
    private readonly precision: Precision,
  ) {
    this.stepsDone = state.step;
    const P = state.vectors.length / models;
    const part = (values: Float32Array | Float64Array, s: number) =>
      toTensor(values.slice(s * P, (s + 1) * P), [P]) as tf.Tensor1D;
    [this.members, this.vectors] = inPrecision(precision, () => {
      const members = Array.from({ length: models }, (_, s) => {
        const parts = [state.vectors, state.firstMoments, state.secondMoments].map((values) => part(values, s));
        const adam = new FusedAdam(parts[0], parts[1], parts[2], state.step);
        tf.dispose(parts);
        return adam;
      });
      return [members, stacked(members.map((member) => member.read()))];
    });
  }

  /** Steps done so far. */
  stepsDone: number;

  /** Moves every model against its gradient [S, P], which stays the caller's. In the precision of the state. */
  step(gradients: tf.Tensor2D, learningRates: readonly number[]): void {
    this.stepsDone++;
    this.vectors.dispose();
    const P = gradients.shape[1];
    const each = this.models === 1 ? [gradients.reshape([P])] : tf.unstack(gradients);
    this.members.forEach((member, s) => member.step(each[s], learningRates[s]));
    tf.dispose(each);
    this.vectors = stacked(this.members.map((member) => member.read()));
  }

  /** A copy of everything that the next step depends on. */
  state(): AdamState {
    return inPrecision(this.precision, () => {
      const moments = this.members.map((member) => member.readMoments());
      const [first, second] = [0, 1].map((which) => stacked(moments.map((pair) => pair[which])));
      const [vectors, firstMoments, secondMoments] = [this.vectors, first, second].map((t) => valuesOf(t).slice());
      tf.dispose([first, second]);
      return { step: this.stepsDone, vectors, firstMoments, secondMoments };
    });
  }

  dispose(): void {
    this.vectors.dispose();
    for (const member of this.members) member.dispose();
  }
}

/** [S, P] from S tensors [P], which are disposed of. */
function stacked(parts: readonly tf.Tensor1D[]): tf.Tensor2D {
  const whole = parts.length === 1 ? parts[0].expandDims(0) : tf.stack([...parts]);
  tf.dispose([...parts]);
  return whole as tf.Tensor2D;
}

/** The state before the first step. */
export function freshState(vectors: Float32Array | Float64Array): AdamState {
  const zeros = () =>
    vectors instanceof Float32Array ? new Float32Array(vectors.length) : new Float64Array(vectors.length);
  return { step: 0, vectors, firstMoments: zeros(), secondMoments: zeros() };
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
    firstMoments: pick(state.firstMoments),
    secondMoments: pick(state.secondMoments),
  };
}
