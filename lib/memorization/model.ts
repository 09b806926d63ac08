/**
 * The paper's model, computed for token 0 alone, whose output is the only one used, and its gradient by hand.
 *
 * The reference embeds all n + 1 tokens of an example, attends from each of them and reads token 0. Here
 *
 *     score(h, i) = x W_q^h (X_i W_k^h)^T / sqrt(d),          x = embedded token 0, X_i = embedded token i
 *     z(h)        = sum_i softmax_i(score(h, i)) X_i W_v^h,    output = z W_o W_dec + b_dec
 *
 * and every X_i is a combination of m rows of one `basis` G [m, d] that is the same for all examples: the n embedded tokens where
 * all share a context, otherwise the d rows of the embedding matrix and the n positions, X_i = E_i G[0..d) + G[d + i]
 * (see `data.ts`). So G W_k W_q^T, per head [m, d], is made once a step, and an example costs its products with E only:
 * about H n d + H d^2 multiplications in place of the reference's n d^2 + 2 H n d d_h + H n^2 d_h.
 *
 * The gradient is written out rather than left to tfjs' tape: it is half the operations, and the test compares it with
 * the tape's gradient of the reference's formula, in float64, to 1e-10.
 *
 * All tensors carry a leading axis of S models that have nothing to do with each other (their own weights and data).
 * Letters in shapes: S models, B examples, H heads, n tokens, m rows of the basis, d width, r head size, C outputs.
 */
import { tf } from '../tensor';
import type { Setting } from './config';
import type { StackedData } from './data';
import { parameterNames, parameterShapes, parameterSizes, type ParameterName } from './parameters';

/** The arrays of S models, each [S, ...shape]. */
export type Parameters = Readonly<Record<ParameterName, tf.Tensor>>;

/** Examples of each model: rows of the data [S, B] int32. */
export type BatchRows = tf.Tensor2D;

/** Cuts parameter vectors [S, P] into the arrays of `parameterShapes`. */
export function unpack(vectors: tf.Tensor2D, setting: Setting): Parameters {
  const shapes = parameterShapes(setting);
  const parts = tf.split(vectors, parameterSizes(setting), 1);
  const arrays = parameterNames.map((name, i) => parts[i].reshape([vectors.shape[0], ...shapes[name]]));
  return Object.fromEntries(parameterNames.map((name, i) => [name, arrays[i]])) as Record<ParameterName, tf.Tensor>;
}

/** The inverse of {@link unpack}. */
function pack(arrays: Parameters): tf.Tensor2D {
  const models = arrays.embedding.shape[0];
  return tf.concat(
    parameterNames.map((name) => arrays[name].reshape([models, -1])),
    1,
  ) as tf.Tensor2D;
}

/** What the heads do with a batch, and what the gradient needs of it. */
export interface Attention {
  /** `[S, B, H, n]`: the softmax weights of token 0. */
  readonly weights: tf.Tensor4D;
  /** `[S, B, H, n]`: each token's value in each head; [S, 1, H, n] where the context is shared. */
  readonly values: tf.Tensor4D;
  /** [S, B, n, d], raw context tokens; null where the context is shared. */
  readonly tokens: tf.Tensor4D | null;
  /** [S, B, d + 1], the scaled queries before, [S, B, d] after the embedding. */
  readonly queries: tf.Tensor3D;
  readonly embedded: tf.Tensor3D;
  /** [S, m, d], [S, H, m, r]: the basis and its keys. */
  readonly basis: tf.Tensor3D;
  readonly keys: tf.Tensor4D;
  /** What an embedded query is multiplied with: [S, H n, d] for scores, [S, H d, d] to meet raw tokens (or null). */
  readonly toScores: tf.Tensor3D;
  readonly toTokens: tf.Tensor3D | null;
}

/** Runs the heads on a batch. Inside `tf.tidy`. */
export function attend(parameters: Parameters, data: StackedData, rows: BatchRows, setting: Setting): Attention {
  const { heads: H, context: n, width: d } = setting;
  const [S, B] = rows.shape;
  const queries = tf.gather(data.queries as tf.Tensor, rows) as tf.Tensor3D; // [S, B, d + 1]
  const embedded = tf.add(tf.matMul(queries, parameters.embedding), data.queryPosition) as tf.Tensor3D; // [S, B, d]
  const basis = tf.add(tf.matMul(data.selection, parameters.embedding), data.positions) as tf.Tensor3D; // [S, m, d]
  const keys = tf.matMul(basis.expandDims(1), parameters.key) as tf.Tensor4D; // [S, H, m, r]
  const queryKeys = tf.matMul(keys, parameters.query, false, true); // [S, H, m, d]
  const valueOfBasis = tf.matMul(parameters.value, basis, false, true); // [S, H, m]
  const common = { queries, embedded, basis, keys };

  if (data.contexts.kind === 'shared') {
    const toScores = queryKeys.reshape<tf.Tensor3D>([S, H * n, d]);
    const scores = tf.matMul(embedded, toScores, false, true).reshape([S, B, H, n]);
    const weights = tf.softmax(scores) as tf.Tensor4D;
    const values = valueOfBasis.expandDims(1) as tf.Tensor4D;
    return { ...common, weights, values, tokens: null, toScores, toTokens: null };
  }

  const tokens = gatherTokens(data, rows); // [S, B, n, d]
  const [tokenKeys, positionKeys] = tf.split(queryKeys, [d, n], 2); // [S, H, d, d], [S, H, n, d]
  const [tokenValues, positionValues] = tf.split(valueOfBasis, [d, n], 2); // [S, H, d], [S, H, n]
  const toTokens = tokenKeys.reshape<tf.Tensor3D>([S, H * d, d]);
  const toScores = positionKeys.reshape<tf.Tensor3D>([S, H * n, d]);
  const probes = tf.matMul(embedded, toTokens, false, true).reshape<tf.Tensor4D>([S, B, H, d]);
  const positionScores = tf.matMul(embedded, toScores, false, true).reshape([S, B, H, n]);
  const weights = tf.softmax(tf.add(tf.matMul(probes, tokens, false, true), positionScores)) as tf.Tensor4D;
  // One product with the tokens of all examples, [S, B n, H]: a third of the time of one for each example.
  const valueOfTokens = tf.matMul(tokens.reshape([S, B * n, d]), tokenValues, false, true).reshape([S, B, n, H]);
  const values = tf.add(tf.transpose(valueOfTokens, [0, 1, 3, 2]), positionValues.expandDims(1)) as tf.Tensor4D;
  return { ...common, weights, values, tokens, toScores, toTokens };
}

function gatherTokens({ contexts }: StackedData, rows: BatchRows): tf.Tensor4D {
  if (contexts.kind === 'own') return tf.gather(contexts.tokens, rows) as tf.Tensor as tf.Tensor4D;
  if (contexts.kind === 'bag')
    return tf.gather(contexts.tokens as tf.Tensor, tf.gather(contexts.bagRows as tf.Tensor, rows)) as tf.Tensor4D;
  throw new Error('a shared context is part of the basis.');
}

/** z [S, B, H]: what each head says about each example. */
function headOutputs({ weights, values }: Attention): tf.Tensor3D {
  return tf.sum(tf.mul(weights, values), -1) as tf.Tensor3D;
}

function readOut(z: tf.Tensor3D, { output, decoder, decoderBias }: Parameters): [tf.Tensor3D, tf.Tensor3D] {
  const readout = tf.matMul(output, decoder) as tf.Tensor3D; // [S, H, C]
  return [readout, tf.add(tf.matMul(z, readout), decoderBias.expandDims(1)) as tf.Tensor3D];
}

/** Logits, or the numbers of a regression: [S, B, C]. */
export function forward(vectors: tf.Tensor2D, data: StackedData, rows: BatchRows, setting: Setting): tf.Tensor3D {
  return tf.tidy(() => {
    const parameters = unpack(vectors, setting);
    return readOut(headOutputs(attend(parameters, data, rows, setting)), parameters)[1];
  });
}

/**
 * The gradient [S, P] of each model's loss on its batch. The loss is the sum over the batch of `exampleWeights`
 * [1 or S, B, 1] times cross-entropy or squared error: 1 / B each for a mean, 0 for rows that only fill up a batch.
 */
export function gradient(
  vectors: tf.Tensor2D,
  data: StackedData,
  rows: BatchRows,
  exampleWeights: tf.Tensor,
  setting: Setting,
): tf.Tensor2D {
  return tf.tidy(() => {
    const parameters = unpack(vectors, setting);
    const attention = attend(parameters, data, rows, setting);
    const z = headOutputs(attention);
    const [readout, outputs] = readOut(z, parameters);
    const dOutputs = tf.mul(outputError(outputs, data, rows), exampleWeights) as tf.Tensor3D; // [S, B, C]

    const dReadout = tf.matMul(z, dOutputs, true); // [S, H, C]
    const dZ = tf.matMul(dOutputs, readout, false, true).expandDims(-1); // [S, B, H, 1]
    const dValues = tf.mul(attention.weights, dZ) as tf.Tensor4D; // [S, B, H, n]
    const dScores = tf.mul(dValues, tf.sub(attention.values, z.expandDims(-1))) as tf.Tensor4D; // [S, B, H, n]
    const heads = gradientOfHeads(parameters, attention, data, dScores, dValues, setting.embedding === 'fixed');
    return pack({
      ...heads,
      output: tf.matMul(dReadout, parameters.decoder, false, true),
      decoder: tf.matMul(parameters.output, dReadout, true),
      decoderBias: tf.sum(dOutputs, 1),
    });
  });
}

/** The gradient of cross-entropy by the logits, softmax - one-hot, or of the squared error by the output. [S, B, C] */
function outputError(outputs: tf.Tensor3D, data: StackedData, rows: BatchRows): tf.Tensor {
  const labels = tf.gather(data.labels, rows); // [S, B]
  if (data.oneHot === null) return tf.mul(tf.sub(outputs, labels.expandDims(-1)), 2);
  return tf.sub(tf.softmax(outputs), tf.gather(data.oneHot, labels));
}

/** From the scores and values back to embedding, query, key and value. */
function gradientOfHeads(
  parameters: Parameters,
  attention: Attention,
  data: StackedData,
  dScores: tf.Tensor4D,
  dValues: tf.Tensor4D,
  isFixed: boolean,
): Pick<Record<ParameterName, tf.Tensor>, 'embedding' | 'query' | 'key' | 'value'> {
  const { queries, embedded, basis, keys, tokens, toScores, toTokens } = attention;
  const [S, B, H, n] = dScores.shape;
  const d = embedded.shape[2];
  const flatScores = dScores.reshape([S, B, H * n]);
  // As [S, d, H m], with only the small factor read across; then per head, [S, H, d, m].
  let fromQuery = tf.matMul(embedded, flatScores, true).reshape([S, d, H, n]);
  let dEmbedded = tf.matMul(flatScores, toScores); // [S, B, d]
  let dValueOfBasis = tf.sum(dValues, 1); // [S, H, m]
  if (tokens !== null && toTokens !== null) {
    const dProbes = tf.matMul(dScores, tokens).reshape([S, B, H * d]);
    const fromQueryToTokens = tf.matMul(embedded, dProbes, true).reshape([S, d, H, d]);
    const dValuesByHead = tf.transpose(dValues, [0, 2, 1, 3]).reshape([S, H, B * n]);
    const dTokenValues = tf.matMul(dValuesByHead, tokens.reshape([S, B * n, d])); // [S, H, d]
    fromQuery = tf.concat([fromQueryToTokens, fromQuery], 3);
    dEmbedded = tf.add(dEmbedded, tf.matMul(dProbes, toTokens));
    dValueOfBasis = tf.concat([dTokenValues, dValueOfBasis], 2);
  }
  const dQueryKeys = tf.transpose(fromQuery, [0, 2, 1, 3]); // [S, H, d, m]
  const dKeys = tf.matMul(dQueryKeys, parameters.query, true); // [S, H, m, r]
  const dBasis = tf.add(
    tf.sum(tf.matMul(dKeys, parameters.key, false, true), 1),
    tf.matMul(dValueOfBasis, parameters.value, true),
  ); // [S, m, d]
  return {
    embedding: isFixed
      ? tf.zerosLike(parameters.embedding)
      : tf.add(tf.matMul(data.selection, dBasis, true), tf.matMul(queries, dEmbedded, true)),
    query: tf.matMul(dQueryKeys, keys), // [S, H, d, r]
    key: tf.matMul(basis.expandDims(1), dKeys, true), // [S, H, d, r]
    value: tf.matMul(dValueOfBasis, basis), // [S, H, d]
  };
}
