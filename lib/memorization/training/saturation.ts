import { inPrecision, tf, toTensor, valuesOf, type Precision } from '../../tensor';
import { stackData } from '../data';
import { chunkRows } from './evaluate';
import { attend, unpack } from '../model';
import type { Task } from '../task';

/** A head is saturated on an example when its largest attention weight exceeds this, as in the paper. */
export const SATURATED = 0.99;
const BINS = 50;

/** How far the softmax of each head has hardened. */
export interface Saturation {
  readonly threshold: number;
  /** Examples by how many of their heads are saturated: entry k counts those with k, k = 0 ... H. */
  readonly examplesBySaturatedHeads: readonly number[];
  readonly meanSaturatedHeads: number;
  /** Histogram over examples and heads of the largest attention weight: 50 bins of width 0.02 from 0 to 1. */
  readonly largestWeights: readonly number[];
}

/** Counts saturated heads over all examples of a task. */
export function saturationOf(task: Task, vector: Float32Array | Float64Array, precision: Precision): Saturation {
  const { heads: H, examples: T } = task.setting;
  const examplesBySaturatedHeads = new Array<number>(H + 1).fill(0);
  const largestWeights = new Array<number>(BINS).fill(0);
  let saturatedHeads = 0;
  inPrecision(precision, () => {
    const data = stackData([task]);
    const vectors = toTensor(vector, [1, vector.length]) as tf.Tensor2D;
    for (let from = 0; from < T;) {
      const largest = tf.tidy(() =>
        tf.max(attend(unpack(vectors, task.setting), data, chunkRows(data, [task], from), task.setting).weights, -1),
      ); // [1, B, H]
      const values = valuesOf(largest);
      const [, B] = largest.shape;
      largest.dispose();
      for (let b = 0; b < B && from < T; b++, from++) {
        let saturated = 0;
        for (let h = 0; h < H; h++) {
          const weight = values[b * H + h];
          if (weight > SATURATED) saturated++;
          largestWeights[Math.min(Math.floor(weight * BINS), BINS - 1)]++;
        }
        examplesBySaturatedHeads[saturated]++;
        saturatedHeads += saturated;
      }
    }
    vectors.dispose();
    data.dispose();
  });
  return {
    threshold: SATURATED,
    examplesBySaturatedHeads,
    meanSaturatedHeads: saturatedHeads / T,
    largestWeights,
  };
}
