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
import { tf, toTensor, type Precision } from '../../tensor';
import type { LayerOutput, LoadedNetwork } from '../feature-layer';
import { activate, attention, attentionOfOne, layerNorm, linear } from './operations';
import type { Activation, Affine, AttentionMaps, Linear } from './operations';
import { tokenNetwork } from './token-network';
import type { Initialisation } from '../weights/random';
import { loadWeights, type Weights, type WeightSource } from '../weights/weight-source';

export interface GPT2Config {
  readonly architecture: 'gpt2';
  readonly vocabularySize: number;
  /** The most tokens that an example may have. */
  readonly positions: number;
  /** d. */
  readonly hiddenSize: number;
  readonly depth: number;
  readonly heads: number;
  /** Width of the MLP's hidden layer. */
  readonly intermediateSize: number;
  readonly activation: Activation;
  readonly layerNormEps: number;
  /** Whether scores are divided by sqrt(d_h). */
  readonly scaleScores: boolean;
  /** Whether the scores of block l are divided by l as well. */
  readonly scaleScoresByLayer: boolean;
}

/** The configuration of gpt2, the smallest of the four sizes. */
export const GPT2: GPT2Config = {
  architecture: 'gpt2',
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

/**
 * Every tensor of the embeddings and of blocks 1 to `blocks`, under Hugging Face's names, with its shape. The linear maps
 * are transformers' `Conv1D`: from d to m features is `[d, m]`, and those of query, key and value lie side by side.
 */
export function gpt2Shapes(config: GPT2Config, blocks = config.depth): Map<string, readonly number[]> {
  const { hiddenSize: d, intermediateSize: width, vocabularySize, positions } = config;
  const shapes = new Map<string, readonly number[]>();
  const map = (name: string, from: number, to: number) =>
    shapes.set(`${name}.weight`, [from, to]).set(`${name}.bias`, [to]);
  const norm = (name: string) => shapes.set(`${name}.weight`, [d]).set(`${name}.bias`, [d]);
  shapes.set('wte.weight', [vocabularySize, d]);
  shapes.set('wpe.weight', [positions, d]);
  for (let block = 1; block <= blocks; block++) {
    const inside = blockName(block);
    norm(`${inside}.ln_1`);
    map(`${inside}.attn.c_attn`, d, 3 * d);
    map(`${inside}.attn.c_proj`, d, d);
    norm(`${inside}.ln_2`);
    map(`${inside}.mlp.c_fc`, d, width);
    map(`${inside}.mlp.c_proj`, width, d);
  }
  return shapes;
}

/** Blocks count from 1, as the layers do; the names of the tensors count from 0. */
const blockName = (block: number) => `h.${block - 1}`;

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

/** One block's weights, the maps as `[m, d]`. */
interface Block {
  readonly normBefore: Affine;
  /** Query, key and value, one after the other: `[3 d, d]`. */
  readonly queryKeyValue: Linear;
  readonly output: Linear;
  readonly normAfter: Affine;
  readonly mlpIn: Linear;
  readonly mlpOut: Linear;
  /** What scores are multiplied by. */
  readonly scale: number;
}

/** A GPT-2 with the weights that `outputs` need, in memory. It takes token numbers `[B, n]`, -1 for padding. */
export async function loadGPT2(
  config: GPT2Config,
  source: WeightSource,
  outputs: readonly LayerOutput[],
  precision: Precision,
): Promise<LoadedNetwork> {
  const last = Math.max(0, ...outputs.map(Number));
  const transposed = (tensor: tf.Tensor, name: string) =>
    /\.c_\w+\.weight$/.test(name) ? tf.transpose(tensor) : tensor;
  const weights = await loadWeights(source, gpt2Shapes(config, last), precision, transposed);
  const blocks = Array.from({ length: last }, (_, index) => blockOf(config, weights, index + 1));
  const { heads } = config;

  return tokenNetwork(config, weights, outputs, precision, ({ ids, lengths, mask }) => {
    const [batch, n] = ids.shape;
    // Padding lies behind all tokens: the causal mask hides it from them, and only the query's own row needs the other.
    const maskOfAll = causalMask(n);
    const maskOfOne = mask?.reshape([batch, 1, n]) ?? null;
    return {
      embeddings: () => embed(ids, weights),
      queriesOfEmbeddings: () => embedLast(ids, lengths, weights),
      block: (layer, x) =>
        tf.tidy(() => {
          const block = blocks[layer - 1];
          const normed = layerNorm(x, config.layerNormEps, block.normBefore) as tf.Tensor3D;
          const attended = attention(normed, mapsOf(block), heads, block.scale, maskOfAll);
          return addMlp(tf.add(x, attended), block, config) as tf.Tensor3D;
        }),
      queriesOfBlock: (layer, x) =>
        tf.tidy(() => {
          const block = blocks[layer - 1];
          const normed = layerNorm(x, config.layerNormEps, block.normBefore) as tf.Tensor3D;
          const query = lastToken(normed, lengths);
          const attended = attentionOfOne(query, normed, mapsOf(block), heads, block.scale, maskOfOne);
          return addMlp(tf.add(lastToken(x, lengths), attended), block, config) as tf.Tensor2D;
        }),
    };
  });
}

/** X_0: token numbers `[B, n]` -> `[B, n, d]`. */
function embed(ids: tf.Tensor2D, weights: Weights): tf.Tensor3D {
  return tf.tidy(() => {
    const positions = weights.get('wpe.weight').slice([0, 0], [ids.shape[1], -1]); // [n, d]
    return tf.add(tf.gather(weights.get('wte.weight'), ids), positions);
  });
}

/** The last token's row of X_0: token numbers `[B, n]` -> `[B, d]`. */
function embedLast(ids: tf.Tensor2D, lengths: readonly number[], weights: Weights): tf.Tensor2D {
  return tf.tidy(() => {
    const ends = lengths.map((length) => length - 1);
    const last = tf.gatherND(
      ids,
      tf.tensor2d(
        ends.map((end, b) => [b, end]),
        undefined,
        'int32',
      ),
    ); // [B]
    const positions = tf.gather(weights.get('wpe.weight'), tf.tensor1d(ends, 'int32')); // [B, d]
    return tf.add(tf.gather(weights.get('wte.weight'), last as tf.Tensor1D), positions);
  });
}

/** `[B, n, d]` -> `[B, d]`, the row of each example's last token. */
function lastToken(x: tf.Tensor3D, lengths: readonly number[]): tf.Tensor2D {
  return tf.gatherND(
    x,
    tf.tensor2d(
      lengths.map((length, b) => [b, length - 1]),
      undefined,
      'int32',
    ),
  ) as tf.Tensor2D;
}

/** `[n, n]`: 0 where row i may see column j, which is up to its own, and minus infinity beyond. */
function causalMask(n: number): tf.Tensor2D {
  const mask = new Float64Array(n * n);
  for (let i = 0; i < n; i++) mask.fill(-Infinity, i * n + i + 1, (i + 1) * n);
  return toTensor(mask, [n, n]) as tf.Tensor2D;
}

/** y + MLP(LN(y)) on `[..., d]`. */
function addMlp(y: tf.Tensor, { normAfter, mlpIn, mlpOut }: Block, config: GPT2Config): tf.Tensor {
  const hidden = tf.tidy(() =>
    activate(linear(layerNorm(y, config.layerNormEps, normAfter), mlpIn), config.activation),
  ); // [..., width]
  return tf.add(y, linear(hidden, mlpOut));
}

/** The maps of query, key and value apart. */
function mapsOf({ queryKeyValue: { weight, bias }, output }: Block): AttentionMaps {
  const d = weight.shape[1];
  const part = (index: number): Linear => ({
    weight: weight.slice([index * d, 0], [d, d]),
    bias: bias!.slice([index * d], [d]),
  });
  return { query: part(0), key: part(1), value: part(2), output };
}

function blockOf(config: GPT2Config, weights: Weights, block: number): Block {
  const inside = blockName(block);
  const affine = (name: string): Affine => ({
    weight: weights.get(`${inside}.${name}.weight`) as tf.Tensor1D,
    bias: weights.get(`${inside}.${name}.bias`) as tf.Tensor1D,
  });
  const map = (name: string): Linear => ({
    ...affine(name),
    weight: weights.get(`${inside}.${name}.weight`) as tf.Tensor2D,
  });
  const headSize = config.hiddenSize / config.heads;
  return {
    normBefore: affine('ln_1'),
    queryKeyValue: map('attn.c_attn'),
    output: map('attn.c_proj'),
    normAfter: affine('ln_2'),
    mlpIn: map('mlp.c_fc'),
    mlpOut: map('mlp.c_proj'),
    scale: (config.scaleScores ? 1 / Math.sqrt(headSize) : 1) / (config.scaleScoresByLayer ? block : 1),
  };
}
