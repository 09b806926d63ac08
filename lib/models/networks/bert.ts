/**
 * BERT's encoder, whole. Devlin et al., "BERT" (arXiv 1810.04805), following transformers' `modeling_bert.py`:
 *
 *     X_0 = LN(words + positions + token type 0)
 *     Y_l = LN(X_{l-1} + attention(X_{l-1}))
 *     X_l = LN(Y_l + MLP(Y_l))
 *
 * Every token attends to every token of its example, and to no padding. The context matrix E(t) of layer l is X_l
 * (`[n, d]`), the query vector e(t) its first row: [CLS], where the tokenizer has put it.
 */
import { InputError } from '../../input-error';
import { tf } from '../../tensor';
import type { Architecture, TextConfig } from './architecture';
import { postNorm } from './block';
import { activate, activationNamed, feedForward, layerNorm, linear, type Activation } from './operations';

export interface BertConfig extends TextConfig {
  readonly tokenTypes: number;
  readonly activation: Activation;
  readonly layerNormEps: number;
}

export const bert: Architecture<BertConfig> = {
  input: 'tokens',
  query: 'first',
  prefix: 'bert',

  configuration(file) {
    const positions = file.string('position_embedding_type', 'absolute');
    if (positions !== 'absolute') {
      throw new InputError(`${file.origin}: expected position_embedding_type absolute, got ${positions}`);
    }
    if (file.boolean('is_decoder', false)) {
      throw new InputError(`${file.origin}: expected an encoder, got is_decoder true`);
    }
    return {
      vocabularySize: file.count('vocab_size', 30522),
      positions: file.count('max_position_embeddings', 512),
      tokenTypes: file.count('type_vocab_size', 2),
      ...file.heads('hidden_size', 'num_attention_heads', 768, 12),
      depth: file.count('num_hidden_layers', 12),
      intermediateSize: file.count('intermediate_size', 3072),
      activation: activationNamed(file.get('hidden_act', 'gelu'), file.origin),
      layerNormEps: file.number('layer_norm_eps', 1e-12),
    };
  },

  embed({ vocabularySize, positions, tokenTypes, hiddenSize: d, layerNormEps }, tensors) {
    const words = tensors.table('embeddings.word_embeddings.weight', vocabularySize, d);
    const places = tensors.get('embeddings.position_embeddings.weight', [positions, d]);
    const types = tensors.get('embeddings.token_type_embeddings.weight', [tokenTypes, d]);
    const norm = tensors.affine('embeddings.LayerNorm', d);
    return (ids) => {
      const sum = tf.add(words(ids), types.slice([0, 0], [1, d])); // [B, n, d]
      return layerNorm(tf.add(sum, places.slice([0, 0], [ids.shape[1]!, d])), layerNormEps, norm) as tf.Tensor3D;
    };
  },

  block({ hiddenSize: d, heads, intermediateSize, activation, layerNormEps }, tensors, block) {
    const inside = tensors.inside(`encoder.layer.${block - 1}`);
    const map = (name: string) => inside.linear(`attention.self.${name}`, d, d);
    const maps = { query: map('query'), key: map('key'), value: map('value') };
    const joining = inside.linear('attention.output.dense', d, d);
    const norm1 = inside.affine('attention.output.LayerNorm', d);
    const mlpIn = inside.linear('intermediate.dense', d, intermediateSize);
    const mlpOut = inside.linear('output.dense', intermediateSize, d);
    const norm2 = inside.affine('output.LayerNorm', d);
    return postNorm({
      attention: { maps, heads, scale: 1 / Math.sqrt(d / heads) },
      join: (x) => linear(x, joining),
      norm1: (x) => layerNorm(x, layerNormEps, norm1),
      mlp: (x) => feedForward(x, (y) => activate(linear(y, mlpIn), activation), mlpOut),
      norm2: (x) => layerNorm(x, layerNormEps, norm2),
    });
  },
};
