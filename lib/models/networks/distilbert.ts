/**
 * DistilBERT. Sanh et al., arXiv 1910.01108, following transformers' `modeling_distilbert.py`: BERT's blocks under other names,
 * without token types.
 */
import { tf } from '../../tensor';
import type { Architecture, TextConfig } from './architecture';
import { postNorm } from './block';
import { activate, activationNamed, feedForward, layerNorm, linear, type Activation } from './operations';

export interface DistilBertConfig extends TextConfig {
  readonly activation: Activation;
}

const LAYER_NORM_EPS = 1e-12;

export const distilBert: Architecture<DistilBertConfig> = {
  input: 'tokens',
  query: 'first',
  prefix: 'distilbert',

  configuration(file) {
    return {
      vocabularySize: file.count('vocab_size', 30522),
      positions: file.count('max_position_embeddings', 512),
      ...file.heads('dim', 'n_heads', 768, 12),
      depth: file.count('n_layers', 6),
      intermediateSize: file.count('hidden_dim', 3072),
      activation: activationNamed(file.get('activation', 'gelu'), file.origin),
    };
  },

  embed({ vocabularySize, positions, hiddenSize: d }, tensors) {
    const inside = tensors.inside('embeddings');
    const words = inside.table('word_embeddings.weight', vocabularySize, d);
    const places = inside.get('position_embeddings.weight', [positions, d]);
    const norm = inside.affine('LayerNorm', d);
    return (ids) =>
      layerNorm(tf.add(words(ids), places.slice([0, 0], [ids.shape[1]!, d])), LAYER_NORM_EPS, norm) as tf.Tensor3D;
  },

  block({ hiddenSize: d, heads, intermediateSize, activation }, tensors, block) {
    const inside = tensors.inside(`transformer.layer.${block - 1}`);
    const map = (name: string) => inside.linear(`attention.${name}_lin`, d, d);
    const maps = { query: map('q'), key: map('k'), value: map('v') };
    const joining = map('out');
    const norm1 = inside.affine('sa_layer_norm', d);
    const mlpIn = inside.linear('ffn.lin1', d, intermediateSize);
    const mlpOut = inside.linear('ffn.lin2', intermediateSize, d);
    const norm2 = inside.affine('output_layer_norm', d);
    return postNorm({
      attention: { maps, heads, scale: 1 / Math.sqrt(d / heads) },
      join: (x) => linear(x, joining),
      norm1: (x) => layerNorm(x, LAYER_NORM_EPS, norm1),
      mlp: (x) => feedForward(x, (y) => activate(linear(y, mlpIn), activation), mlpOut),
      norm2: (x) => layerNorm(x, LAYER_NORM_EPS, norm2),
    });
  },
};
