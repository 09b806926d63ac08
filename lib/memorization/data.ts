import { scalar, tf, toTensor } from '../tensor';
import { BAG_SIZE } from './config';
import { sinusoidalPositions } from './parameters';
import type { Task } from './task';

/**
 * The tasks of S models as tensors, stacked along a leading axis, as the model reads them. Models of a stack have one
 * architecture and one kind of context; their numbers of examples may differ, so the examples of all models are rows of
 * one tensor.
 */
export interface StackedData {
  /** `[sum of T, d + 1]`: (e(t), 1) / sqrt(d). The scale of the scores travels with the query. */
  readonly queries: tf.Tensor2D;
  /** Row of each model's first example. */
  readonly firstRow: readonly number[];
  /** `[1, 1, d]`: the position of token 0, / sqrt(d). */
  readonly queryPosition: tf.Tensor;
  /**
   * Tokens of context i are `basis` rows weighted by what the example brings: see `Contexts`. The basis is
   * `selection` [1 or S, m, d + 1] times the embedding, plus `positions` [1, m, d].
   */
  readonly selection: tf.Tensor;
  readonly positions: tf.Tensor;
  readonly contexts: Contexts;
  /** Classification: int32 [sum of T]. Regression: [sum of T]. */
  readonly labels: tf.Tensor1D;
  /** Classification: the C x C identity, whose rows are the one-hot labels. */
  readonly oneHot: tf.Tensor2D | null;
  dispose(): void;
}

/**
 * Shared: the basis is the n embedded tokens themselves. Otherwise it is the d rows of the embedding matrix and the n
 * embedded positions (with the bias), and token i of example t is E(t)_i times the former plus row i of the latter:
 * no context is ever embedded. `tokens` is [sum of T, n, d], or the bags [S * 500, d] with `bagRows` [sum of T, n].
 */
type Contexts =
  | { readonly kind: 'shared' }
  | { readonly kind: 'own'; readonly tokens: tf.Tensor }
  | { readonly kind: 'bag'; readonly tokens: tf.Tensor2D; readonly bagRows: tf.Tensor2D };

/** Puts the tasks of a stack into tensors of the current precision. `logitScale` multiplies every score. */
export function stackData(tasks: readonly Task[], logitScale = 1): StackedData {
  const { context: n, width: d, contexts, task: kind, classes } = tasks[0].setting;
  const scale = logitScale / Math.sqrt(d);
  const counts = tasks.map(({ setting }) => setting.examples);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const firstRow = counts.map((_, s) => counts.slice(0, s).reduce((sum, count) => sum + count, 0));

  const parts = tf.tidy(() => {
    const positions = sinusoidalPositions(n + 1, d);
    const contextPositions = toTensor(positions.slice(d), [n, d]);
    const basis =
      contexts === 'shared'
        ? [
            toTensor(withOnes(join(tasks.map(({ tokens }) => tokens)), d, 1), [tasks.length, n, d + 1]),
            contextPositions,
          ]
        : [embeddingSelection(n, d), tf.concat([tf.zeros([d, d]), contextPositions])];
    return {
      queries: toTensor(withOnes(join(tasks.map(({ queries }) => queries)), d, scale), [total, d + 1]) as tf.Tensor2D,
      queryPosition: tf.mul(toTensor(positions.slice(0, d), [1, 1, d]), scalar(scale)),
      selection: basis[0],
      positions: basis[1].expandDims(0),
    };
  });
  const labels =
    kind === 'classification'
      ? tf.tensor1d(joinLabels(tasks), 'int32')
      : (toTensor(join(tasks.map((task) => task.labels as Float64Array)), [total]) as tf.Tensor1D);
  const oneHot = kind === 'classification' ? (tf.eye(classes) as tf.Tensor2D) : null;
  const contextTokens = contextsOf(tasks, total);
  return {
    ...parts,
    firstRow,
    labels,
    oneHot,
    contexts: contextTokens,
    dispose() {
      const own = contextTokens.kind === 'shared' ? [] : [contextTokens.tokens];
      const rows = contextTokens.kind === 'bag' ? [contextTokens.bagRows] : [];
      tf.dispose([...Object.values(parts), labels, ...(oneHot ? [oneHot] : []), ...own, ...rows]);
    },
  };
}

function contextsOf(tasks: readonly Task[], total: number): Contexts {
  const { context: n, width: d, contexts } = tasks[0].setting;
  if (contexts === 'shared') return { kind: 'shared' };
  const tokens = join(tasks.map(({ tokens }) => tokens));
  if (contexts === 'random') return { kind: 'own', tokens: toTensor(tokens, [total, n, d]) };
  const bagRows = new Int32Array(total * n);
  let at = 0;
  tasks.forEach((task, s) => {
    for (const row of task.bagRows!) bagRows[at++] = row + s * BAG_SIZE;
  });
  return {
    kind: 'bag',
    tokens: toTensor(tokens, [tasks.length * BAG_SIZE, d]) as tf.Tensor2D,
    bagRows: tf.tensor2d(bagRows, [total, n], 'int32'),
  };
}

/** `[1, d + n, d + 1]`: the rows that pick the d rows of the embedding matrix, then its bias n times. */
function embeddingSelection(n: number, d: number): tf.Tensor {
  const selection = new Float64Array((d + n) * (d + 1));
  for (let row = 0; row < d + n; row++) selection[row * (d + 1) + Math.min(row, d)] = 1;
  return toTensor(selection, [1, d + n, d + 1]);
}

/** Rows of length d, each with a 1 behind it, all times `scale`. */
function withOnes(values: Float32Array | Float64Array, d: number, scale: number): Float64Array {
  const rows = values.length / d;
  const augmented = new Float64Array(rows * (d + 1)).fill(scale);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < d; i++) augmented[row * (d + 1) + i] = scale * values[row * d + i];
  }
  return augmented;
}

function join(parts: readonly (Float32Array | Float64Array)[]): Float32Array | Float64Array {
  if (parts.length === 1) return parts[0];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = parts[0] instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function joinLabels(tasks: readonly Task[]): Int32Array {
  return Int32Array.from(tasks.flatMap(({ labels }) => [...labels]));
}
