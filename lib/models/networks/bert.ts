/**
 * BERT's encoder, whole. Devlin et al., "BERT" (arXiv 1810.04805), following transformers' `modeling_bert.py`:
 *
 *     X_0 = LN(words + positions + token type 0)
 *     Y_l = LN(X_{l-1} + attention(X_{l-1}))
 *     X_l = LN(Y_l + MLP(Y_l))
 *
 * Every token attends to every token of its example, and to no padding. The context matrix E(t) of layer l is X_l
 * (`[n, d]`), the query vector e(t) its first row: [CLS], where the tokenizer has put it.
 *
 * RoBERTa (arXiv 1907.11692; XLM-R and CamemBERT too), ELECTRA (arXiv 2003.10555) and ERNIE (arXiv 2107.02137) differ in their
 * embeddings only.
 */
import { InputError } from '../../input-error';
import { tf } from '../../tensor';
import type { Architecture, TextConfig } from './architecture';
import { postNorm } from './block';
import { activate, activationNamed, feedForward, layerNorm, linear, type Activation } from './operations';

export interface BertConfig extends TextConfig {
  readonly tokenTypes: number;
  /** Width of the embeddings, which a map brings to d where it is another. */
  readonly embeddingSize: number;
  /** ERNIE's task types, of which all tokens have type 0; 0 where there are none. */
  readonly taskTypes: number;
  /** Of RoBERTa: the token whose number stands for padding. Positions count from the next number, past other tokens only. */
  readonly paddingToken: number | null;
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
    const sizes = file.heads('hidden_size', 'num_attention_heads', 768, 12);
    return {
      vocabularySize: file.count('vocab_size', 30522),
      positions: file.count('max_position_embeddings', 512),
      tokenTypes: file.count('type_vocab_size', 2),
      ...sizes,
      depth: file.count('num_hidden_layers', 12),
      intermediateSize: file.count('intermediate_size', 3072),
      activation: activationNamed(file.get('hidden_act', 'gelu'), file.origin),
      layerNormEps: file.number('layer_norm_eps', 1e-12),
      embeddingSize: sizes.hiddenSize,
      taskTypes: 0,
      paddingToken: null,
    };
  },

  embed({ vocabularySize, positions, tokenTypes, hiddenSize: d, embeddingSize: e, layerNormEps, ...config }, tensors) {
    const { taskTypes, paddingToken } = config;
    const inside = tensors.inside('embeddings');
    const words = inside.table('word_embeddings.weight', vocabularySize, e);
    const rows = positions + (paddingToken === null ? 0 : paddingToken + 1);
    const places = inside.get('position_embeddings.weight', [rows, e]);
    const types = inside.get('token_type_embeddings.weight', [tokenTypes, e]);
    const tasks = taskTypes > 0 ? inside.get('task_type_embeddings.weight', [taskTypes, e]) : null;
    const norm = inside.affine('LayerNorm', e);
    const widened = e === d ? null : tensors.linear('embeddings_project', e, d);
    return (ids) => {
      const ofTokens = tf.add(words(ids), types.slice([0, 0], [1, e])); // [B, n, e]
      const ofPositions =
        paddingToken === null
          ? places.slice([0, 0], [ids.shape[1]!, e])
          : tf.gather(places, positionsPast(ids, paddingToken) as tf.Tensor1D);
      const sum = tf.add(ofTokens, ofPositions);
      const normed = layerNorm(tasks ? tf.add(sum, tasks.slice([0, 0], [1, e])) : sum, layerNormEps, norm);
      return (widened ? linear(normed, widened) : normed) as tf.Tensor3D;
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

/** Positions of tokens, `[B, n]`, int32: `padding` for that token, and one more than the position before for every other. */
function positionsPast(ids: tf.Tensor, padding: number): tf.Tensor {
  const [, n] = ids.shape as [number, number];
  let next = 0;
  const positions = Int32Array.from(ids.dataSync(), (id, i) => {
    if (i % n === 0) next = padding;
    return id === padding ? padding : ++next;
  });
  return tf.tensor(positions, ids.shape, 'int32');
}

export const roberta: Architecture<BertConfig> = {
  ...bert,
  prefix: 'roberta',
  configuration(file) {
    const paddingToken = file.index('pad_token_id', 1);
    const read = bert.configuration(file);
    return {
      ...read,
      vocabularySize: file.count('vocab_size', 50265),
      positions: read.positions - paddingToken - 1,
      paddingToken,
    };
  },
};

/** XLM-R and CamemBERT; they differ from RoBERTa in the default of their vocabulary's size. */
export const xlmRoberta: Architecture<BertConfig> = {
  ...roberta,
  configuration: (file) => ({ ...roberta.configuration(file), vocabularySize: file.count('vocab_size', 30522) }),
};

export const electra: Architecture<BertConfig> = {
  ...bert,
  prefix: 'electra',
  configuration(file) {
    return {
      ...bert.configuration(file),
      ...file.heads('hidden_size', 'num_attention_heads', 256, 4),
      intermediateSize: file.count('intermediate_size', 1024),
      embeddingSize: file.count('embedding_size', 128),
    };
  },
};

export const ernie: Architecture<BertConfig> = {
  ...bert,
  prefix: 'ernie',
  configuration(file) {
    const taskTypes = file.boolean('use_task_id', false) ? file.count('task_type_vocab_size', 3) : 0;
    return { ...bert.configuration(file), taskTypes };
  },
};
