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
import { tf, type Precision } from '../../tensor';
import type { LayerOutput, LoadedNetwork } from '../feature-layer';
import { firstToken } from './multi-head-attention';
import { activate, attention, attentionOfOne, layerNorm, linear } from './operations';
import type { Activation, Affine, AttentionMaps, Linear } from './operations';
import { tokenNetwork } from './token-network';
import { loadWeights, type Weights, type WeightSource } from '../weights/weight-source';

export interface BertConfig {
  readonly architecture: 'bert';
  readonly vocabularySize: number;
  /** The most tokens that an example may have. */
  readonly positions: number;
  readonly tokenTypes: number;
  /** d. */
  readonly hiddenSize: number;
  readonly depth: number;
  readonly heads: number;
  /** Width of the MLP's hidden layer. */
  readonly intermediateSize: number;
  readonly activation: Activation;
  readonly layerNormEps: number;
}

/** Every tensor of the embeddings and of blocks 1 to `blocks`, under Hugging Face's names, with its shape. */
export function bertShapes(config: BertConfig, blocks = config.depth): Map<string, readonly number[]> {
  const { hiddenSize: d, intermediateSize: width, vocabularySize, positions, tokenTypes } = config;
  const shapes = new Map<string, readonly number[]>();
  const map = (name: string, from: number, to: number) =>
    shapes.set(`${name}.weight`, [to, from]).set(`${name}.bias`, [to]);
  const norm = (name: string) => shapes.set(`${name}.weight`, [d]).set(`${name}.bias`, [d]);
  shapes.set('embeddings.word_embeddings.weight', [vocabularySize, d]);
  shapes.set('embeddings.position_embeddings.weight', [positions, d]);
  shapes.set('embeddings.token_type_embeddings.weight', [tokenTypes, d]);
  norm('embeddings.LayerNorm');
  for (let block = 1; block <= blocks; block++) {
    const inside = blockName(block);
    for (const name of ['query', 'key', 'value']) map(`${inside}.attention.self.${name}`, d, d);
    map(`${inside}.attention.output.dense`, d, d);
    norm(`${inside}.attention.output.LayerNorm`);
    map(`${inside}.intermediate.dense`, d, width);
    map(`${inside}.output.dense`, width, d);
    norm(`${inside}.output.LayerNorm`);
  }
  return shapes;
}

/** Blocks count from 1, as the layers do; the names of the tensors count from 0. */
const blockName = (block: number) => `encoder.layer.${block - 1}`;

/** One block's weights. */
interface Block {
  readonly attention: AttentionMaps;
  readonly normAttention: Affine;
  readonly mlpIn: Linear;
  readonly mlpOut: Linear;
  readonly normMlp: Affine;
}

/** A BERT with the weights that `outputs` need, in memory. It takes token numbers `[B, n]`, -1 for padding. */
export async function loadBert(
  config: BertConfig,
  source: WeightSource,
  outputs: readonly LayerOutput[],
  precision: Precision,
): Promise<LoadedNetwork> {
  const last = Math.max(0, ...outputs.map(Number));
  const weights = await loadWeights(source, bertShapes(config, last), precision);
  const blocks = Array.from({ length: last }, (_, index) => blockOf(weights, index + 1));
  const { heads, hiddenSize } = config;
  const scale = 1 / Math.sqrt(hiddenSize / heads);

  return tokenNetwork(config, weights, outputs, precision, ({ ids, mask }) => {
    const [batch, n] = ids.shape;
    const maskOfAll = mask?.reshape([batch, 1, 1, n]) ?? null;
    const maskOfOne = mask?.reshape([batch, 1, n]) ?? null;
    const above = (x: tf.Tensor, attended: tf.Tensor, block: Block) =>
      afterAttention(tf.add(x, attended), block, config);
    return {
      embeddings: () => embed(ids, config, weights),
      queriesOfEmbeddings: () => firstToken(embed(ids.slice([0, 0], [batch, 1]), config, weights)),
      block: (layer, x) =>
        tf.tidy(() => {
          const block = blocks[layer - 1];
          return above(x, attention(x, block.attention, heads, scale, maskOfAll), block) as tf.Tensor3D;
        }),
      queriesOfBlock: (layer, x) =>
        tf.tidy(() => {
          const block = blocks[layer - 1];
          const first = firstToken(x);
          const attended = attentionOfOne(first, x, block.attention, heads, scale, maskOfOne);
          return above(first, attended, block) as tf.Tensor2D;
        }),
    };
  });
}

/** X_0: token numbers `[B, n]` -> `[B, n, d]`; all of them are of token type 0. */
function embed(ids: tf.Tensor2D, { hiddenSize: d, layerNormEps }: BertConfig, weights: Weights): tf.Tensor3D {
  return tf.tidy(() => {
    const rows = (name: string) => weights.get(`embeddings.${name}_embeddings.weight`) as tf.Tensor2D;
    const words = tf.gather(rows('word'), ids); // [B, n, d]
    const positions = rows('position').slice([0, 0], [ids.shape[1], d]); // [n, d]
    const type = rows('token_type').slice([0, 0], [1, d]); // [1, d]
    const sum = tf.add(tf.add(words, type), positions);
    return layerNorm(sum, layerNormEps, affineOf(weights, 'embeddings.LayerNorm')) as tf.Tensor3D;
  });
}

/** x + attention(x) -> the block's output, on `[..., d]`. */
function afterAttention(sum: tf.Tensor, block: Block, { layerNormEps, activation }: BertConfig): tf.Tensor {
  const y = layerNorm(sum, layerNormEps, block.normAttention);
  const hidden = tf.tidy(() => activate(linear(y, block.mlpIn), activation)); // [..., width]
  return layerNorm(tf.add(y, linear(hidden, block.mlpOut)), layerNormEps, block.normMlp);
}

function blockOf(weights: Weights, block: number): Block {
  const inside = blockName(block);
  const map = (name: string): Linear => ({
    weight: weights.get(`${inside}.${name}.weight`) as tf.Tensor2D,
    bias: weights.get(`${inside}.${name}.bias`) as tf.Tensor1D,
  });
  return {
    attention: {
      query: map('attention.self.query'),
      key: map('attention.self.key'),
      value: map('attention.self.value'),
      output: map('attention.output.dense'),
    },
    normAttention: affineOf(weights, `${inside}.attention.output.LayerNorm`),
    mlpIn: map('intermediate.dense'),
    mlpOut: map('output.dense'),
    normMlp: affineOf(weights, `${inside}.output.LayerNorm`),
  };
}

function affineOf(weights: Weights, name: string): Affine {
  return {
    weight: weights.get(`${name}.weight`) as tf.Tensor1D,
    bias: weights.get(`${name}.bias`) as tf.Tensor1D,
  };
}
