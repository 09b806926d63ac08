/**
 * GPT-2, whole. Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), following transformers'
 * `modeling_gpt2.py`:
 *
 *     X_0 = words + positions
 *     Y_l = X_{l-1} + attention(LN(X_{l-1}))
 *     X_l = Y_l     + MLP(LN(Y_l))
 *
 * A token attends to itself and to those before it. The context matrix E(t) of layer l is X_l (`[n, d]`), before the
 * final LayerNorm; the query vector e(t) is its last row, the only token that sees all the others.
 */
import { tf } from '../../tensor';
import type { Architecture, TextConfig } from './architecture';
import { preNorm } from './block';
import { activate, activationNamed, feedForward, layerNorm, linear, type Activation } from './operations';
import type { Initialisation } from '../weights/random';

export interface GPT2Config extends TextConfig {
  readonly activation: Activation;
  readonly layerNormEps: number;
  /** Whether scores are divided by sqrt(d_h). */
  readonly scaleScores: boolean;
  /** Whether the scores of block l are divided by l as well. */
  readonly scaleScoresByLayer: boolean;
}

/** The configuration of gpt2, the smallest of the four sizes. */
export const GPT2: GPT2Config = {
  vocabularySize: 50257,
  positions: 1024,
  hiddenSize: 768,
  depth: 12,
  heads: 12,
  intermediateSize: 3072,
  activation: 'gelu_new',
  layerNormEps: 1e-5,
  scaleScores: true,
  scaleScoresByLayer: false,
};

export const gpt2: Architecture<GPT2Config> = {
  input: 'tokens',
  query: 'last',
  prefix: 'transformer',

  configuration(file) {
    const sizes = file.heads('n_embd', 'n_head', GPT2.hiddenSize, GPT2.heads);
    return {
      vocabularySize: file.count('vocab_size', GPT2.vocabularySize),
      positions: file.count('n_positions', GPT2.positions),
      ...sizes,
      depth: file.count('n_layer', GPT2.depth),
      intermediateSize: file.count('n_inner', 4 * sizes.hiddenSize),
      activation: activationNamed(file.get('activation_function', GPT2.activation), file.origin),
      layerNormEps: file.number('layer_norm_epsilon', GPT2.layerNormEps),
      scaleScores: file.boolean('scale_attn_weights', true),
      scaleScoresByLayer: file.boolean('scale_attn_by_inverse_layer_idx', false),
    };
  },

  embed({ vocabularySize, positions, hiddenSize: d }, tensors) {
    const words = tensors.table('wte.weight', vocabularySize, d);
    const places = tensors.get('wpe.weight', [positions, d]);
    return (ids) => tf.add(words(ids), places.slice([0, 0], [ids.shape[1]!, d])) as tf.Tensor3D;
  },

  block({ hiddenSize: d, heads, intermediateSize, activation, layerNormEps, ...scores }, tensors, block) {
    const inside = tensors.inside(`h.${block - 1}`);
    const maps = (name: string, from: number, to: number, count = 1) =>
      inside.linears(name, count, from, to, { transposed: true });
    const norm1 = inside.affine('ln_1', d);
    const [query, key, value] = maps('attn.c_attn', d, d, 3);
    const [joining] = maps('attn.c_proj', d, d);
    const norm2 = inside.affine('ln_2', d);
    const [mlpIn] = maps('mlp.c_fc', d, intermediateSize);
    const [mlpOut] = maps('mlp.c_proj', intermediateSize, d);
    const scale = (scores.scaleScores ? 1 / Math.sqrt(d / heads) : 1) / (scores.scaleScoresByLayer ? block : 1);
    return preNorm({
      attention: { maps: { query, key, value }, heads, scale },
      norm1: (x) => layerNorm(x, layerNormEps, norm1),
      join: (x) => linear(x, joining),
      norm2: (x) => layerNorm(x, layerNormEps, norm2),
      mlp: (x) => feedForward(x, (y) => activate(linear(y, mlpIn), activation), mlpOut),
    });
  },
};

/**
 * Hugging Face's initialisation: weights and embeddings normal with standard deviation 0.02, divided by sqrt(2 depth) in
 * the maps that add to the residual stream; biases 0, LayerNorm 1 and 0.
 */
export function gpt2Initialisation({ depth }: GPT2Config): (name: string) => Initialisation {
  return (name) => {
    if (name.endsWith('.bias')) return { kind: 'constant', value: 0 };
    if (name.includes('.ln_')) return { kind: 'constant', value: 1 };
    return { kind: 'normal', std: name.includes('c_proj') ? 0.02 / Math.sqrt(2 * depth) : 0.02 };
  };
}
