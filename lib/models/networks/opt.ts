/**
 * OPT. Zhang et al., arXiv 2205.01068, following transformers' `modeling_opt.py`: GPT-2's blocks with ReLU under other names;
 * opt-350m alone has its norms after the sums, and words of another width, which a map brings to d. Positions count from 2.
 */
import { tf } from '../../tensor';
import type { Architecture, TextConfig } from './architecture';
import { postNorm, preNorm } from './block';
import { activate, activationNamed, feedForward, layerNorm, linear, type Activation } from './operations';

export interface OPTConfig extends TextConfig {
  readonly activation: Activation;
  /** Width of the embedded words. */
  readonly wordSize: number;
  readonly normsFirst: boolean;
  readonly bias: boolean;
}

const OFFSET = 2;
const LAYER_NORM_EPS = 1e-5;

export const opt: Architecture<OPTConfig> = {
  input: 'tokens',
  query: 'last',
  prefix: 'model',

  configuration(file) {
    file.only('layer_norm_elementwise_affine', true);
    const sizes = file.heads('hidden_size', 'num_attention_heads', 768, 12);
    return {
      vocabularySize: file.count('vocab_size', 50272),
      positions: file.count('max_position_embeddings', 2048),
      ...sizes,
      depth: file.count('num_hidden_layers', 12),
      intermediateSize: file.count('ffn_dim', 3072),
      activation: activationNamed(file.get('activation_function', 'relu'), file.origin),
      wordSize: file.count('word_embed_proj_dim', sizes.hiddenSize),
      normsFirst: file.boolean('do_layer_norm_before', true),
      bias: file.boolean('enable_bias', true),
    };
  },

  embed({ vocabularySize, positions, hiddenSize: d, wordSize }, tensors) {
    const inside = tensors.inside('decoder');
    const words = inside.table('embed_tokens.weight', vocabularySize, wordSize);
    const places = inside.get('embed_positions.weight', [positions + OFFSET, d]);
    const widened = wordSize === d ? null : inside.linear('project_in', wordSize, d, false);
    return (ids) => {
      const embedded = widened ? linear(words(ids), widened) : words(ids);
      return tf.add(embedded, places.slice([OFFSET, 0], [ids.shape[1]!, d])) as tf.Tensor3D;
    };
  },

  block({ hiddenSize: d, heads, intermediateSize, activation, normsFirst, bias }, tensors, block) {
    const inside = tensors.inside(`decoder.layers.${block - 1}`);
    const map = (name: string) => inside.linear(`self_attn.${name}_proj`, d, d, bias);
    const maps = { key: map('k'), value: map('v'), query: map('q') };
    const joining = map('out');
    const norm1 = inside.affine('self_attn_layer_norm', d);
    const mlpIn = inside.linear('fc1', d, intermediateSize, bias);
    const mlpOut = inside.linear('fc2', intermediateSize, d, bias);
    const norm2 = inside.affine('final_layer_norm', d);
    return (normsFirst ? preNorm : postNorm)({
      attention: { maps, heads, scale: 1 / Math.sqrt(d / heads) },
      norm1: (x) => layerNorm(x, LAYER_NORM_EPS, norm1),
      join: (x) => linear(x, joining),
      norm2: (x) => layerNorm(x, LAYER_NORM_EPS, norm2),
      mlp: (x) => feedForward(x, (y) => activate(linear(y, mlpIn), activation), mlpOut),
    });
  },
};
