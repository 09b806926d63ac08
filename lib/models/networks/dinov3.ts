/**
 * DINOv3's ViT (Siméoni et al., arXiv 2508.10104), following transformers' `modeling_dinov3_vit.py`: the class token, registers
 * and the patches, without position embeddings. In each block the heads of a patch's queries and keys are turned by where its
 * centre lies: the pairs of the first half of the angles by its row, the others by its column, both from -1 to 1 over the image.
 * The special tokens are not turned. The query vector e(t) is the class token's row.
 */
import { InputError } from '../../input-error';
import { tf, toTensor } from '../../tensor';
import type { Architecture, ImageConfig } from './architecture';
import { preNorm } from './block';
import { activate, feedForward, layerNorm, linear, type Activation, type Grid } from './operations';
import { imageConfig, patchEmbedding, prepended } from './patches';
import { turned } from './rotary';

export interface Dinov3Config extends ImageConfig {
  readonly specialTokens: number;
  readonly activation: Activation;
  readonly layerNormEps: number;
  /** The base of the frequencies. */
  readonly theta: number;
  readonly gatedMlp: boolean;
  readonly biases: Readonly<Record<'query' | 'key' | 'value' | 'proj' | 'mlp', boolean>>;
}

export const dinov3: Architecture<Dinov3Config> = {
  input: 'images',
  query: 'first',
  prefix: 'model',

  configuration(file) {
    const read = {
      ...imageConfig(file, 16),
      ...file.heads('hidden_size', 'num_attention_heads', 384, 6),
      intermediateSize: file.count('intermediate_size', 1536),
    };
    const headSize = read.hiddenSize / read.heads;
    if (headSize % 4 !== 0) {
      throw new InputError(`${file.origin}: expected heads whose size is a multiple of 4, got ${headSize}`);
    }
    return {
      ...read,
      specialTokens: 1 + file.index('num_register_tokens', 0),
      layerNormEps: file.number('layer_norm_eps', 1e-5),
      theta: file.number('rope_theta', 100),
      gatedMlp: file.boolean('use_gated_mlp', false),
      biases: {
        query: file.boolean('query_bias', true),
        key: file.boolean('key_bias', false),
        value: file.boolean('value_bias', true),
        proj: file.boolean('proj_bias', true),
        mlp: file.boolean('mlp_bias', true),
      },
    };
  },

  embed(config, tensors) {
    const { hiddenSize: d, specialTokens } = config;
    const inside = tensors.inside('embeddings');
    const classToken = inside.get('cls_token', [1, 1, d]);
    const registers = specialTokens > 1 ? inside.get('register_tokens', [1, specialTokens - 1, d]) : null;
    const embedded = patchEmbedding(inside, config, { projection: 'patch_embeddings' });
    return (pixels) => prepended(registers ? tf.concat([classToken, registers], 1) : classToken, embedded(pixels));
  },

  block({ hiddenSize: d, heads, intermediateSize, activation, layerNormEps, biases, ...config }, tensors, block) {
    const { theta, gatedMlp, specialTokens } = config;
    const inside = tensors.inside(`layer.${block - 1}`);
    const norm1 = inside.affine('norm1', d);
    const maps = {
      query: inside.linear('attention.q_proj', d, d, biases.query),
      key: inside.linear('attention.k_proj', d, d, biases.key),
      value: inside.linear('attention.v_proj', d, d, biases.value),
    };
    const joining = inside.linear('attention.o_proj', d, d, biases.proj);
    const norm2 = inside.affine('norm2', d);
    const gate = gatedMlp ? inside.linear('mlp.gate_proj', d, intermediateSize, biases.mlp) : null;
    const up = inside.linear('mlp.up_proj', d, intermediateSize, biases.mlp);
    const down = inside.linear('mlp.down_proj', intermediateSize, d, biases.mlp);
    const hidden = (x: tf.Tensor) =>
      gate ? tf.mul(activate(linear(x, gate), activation), linear(x, up)) : activate(linear(x, up), activation);
    const [scaleAttention, scaleMlp] = ['layer_scale1', 'layer_scale2'].map((name) => {
      const lambda = inside.get(`${name}.lambda1`, [d]);
      return (x: tf.Tensor) => tf.mul(x, lambda);
    });
    const onGrid = (grid: Grid) => ({
      place(x: tf.Tensor4D, _of: 'query' | 'key', positions: readonly number[] | null) {
        if (positions) return x; // of the class token, which is not turned
        const angles = anglesOf(grid, d / heads, theta, specialTokens);
        const table = (of: (angle: number) => number) => toTensor(angles.map(of), [x.shape[1], 1, d / heads / 2]);
        return tf.tidy(() => turned(x, table(Math.cos), table(Math.sin)));
      },
    });
    return preNorm({
      attention: { maps, heads, scale: 1 / Math.sqrt(d / heads), onGrid },
      norm1: (x) => layerNorm(x, layerNormEps, norm1),
      join: (x) => scaleAttention(linear(x, joining)),
      norm2: (x) => layerNorm(x, layerNormEps, norm2),
      mlp: (x) => scaleMlp(feedForward(x, hidden, down)),
    });
  },
};

/** By how much the pairs of a head are turned, in radians: `[n, d_h / 2]`, 0 for the special tokens. */
function anglesOf({ rows, columns }: Grid, headSize: number, theta: number, specialTokens: number): Float64Array {
  const [pairs, frequencies] = [headSize / 2, headSize / 4];
  const angles = new Float64Array((specialTokens + rows * columns) * pairs);
  for (let patch = 0; patch < rows * columns; patch++) {
    const row = (2 * (Math.floor(patch / columns) + 0.5)) / rows - 1;
    const column = (2 * ((patch % columns) + 0.5)) / columns - 1;
    for (let i = 0; i < frequencies; i++) {
      const frequency = 2 * Math.PI * theta ** (-i / frequencies);
      angles[(specialTokens + patch) * pairs + i] = row * frequency;
      angles[(specialTokens + patch) * pairs + frequencies + i] = column * frequency;
    }
  }
  return angles;
}
