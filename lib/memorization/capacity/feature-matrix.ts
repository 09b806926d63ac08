import { begin } from '../../work';
import { rankAt, relativeTolerance } from '../../rank';
import { inFloat64, inPrecision, qr, svdvals, tf, toTensor, valuesOf, type Matrix } from '../../tensor';
import type { Setting } from '../config';
import { stackData } from '../data';
import { attend, unpack, type Attention } from '../model';
import type { Task } from '../task';
import { featuresPerHead } from '../theorem';

/** How many examples go through the layer at once. */
const CHUNK = 256;

/**
 * The feature matrix Z of a task under the given weights (a parameter vector), [T, H n] or [T, H d]: see `theorem.ts`.
 *
 * @param logitScale multiplies every attention score before the softmax; large scales saturate it.
 */
export async function featureMatrix(task: Task, vector: Float64Array, logitScale = 1): Promise<Matrix> {
  const rows = task.setting.examples;
  const columns = task.setting.heads * featuresPerHead(task.setting);
  const values = new Float64Array(rows * columns);
  let at = 0;
  for await (const chunk of featureChunks(task, vector, logitScale)) {
    values.set(chunk, at);
    at += chunk.length;
  }
  return { data: values, shape: [rows, columns] };
}

/** The label of each example as one number in [0, 1]: that of a regression itself, class c as c / (C - 1). */
export function scalarLabels({ labels, setting }: Task): Float64Array {
  const scale = setting.task === 'classification' ? 1 / (setting.classes - 1) : 1;
  return Float64Array.from(labels, (label) => label * scale);
}

/** The features of {@link featureMatrix}, a few hundred examples at a time: whole rows behind each other. */
export async function* featureChunks(task: Task, vector: Float64Array, logitScale = 1): AsyncGenerator<Float64Array> {
  const { setting } = task;
  const T = setting.examples;
  const data = inPrecision('float64', () => stackData([task], logitScale));
  const work = begin('features of the examples', T);
  try {
    for (let from = 0; from < T; from += CHUNK) {
      const count = Math.min(CHUNK, T - from);
      yield inFloat64(() => {
        const parameters = unpack(toTensor(vector, [1, vector.length]) as tf.Tensor2D, setting);
        const rows = tf.range(from, from + count, 1, 'int32').expandDims(0) as tf.Tensor2D;
        return valuesOf(features(attend(parameters, data, rows, setting), setting)) as Float64Array;
      });
      await work.advance(from + count);
    }
  } finally {
    work.end();
    data.dispose();
  }
}

/** [1, B, H, n] attention weights, or [1, B, H, d], the embedded tokens weighted by them. */
function features({ weights, tokens, basis }: Attention, setting: Setting): tf.Tensor {
  const { context: n, width: d } = setting;
  if (tokens !== null) {
    const [embedding, positions] = tf.split(basis, [d, n], 1);
    const weighted = tf.matMul(tf.matMul(weights, tokens), embedding.expandDims(1));
    return tf.add(weighted, tf.matMul(weights, positions.expandDims(1)));
  }
  return n <= d ? weights : tf.matMul(weights, basis.expandDims(1));
}

/** What the singular values of Z say. */
export interface FeatureRank {
  readonly rank: number;
  /** Ratio to the largest singular value up to which a singular value counts as zero: max(T, columns) * epsilon. */
  readonly rtol: number;
  /** Descending. */
  readonly singularValues: Float64Array;
}

/**
 * The numerical rank of a feature matrix, in float64 arithmetic at float64's tolerance.
 *
 * @param examples T, where `features` holds fewer rows because it is the triangle of all.
 */
export function featureRank(features: Matrix, examples = features.shape[0]): FeatureRank {
  const [rows, columns] = features.shape;
  const rtol = relativeTolerance('float64', examples, columns);
  const singularValues = inFloat64(() => {
    const z = toTensor(features.data, [rows, columns]);
    // A tall matrix has the singular values of its R, which is small.
    return valuesOf(svdvals(rows > 2 * columns ? qr(z)[1] : z)) as Float64Array;
  });
  return { rank: rankAt(singularValues, rtol), rtol, singularValues };
}
