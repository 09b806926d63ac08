/**
 * The vision halves of CLIP (Radford et al., arXiv 2103.00020) and SigLIP (Zhai et al., arXiv 2303.15343), following transformers'
 * `modeling_clip.py` and `modeling_siglip.py`; from a folder of the half alone, or of the whole model, whose configuration has
 * it as `vision_config`:
 *
 *     X_0 = LN([class token; patches W_patch] + position embeddings)     CLIP
 *     X_0 = patches W_patch + b + position embeddings                    SigLIP
 *     Y_l = X_{l-1} + attention(LN(X_{l-1}))
 *     X_l = Y_l     + MLP(LN(Y_l))
 *
 * CLIP's query vector e(t) is the class token's row. SigLIP has no class token. The probe that its head pools with is the same for
 * every image, and meets the last layer only; so e(t) is the mean of the rows of X_l, as global average pooling takes it.
 */
import { tf } from '../../tensor';
import type { Configuration } from '../configuration';
import type { Architecture, ImageConfig } from './architecture';
import { preNorm } from './block';
import { activate, feedForward, layerNorm, linear, type Activation } from './operations';
import { imageConfig, patchEmbedding, prepended } from './patches';

export interface ClipConfig extends ImageConfig {
  readonly activation: Activation;
  readonly layerNormEps: number;
}

/** The part of a configuration that is of images. */
const visionOf = (file: Configuration) => (file.has('vision_config') ? file.section('vision_config') : file);

export const clip: Architecture<ClipConfig> = {
  input: 'images',
  query: 'first',
  prefix: 'vision_model',

  configuration(file) {
    const vision = visionOf(file);
    return { ...imageConfig(vision, 32, 'quick_gelu'), layerNormEps: vision.number('layer_norm_eps', 1e-5) };
  },

  embed(config, tensors) {
    const { hiddenSize: d, patchSize, imageSize, layerNormEps } = config;
    const patches = Math.floor(imageSize / patchSize) ** 2;
    const inside = tensors.inside('embeddings');
    const classToken = inside.get('class_embedding', [d]);
    const learned = inside.get('position_embedding.weight', [1 + patches, d]);
    const embedded = patchEmbedding(inside, config, {
      projection: 'patch_embedding',
      bias: false,
      positions: () => learned.slice([1, 0], [patches, d]),
    });
    const norm = tensors.affine('pre_layrnorm', d);
    return (pixels) => {
      const first = tf.add(classToken, learned.slice([0, 0], [1, d])).reshape([1, 1, d]);
      return layerNorm(prepended(first, embedded(pixels)), layerNormEps, norm) as tf.Tensor3D;
    };
  },

  block({ hiddenSize: d, heads, intermediateSize, activation, layerNormEps }, tensors, block) {
    const inside = tensors.inside(`encoder.layers.${block - 1}`);
    const norm1 = inside.affine('layer_norm1', d);
    const map = (name: string) => inside.linear(`self_attn.${name}_proj`, d, d);
    const maps = { query: map('q'), key: map('k'), value: map('v') };
    const joining = map('out');
    const norm2 = inside.affine('layer_norm2', d);
    const mlpIn = inside.linear('mlp.fc1', d, intermediateSize);
    const mlpOut = inside.linear('mlp.fc2', intermediateSize, d);
    return preNorm({
      attention: { maps, heads, scale: 1 / Math.sqrt(d / heads) },
      norm1: (x) => layerNorm(x, layerNormEps, norm1),
      join: (x) => linear(x, joining),
      norm2: (x) => layerNorm(x, layerNormEps, norm2),
      mlp: (x) => feedForward(x, (y) => activate(linear(y, mlpIn), activation), mlpOut),
    });
  },
};

export const siglip: Architecture<ClipConfig> = {
  ...clip,
  query: 'mean',

  configuration(file) {
    const vision = visionOf(file);
    return {
      ...imageConfig(vision, 16, 'gelu_pytorch_tanh'),
      layerNormEps: vision.number('layer_norm_eps', 1e-6),
      specialTokens: 0,
    };
  },

  embed(config, tensors) {
    const { hiddenSize: d, patchSize, imageSize } = config;
    const patches = Math.floor(imageSize / patchSize) ** 2;
    const inside = tensors.inside('embeddings');
    const learned = inside.get('position_embedding.weight', [patches, d]);
    return patchEmbedding(inside, config, { projection: 'patch_embedding', positions: () => learned });
  },
};
