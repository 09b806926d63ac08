/**
 * The few operations that all Transformers share, on tensors of the current precision. Weights lie as PyTorch keeps
 * them: a linear map from d to m features is `[m, d]`.
 *
 * Four of them are also fused ops, which read and write memory once and are taken where TensorFlow has them. What is
 * written here in ops of tfjs says what they compute, and computes it on GPUs; the tests compare the two.
 */
import { InputError } from '../../input-error';
import { fusedAttention, fusedGelu, fusedLayerNorm, fusedLinear, hasFusedOps, scalar, tf } from '../../tensor';

export interface Linear {
  /** `[m, d]`. */
  readonly weight: tf.Tensor2D;
  /** `[m]`, or null where the layer has none. */
  readonly bias: tf.Tensor1D | null;
}

// Each operation frees what it made on the way: memory that is soon used again is still in the processor's caches, and a
// heap that stays small is not given back to the system and mapped again.

/** x W^T + b over the last axis: `[..., d]` -> `[..., m]`. */
export function linear(x: tf.Tensor, { weight, bias }: Linear): tf.Tensor {
  const [m, d] = weight.shape;
  const image = (rows: tf.Tensor2D) => {
    if (bias && hasFusedOps()) return fusedLinear(rows, weight, bias);
    const product = tf.matMul(rows, weight, false, true);
    return bias ? tf.add(product, bias) : product;
  };
  return tf.tidy(() => {
    const rows = x.reshape<tf.Tensor2D>([x.size / d, d]);
    return image(rows).reshape([...x.shape.slice(0, -1), m]);
  });
}

export interface Affine {
  /** gamma, `[d]`. */
  readonly weight: tf.Tensor1D;
  /** beta, `[d]`. */
  readonly bias: tf.Tensor1D;
}

/** (x - mean) / sqrt(variance + eps) over the last axis, then gamma x + beta where there is an affine part; same shape. */
export function layerNorm(x: tf.Tensor, eps: number, affine: Affine | null): tf.Tensor {
  if (affine && hasFusedOps()) return fusedLayerNorm(x, eps, affine.weight, affine.bias);
  return tf.tidy(() => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    const normed = tf.mul(centred, tf.rsqrt(tf.add(variance, scalar(eps))));
    return affine ? tf.add(tf.mul(normed, affine.weight), affine.bias) : normed;
  });
}

/** Pointwise functions of the feed-forward layers, under the names that Hugging Face's configurations use. */
const ACTIVATIONS = {
  /** x Phi(x), with the error function. */
  gelu: (x: tf.Tensor) =>
    hasFusedOps()
      ? fusedGelu(x)
      : tf.mul(tf.mul(x, scalar(0.5)), tf.add(tf.erf(tf.mul(x, scalar(Math.SQRT1_2))), scalar(1))),
  /** GPT-2's approximation of it by tanh. */
  gelu_new: (x: tf.Tensor) => {
    const inner = tf.mul(tf.add(x, tf.mul(tf.mul(x, tf.square(x)), scalar(0.044715))), scalar(Math.sqrt(2 / Math.PI)));
    return tf.mul(tf.mul(x, scalar(0.5)), tf.add(tf.tanh(inner), scalar(1)));
  },
  /** x sigmoid(1.702 x), as CLIP has it. */
  quick_gelu: (x: tf.Tensor) => tf.mul(x, tf.sigmoid(tf.mul(x, scalar(1.702)))),
  relu: (x: tf.Tensor): tf.Tensor => tf.relu(x),
  /** x sigmoid(x). */
  silu: (x: tf.Tensor) => tf.mul(x, tf.sigmoid(x)),
};

export type Activation = keyof typeof ACTIVATIONS;

/** The same function under its other names. */
const SYNONYMS: Readonly<Record<string, Activation>> = {
  gelu_pytorch_tanh: 'gelu_new',
  gelu_fast: 'gelu_new',
  gelu_python: 'gelu',
  swish: 'silu',
};

/** Reads a configuration's `hidden_act`; throws {@link InputError} with all known names for an unknown one. */
export function activationNamed(name: unknown, origin: string): Activation {
  if (typeof name === 'string') {
    if (Object.hasOwn(ACTIVATIONS, name)) return name as Activation;
    if (Object.hasOwn(SYNONYMS, name)) return SYNONYMS[name];
  }
  const known = [...Object.keys(ACTIVATIONS), ...Object.keys(SYNONYMS)].join(', ');
  throw new InputError(`${origin}: expected an activation among ${known}, got ${JSON.stringify(name)}`);
}

export function activate(x: tf.Tensor, activation: Activation): tf.Tensor {
  return tf.tidy(() => ACTIVATIONS[activation](x));
}

/** The MLP: out(activation(in(x))), on `[..., d]`. */
export function feedForward(x: tf.Tensor, mlpIn: Linear, activation: (x: tf.Tensor) => tf.Tensor, mlpOut: Linear) {
  return tf.tidy(() => {
    const hidden = tf.tidy(() => activation(linear(x, mlpIn))); // [..., width]
    return linear(hidden, mlpOut);
  });
}

/** The four maps of an attention layer; heads lie one after the other along the output axis of the first three. */
export interface AttentionMaps {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
}

/**
 * Multi-head attention of every token to every token (Vaswani et al., arXiv 1706.03762):
 * softmax(Q K^T scale + mask) V for each head, the heads side by side, then the output map. `[B, n, d]` -> `[B, n, d_o]`.
 * `mask`, if any, is added to the scores and broadcasts to `[B, H, n, n]`.
 */
export function attention(
  x: tf.Tensor3D,
  maps: AttentionMaps,
  heads: number,
  scale: number,
  mask: tf.Tensor | null = null,
): tf.Tensor3D {
  return tf.tidy(() => linear(attentionHeads(x, maps, heads, scale, mask), maps.output) as tf.Tensor3D);
}

/** The heads of {@link attention} side by side, before the output map: `[B, n, d]` -> `[B, n, H d_v]`. */
export function attentionHeads(
  x: tf.Tensor3D,
  { query, key, value }: Omit<AttentionMaps, 'output'>,
  heads: number,
  scale: number,
  mask: tf.Tensor | null = null,
): tf.Tensor3D {
  const byHead = (map: Linear) => {
    const image = linear(x, map);
    return image.reshape<tf.Tensor4D>([...x.shape.slice(0, 2), heads, image.shape[2]! / heads]); // [B, n, H, d_h]
  };
  return tf.tidy(() => {
    if (hasFusedOps()) return fusedAttention(byHead(query), byHead(key), byHead(value), scale, mask);
    const weights = tf.tidy(() => {
      const q = splitHeads(tf.mul(linear(x, query), scalar(scale)), heads); // [B, H, n, d_h]
      const k = splitHeads(linear(x, key), heads);
      const scores = tf.matMul(q, k, false, true); // [B, H, n, n]
      return tf.softmax(mask ? tf.add(scores, mask) : scores);
    });
    const v = splitHeads(linear(x, value), heads);
    return mergeHeads(tf.matMul(weights, v));
  });
}

/**
 * What {@link attention} gives for one token of each example, `query` `[B, d]`, that attends to all of `x` `[B, n, d]`:
 * `[B, d_o]`. Neither keys nor values are computed. A score q . (W_k x_j + b_k) is (W_k^T q) . x_j plus a constant that
 * softmax does not see, and since the weights sum to one, the mean of the values is W_v (mean of the tokens) + b_v. So each
 * head moves its query through W_k and the mean of the tokens through W_v, instead of n tokens through both.
 * `mask`, if any, is added to the scores and broadcasts to `[B, H, n]`.
 */
export function attentionOfOne(
  query: tf.Tensor2D,
  x: tf.Tensor3D,
  maps: AttentionMaps,
  heads: number,
  scale: number,
  mask: tf.Tensor | null = null,
): tf.Tensor2D {
  return linear(headsOfOne(query, x, maps, heads, scale, mask).joined, maps.output) as tf.Tensor2D;
}

/** On the way of {@link attentionOfOne}: the attention weights `[B, H, n]`, and the heads side by side, `[B, H d_v]`. */
export function headsOfOne(
  query: tf.Tensor2D,
  x: tf.Tensor3D,
  maps: Omit<AttentionMaps, 'output'>,
  heads: number,
  scale: number,
  mask: tf.Tensor | null = null,
): { weights: tf.Tensor3D; joined: tf.Tensor2D } {
  const d = x.shape[2];
  const byHead = ({ weight }: Linear) => weight.reshape([heads, weight.shape[0] / heads, d]); // [H, d_h, d]
  const q = splitHeads(tf.mul(linear(query, maps.query), scalar(scale)).expandDims(0), heads).squeeze([0]); // [H, B, d_h]
  const moved = tf.transpose(tf.matMul(q, byHead(maps.key)), [1, 0, 2]); // [B, H, d]
  const scores = tf.matMul(moved, x, false, true); // [B, H, n]
  const weights = tf.softmax(mask ? tf.add(scores, mask) : scores) as tf.Tensor3D;
  const means = tf.transpose(tf.matMul(weights, x), [1, 0, 2]); // [H, B, d]
  const values = tf.matMul(means, byHead(maps.value), false, true); // [H, B, d_v]
  const joined = mergeHeads(values.expandDims(0)).squeeze<tf.Tensor2D>([0]); // [B, H d_v]
  return { weights, joined: maps.value.bias ? tf.add(joined, maps.value.bias) : joined };
}

/** `[B, n, d]` -> `[B, d]`. */
export function firstToken(x: tf.Tensor3D): tf.Tensor2D {
  const [batch, , d] = x.shape;
  return x.slice([0, 0, 0], [batch, 1, d]).reshape([batch, d]);
}

/** `[B, n, H d_h]` -> `[B, H, n, d_h]`. */
function splitHeads(x: tf.Tensor, heads: number): tf.Tensor4D {
  const [batch, n, width] = x.shape;
  return tf.transpose(x.reshape([batch, n, heads, width / heads]), [0, 2, 1, 3]) as tf.Tensor4D;
}

/** `[B, H, n, d_h]` -> `[B, n, H d_h]`. */
function mergeHeads(x: tf.Tensor): tf.Tensor3D {
  const [batch, heads, n, size] = x.shape;
  return tf.transpose(x, [0, 2, 1, 3]).reshape([batch, n, heads * size]) as tf.Tensor3D;
}
