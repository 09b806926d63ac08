import type { Preprocessing } from '../data';
import type { Precision, tf } from '../tensor';
import type { InsideBlock } from './networks/block-parts';

/**
 * Which hidden states of a network: 0 = the embeddings, L = the output of block L (Hugging Face's `hidden_states[L]`;
 * for the last block its own output, before any final LayerNorm), `L.mlp` = that part of block L, `attention` = the paper's
 * random attention over the embeddings.
 */
export type LayerOutput = number | 'attention' | InsideBlock;

/** Whether contexts are computed too, of all outputs or of each; the saturation of a query's attention has none. */
export type ContextWish = boolean | readonly boolean[];

export function isWished(contexts: ContextWish, index: number): boolean {
  return typeof contexts === 'boolean' ? contexts : contexts[index];
}

/** One layer whose query vectors and context matrices are looked at: a row of the paper's table. */
export interface FeatureLayer {
  /** Short and stable: `random-vit-b16`. */
  readonly name: string;
  /** For people: `random ViT-B/16, layer 1`. */
  readonly title: string;
  /** Tokens of a context matrix. */
  readonly n: number;
  /** Size of a token. */
  readonly d: number;
  /** Attention heads of the layer. */
  readonly heads: number;
  /** Where the numbers come from: model, weights (with their sha256), seed. Two layers with equal provenance are equal. */
  readonly provenance: Record<string, unknown>;
  /** What the network takes: pixels `[B, 3, H, W]` of images, or token numbers `[B, n]` (int32, -1 for padding) of text. */
  readonly input: 'images' | 'tokens';
  /** How an image becomes the pixels that the network was made for; throws where nothing says so, as for text. */
  readonly preprocessing: Preprocessing;
  /** The network that it is a layer of; layers of one network are computed in one pass. */
  readonly network: Network;
  readonly output: LayerOutput;
  /** Reads the weights that this layer needs, and no others. */
  load(precision: Precision): Promise<LoadedLayer>;
}

/** A layer in memory. All tensors, given and returned, belong to the backend of its precision; the caller disposes them. */
export interface LoadedLayer {
  /** E(t) of every example of a batch: `[B, n, d]`. */
  contexts(batch: tf.Tensor): tf.Tensor3D;
  /** e(t) of every example of a batch: `[B, d]`, without computing the contexts of the layer itself. */
  queries(batch: tf.Tensor): tf.Tensor2D;
  dispose(): void;
}

/** A network as its layers share it. */
export interface Network {
  /** Names the weights as well as the architecture: equal names, equal outputs. */
  readonly name: string;
  load(outputs: readonly LayerOutput[], precision: Precision): Promise<LoadedNetwork>;
}

export interface LoadedNetwork {
  /** One pass over a batch: for each output that was loaded, in that order, its queries and, if asked for, contexts. */
  run(batch: tf.Tensor, contexts: ContextWish): LayerBatch[];
  dispose(): void;
}

/** What one layer makes of one batch. */
export interface LayerBatch {
  /** `[B, d]`. */
  readonly queries: tf.Tensor2D;
  /** `[B, n, d]`, or null where only queries were asked for. */
  readonly contexts: tf.Tensor3D | null;
}
