/**
 * ModernBERT. Warner et al., arXiv 2412.13663, following transformers' `modeling_modernbert.py`:
 *
 *     X_0 = LN(words)
 *     Y_l = X_{l-1} + attention(LN(X_{l-1}))      (without LN in block 1)
 *     X_l = Y_l     + W_o (gelu(first half of W_i LN(Y_l)) * its second half)
 *
 * Queries and keys are turned by their positions. Every third block attends to all tokens, the others to the nearest ones. The
 * query vector e(t) is the first row of X_l, [CLS].
 */
import type { tf } from '../../tensor';
import type { Architecture, TextConfig } from './architecture';
import { preNorm } from './block';
import { slidingBlocks } from './llama';
import { activationNamed, feedForward, gated, layerNorm, linear, type Activation } from './operations';
import { rotaryOf, rotate, type Rotary } from './rotary';

export interface ModernBertConfig extends TextConfig {
  readonly activation: Activation;
  readonly layerNormEps: number;
  readonly biases: { readonly norm: boolean; readonly attention: boolean; readonly mlp: boolean };
  /** Of each block. */
  readonly blocks: readonly { readonly rotary: Rotary; readonly reach: number | null }[];
}

export const modernBert: Architecture<ModernBertConfig> = {
  input: 'tokens',
  query: 'first',
  prefix: 'model',

  configuration(file) {
    const sizes = file.heads('hidden_size', 'num_attention_heads', 768, 12);
    const positions = file.count('max_position_embeddings', 8192);
    const depth = file.count('num_hidden_layers', 22);
    const parameters = file.section('rope_parameters');
    const rotary = (key: string, theta: number) =>
      rotaryOf(parameters.section(key), sizes.hiddenSize / sizes.heads, theta, positions);
    const all = { rotary: rotary('full_attention', file.number('global_rope_theta', 160000)), reach: null };
    const near = {
      rotary: rotary('sliding_attention', file.number('local_rope_theta', 10000)),
      reach: Math.floor(file.count('local_attention', 128) / 2),
    };
    const every = file.count('global_attn_every_n_layers', 3);
    return {
      vocabularySize: file.count('vocab_size', 50368),
      positions,
      ...sizes,
      depth,
      intermediateSize: file.count('intermediate_size', 1152),
      activation: activationNamed(file.get('hidden_activation', 'gelu'), file.origin),
      layerNormEps: file.number('norm_eps', 1e-5),
      biases: {
        norm: file.boolean('norm_bias', false),
        attention: file.boolean('attention_bias', false),
        mlp: file.boolean('mlp_bias', false),
      },
      blocks: slidingBlocks(file, depth, (block) => block % every !== 0).map((slides) => (slides ? near : all)),
    };
  },

  embed({ vocabularySize, hiddenSize: d, layerNormEps, biases }, tensors) {
    const words = tensors.table('embeddings.tok_embeddings.weight', vocabularySize, d);
    const norm = tensors.affine('embeddings.norm', d, biases.norm);
    return (ids) => layerNorm(words(ids), layerNormEps, norm) as tf.Tensor3D;
  },

  block({ hiddenSize: d, heads, intermediateSize, activation, layerNormEps, biases, blocks }, tensors, block) {
    const { rotary, reach } = blocks[block - 1];
    const inside = tensors.inside(`layers.${block - 1}`);
    const norm1 = block === 1 ? null : inside.affine('attn_norm', d, biases.norm);
    const [query, key, value] = inside.linears('attn.Wqkv', 3, d, d, { bias: biases.attention });
    const joining = inside.linear('attn.Wo', d, d, biases.attention);
    const norm2 = inside.affine('mlp_norm', d, biases.norm);
    const mlpIn = inside.linear('mlp.Wi', d, 2 * intermediateSize, biases.mlp);
    const mlpOut = inside.linear('mlp.Wo', intermediateSize, d, biases.mlp);
    return preNorm({
      attention: {
        maps: { query, key, value },
        heads,
        scale: 1 / Math.sqrt(d / heads),
        place: (x, _, positions) => rotate(x, rotary, positions),
        reach,
      },
      norm1: (x) => (norm1 ? layerNorm(x, layerNormEps, norm1) : x),
      join: (x) => linear(x, joining),
      norm2: (x) => layerNorm(x, layerNormEps, norm2),
      mlp: (x) => feedForward(x, (y) => gated(linear(y, mlpIn), activation), mlpOut),
    });
  },
};
