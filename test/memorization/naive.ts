import { scalar, tf, toTensor } from 'attention-capacity/tensor/index';
import { drawTask, type Task } from 'attention-capacity/memorization/task';
import { setting as settingOf, type Layer, type Setting } from 'attention-capacity/memorization/config';
import {
  parameterNames,
  parameterShapes,
  parameterSizes,
  sinusoidalPositions,
} from 'attention-capacity/memorization/parameters';

/** The tokens of each example as the reference sees them: [T, n + 1, d], the query first. */
export function sequences(task: Task): tf.Tensor3D {
  const { examples: T, context: n, width: d, contexts } = task.setting;
  const values = new Float64Array(T * (n + 1) * d);
  for (let t = 0; t < T; t++) {
    const start = t * (n + 1) * d;
    values.set(task.queries.subarray(t * d, (t + 1) * d), start);
    for (let i = 0; i < n; i++) {
      const row = contexts === 'shared' ? i : contexts === 'random' ? t * n + i : task.bagRows![t * n + i];
      values.set(task.tokens.subarray(row * d, (row + 1) * d), start + (i + 1) * d);
    }
  }
  return toTensor(values, [T, n + 1, d]) as tf.Tensor3D;
}

/**
 * The reference's formula, term by term: embed all tokens, add positions, let every token attend to all but token 0,
 * decode every token, keep token 0. x [T, n + 1, d], parameters [P] -> outputs [T, C] and token 0's weights [T, H, n].
 */
export function naiveForward(
  x: tf.Tensor3D,
  vector: tf.Tensor1D,
  setting: Setting & Partial<Layer>,
): [tf.Tensor2D, tf.Tensor3D] {
  const [T, n1, d] = x.shape;
  const { heads: H, valueSize = 1, keyValueHeads = H } = setting;
  const shapes = parameterShapes(setting);
  const [embedding, query, key, value, output, decoder, decoderBias] = tf
    .split(vector, parameterSizes(setting))
    .map((part, i) => part.reshape([...shapes[parameterNames[i]]]));
  const weight = embedding.slice([0, 0], [d, d]);
  const bias = embedding.slice([d, 0], [1, d]);
  const positions = toTensor(sinusoidalPositions(n1, d), [1, n1, d]);
  const flat = tf.add(tf.matMul(x.reshape([T * n1, d]), weight), bias);
  const tokens = tf.add(flat.reshape([T, n1, d]), positions).expandDims(1); // [T, 1, n + 1, d]
  const spread = (w: tf.Tensor) => tf.matMul(tf.tile(tokens, [1, H, 1, 1]), tf.tile(w.expandDims(0), [T, 1, 1, 1]));
  const q = spread(query); // [T, H, n + 1, d_h]
  const groups = Array.from({ length: H }, (_, h) => Math.floor((h * keyValueHeads) / H));
  const ofHeads = (w: tf.Tensor) => tf.gather(w, tf.tensor1d(groups, 'int32'));
  const k = spread(ofHeads(key));
  const v = spread(ofHeads(value.reshape([keyValueHeads, d, valueSize]))); // [T, H, n + 1, d_v]
  const mask = tf.concat([toTensor(new Float64Array(n1).fill(-1e300), [1, 1, n1, 1]), tf.zeros([1, 1, n1, n1 - 1])], 3);
  const scores = tf.add(tf.div(tf.matMul(q, k, false, true), scalar(Math.sqrt(d))), mask);
  const weights = tf.softmax(scores); // [T, H, n + 1, n + 1]
  const z = tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]).reshape([T * n1, H * valueSize]);
  const decoded = tf.add(tf.matMul(tf.matMul(z, output), decoder), decoderBias).reshape([T, n1, -1]);
  const outputs = decoded.slice([0, 0, 0], [T, 1, -1]).squeeze([1]) as tf.Tensor2D;
  return [outputs, weights.slice([0, 0, 0, 1], [T, H, 1, n1 - 1]).squeeze([2]) as tf.Tensor3D];
}

/** Mean cross-entropy or mean squared error, written out. */
export function naiveLoss(outputs: tf.Tensor2D, task: Task): tf.Scalar {
  const T = outputs.shape[0];
  if (task.setting.task === 'regression') {
    const labels = toTensor(task.labels as Float64Array, [T, 1]);
    return tf.mean(tf.square(tf.sub(outputs, labels))) as tf.Scalar;
  }
  const oneHot = tf.gather(tf.eye(task.setting.classes), tf.tensor1d(task.labels as Int32Array, 'int32'));
  return tf.neg(tf.div(tf.sum(tf.mul(tf.logSoftmax(outputs), oneHot)), scalar(T))) as tf.Scalar;
}

/** A small task in float64, and its setting. */
export function smallTask(options: Partial<Setting> & Pick<Setting, 'contexts' | 'task'>): Task {
  return drawTask(
    settingOf({ heads: 3, context: 4, headSize: 3, width: 6, classes: 5, examples: 7, ...options }),
    'float64',
  );
}
