/**
 * GPT-NeoX, the architecture of Pythia (Black et al., arXiv 2204.06745; Biderman et al., arXiv 2304.01373), following
 * transformers' `modeling_gpt_neox.py`: attention and MLP side by side,
 *
 *     X_0 = words
 *     X_l = X_{l-1} + attention(LN_1(X_{l-1})) + MLP(LN_2(X_{l-1})),
 *
 * or one after the other where `use_parallel_residual` is false. A quarter of each head is turned by its position. A token
 * attends to itself and to those before it; the query vector e(t) is the last row of X_l.
 */
import type { tf } from '../../tensor';
import type { Architecture, TextConfig } from './architecture';
import { parallel, preNorm } from './block';
import { activate, activationNamed, feedForward, layerNorm, linear, type Activation } from './operations';
import { rotaryOf, rotate, type Rotary } from './rotary';

export interface GPTNeoXConfig extends TextConfig {
  readonly activation: Activation;
  readonly layerNormEps: number;
  /** Of the attention's maps. */
  readonly bias: boolean;
  readonly parallel: boolean;
  readonly rotary: Rotary;
}

export const gptNeoX: Architecture<GPTNeoXConfig> = {
  input: 'tokens',
  query: 'last',
  prefix: 'gpt_neox',

  configuration(file) {
    const sizes = file.heads('hidden_size', 'num_attention_heads', 6144, 64);
    const positions = file.count('max_position_embeddings', 2048);
    const parameters = file.section(file.get('rope_scaling', null) === null ? 'rope_parameters' : 'rope_scaling');
    const [theta, share] = [file.number('rotary_emb_base', 10000), file.number('rotary_pct', 0.25)];
    return {
      vocabularySize: file.count('vocab_size', 50432),
      positions,
      ...sizes,
      depth: file.count('num_hidden_layers', 44),
      intermediateSize: file.count('intermediate_size', 24576),
      activation: activationNamed(file.get('hidden_act', 'gelu'), file.origin),
      layerNormEps: file.number('layer_norm_eps', 1e-5),
      bias: file.boolean('attention_bias', true),
      parallel: file.boolean('use_parallel_residual', true),
      rotary: rotaryOf(parameters, sizes.hiddenSize / sizes.heads, theta, positions, share),
    };
  },

  embed({ vocabularySize, hiddenSize: d }, tensors) {
    const words = tensors.table('embed_in.weight', vocabularySize, d);
    return (ids) => words(ids) as tf.Tensor3D;
  },

  block({ hiddenSize: d, heads, intermediateSize, activation, layerNormEps, bias, rotary, ...config }, tensors, block) {
    const inside = tensors.inside(`layers.${block - 1}`);
    const norm1 = inside.affine('input_layernorm', d);
    const norm2 = inside.affine('post_attention_layernorm', d);
    const [query, key, value] = inside.linears('attention.query_key_value', 3, d, d, { bias, heads });
    const joining = inside.linear('attention.dense', d, d, bias);
    const mlpIn = inside.linear('mlp.dense_h_to_4h', d, intermediateSize);
    const mlpOut = inside.linear('mlp.dense_4h_to_h', intermediateSize, d);
    return (config.parallel ? parallel : preNorm)({
      attention: {
        maps: { query, key, value },
        heads,
        scale: 1 / Math.sqrt(d / heads),
        place: (x, _, positions) => rotate(x, rotary, positions),
      },
      norm1: (x) => layerNorm(x, layerNormEps, norm1),
      join: (x) => linear(x, joining),
      norm2: (x) => layerNorm(x, layerNormEps, norm2),
      mlp: (x) => feedForward(x, (y) => activate(linear(y, mlpIn), activation), mlpOut),
    });
  },
};
