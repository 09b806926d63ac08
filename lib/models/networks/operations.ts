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

/** (x / root of the mean square) gamma over the last axis, eps under the root: Zhang and Sennrich, arXiv 1910.07467. */
export function rmsNorm(x: tf.Tensor, eps: number, gamma: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const meanSquare = tf.mean(tf.square(x), -1, true);
    return tf.mul(tf.mul(x, tf.rsqrt(tf.add(meanSquare, scalar(eps)))), gamma);
  });
}

/** The MLP, on `[..., d]`: what `hidden` makes of x, `[..., width]`, through the second map. */
export function feedForward(x: tf.Tensor, hidden: (x: tf.Tensor) => tf.Tensor, mlpOut: Linear): tf.Tensor {
  return tf.tidy(() =>
    linear(
      tf.tidy(() => hidden(x)),
      mlpOut,
    ),
  );
}

/** The hidden layer of a gated MLP whose two halves lie side by side: activation(first half) times the second. */
export function gated(inner: tf.Tensor, activation: Activation): tf.Tensor {
  const [gate, value] = tf.split(inner, 2, -1);
  return tf.mul(activate(gate, activation), value);
}

/** How many rows and columns of patches an image has. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
}

/**
 * An attention layer up to its output map. Heads lie one after the other along the output axis of the three maps; keys and
 * values may have fewer heads, G, each shared by H / G queries (grouped-query attention, Ainslie et al., arXiv 2305.13245).
 */
export interface Attention {
  readonly maps: { readonly query: Linear; readonly key: Linear; readonly value: Linear };
  /** H, those of the query. */
  readonly heads: number;
  /** What scores are multiplied by. */
  readonly scale: number;
  /**
   * What is done to the heads of queries or keys, `[B, m, heads, d_h]`, that depends on the token's position: a rotation, after
   * a norm. `positions` are those of one token per example (m = 1); null: 0 to m - 1.
   */
  readonly place?: (x: tf.Tensor4D, of: 'query' | 'key', positions: readonly number[] | null) => tf.Tensor4D;
  /** What depends on the image's patches, where anything does: a rotation by rows and columns, or what is added to scores. */
  readonly onGrid?: (grid: Grid) => {
    readonly place?: Attention['place'];
    /** `[1, H, n, n]`. */
    readonly bias?: tf.Tensor4D;
  };
  /** Scores s become cap tanh(s / cap), as Gemma 2 has it; null or absent: they stay. */
  readonly cap?: number | null;
  /** How many tokens away a token may be to be seen; null or absent: any. */
  readonly reach?: number | null;
}

/**
 * Multi-head attention of every token to every token (Vaswani et al., arXiv 1706.03762), before the output map:
 * softmax(Q K^T scale + mask) V for each head, the heads side by side. `[B, n, d]` -> `[B, n, H d_v]`.
 * `mask`, if any, is added to the scores and broadcasts to `[B, H, n, n]`.
 */
export function attentionHeads(x: tf.Tensor3D, attention: Attention, mask: tf.Tensor | null = null): tf.Tensor3D {
  const { maps, heads, scale, place, cap } = attention;
  const [batch, n] = x.shape;
  const size = maps.query.weight.shape[0] / heads;
  const groups = maps.key.weight.shape[0] / size;
  const byHead = (map: Linear, count: number) => linear(x, map).reshape<tf.Tensor4D>([batch, n, count, -1]);
  const placed = (map: Linear, count: number, of: 'query' | 'key') =>
    place ? tf.tidy(() => place(byHead(map, count), of, null)) : byHead(map, count);
  // [B, n, G, d_h] -> [B, n, H, d_h]
  const repeated = (y: tf.Tensor4D) =>
    groups === heads
      ? y
      : y
          .expandDims(3)
          .tile([1, 1, 1, heads / groups, 1])
          .reshape<tf.Tensor4D>([batch, n, heads, -1]);
  return tf.tidy(() => {
    const q = placed(maps.query, heads, 'query');
    const k = repeated(placed(maps.key, groups, 'key'));
    const v = repeated(byHead(maps.value, groups));
    if (hasFusedOps() && !cap) return fusedAttention(q, k, v, scale, mask);
    const weights = tf.tidy(() => {
      const scores = tf.matMul(headsFirst(tf.mul(q, scalar(scale))), headsFirst(k), false, true); // [B, H, n, n]
      return softmax(scores, mask, cap);
    });
    const values = tf.matMul(weights, headsFirst(v)); // [B, H, n, d_v]
    return tf.transpose(values, [0, 2, 1, 3]).reshape([batch, n, heads * values.shape[3]!]) as tf.Tensor3D;
  });
}

/**
 * The same for one token of each example, `query` `[B, d]` at `positions`, that attends to all of `x` `[B, n, d]`: the attention
 * weights `[B, H, n]`, and the heads side by side, `[B, H d_v]`. No values are computed, and no keys where positions do not
 * change them. A score q . (W_k x_j + b_k) is (W_k^T q) . x_j plus a constant that softmax does not see, and since the weights
 * sum to one, the mean of the values is W_v (mean of the tokens) + b_v. So each head moves its query through W_k and the mean
 * of the tokens through W_v, instead of n tokens through both. `mask`, if any, broadcasts to `[B, H, n]`.
 */
export function headsOfOne(
  query: tf.Tensor2D,
  x: tf.Tensor3D,
  attention: Attention,
  mask: tf.Tensor | null = null,
  positions: readonly number[] = [],
): { weights: tf.Tensor3D; joined: tf.Tensor2D } {
  const { maps, heads, scale, place, cap } = attention;
  const [batch, n, d] = x.shape;
  const size = maps.query.weight.shape[0] / heads;
  const groups = maps.key.weight.shape[0] / size;
  const byHead = ({ weight }: Linear) => weight.reshape([groups, weight.shape[0] / groups, d]); // [G, d_h, d]
  const scores = tf.tidy(() => {
    if (place) {
      const q = place(linear(query, maps.query).reshape([batch, 1, heads, size]), 'query', positions);
      const k = headsFirst(place(linear(x, maps.key).reshape([batch, n, groups, size]), 'key', null)); // [B, G, n, d_h]
      const grouped = tf.mul(q, scalar(scale)).reshape([batch, groups, heads / groups, size]);
      return tf.matMul(grouped, k, false, true).reshape([batch, heads, n]);
    }
    const q = tf.transpose(tf.mul(linear(query, maps.query), scalar(scale)).reshape([batch, heads, size]), [1, 0, 2]);
    const moved = tf.transpose(tf.matMul(q, byHead(maps.key)), [1, 0, 2]); // [B, H, d]
    return tf.matMul(moved, x, false, true);
  });
  const weights = softmax(scores, mask, cap) as tf.Tensor3D; // [B, H, n]
  const means = tf.transpose(tf.matMul(weights, x), [1, 0, 2]).reshape([groups, (heads / groups) * batch, d]);
  const values = tf.matMul(means, byHead(maps.value), false, true); // [G, H / G B, d_v]
  const joined = tf.transpose(values.reshape([heads, batch, -1]), [1, 0, 2]); // [B, H, d_v]
  const { bias } = maps.value;
  if (!bias) return { weights, joined: joined.reshape([batch, -1]) };
  const biases = bias
    .reshape([groups, 1, -1])
    .tile([1, heads / groups, 1])
    .reshape([heads, -1]);
  return { weights, joined: tf.add(joined, biases).reshape([batch, -1]) };
}

function softmax(scores: tf.Tensor, mask: tf.Tensor | null, cap?: number | null): tf.Tensor {
  return tf.tidy(() => {
    const capped = cap ? tf.mul(tf.tanh(tf.div(scores, scalar(cap))), scalar(cap)) : scores;
    return tf.softmax(mask ? tf.add(capped, mask) : capped);
  });
}

/** `[B, n, d]` -> `[B, d]`. */
export function firstToken(x: tf.Tensor3D): tf.Tensor2D {
  const [batch, , d] = x.shape;
  return x.slice([0, 0, 0], [batch, 1, d]).reshape([batch, d]);
}

/** `[B, n, H, d_h]` -> `[B, H, n, d_h]`. */
function headsFirst(x: tf.Tensor): tf.Tensor4D {
  return tf.transpose(x, [0, 2, 1, 3]) as tf.Tensor4D;
}
