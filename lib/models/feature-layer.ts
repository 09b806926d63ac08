import type { Preprocessing } from '../data';
import type { Precision, tf } from '../tensor';

/**
 * What a block makes on its way, under names that a layer's output can have. In a ViT, where LayerNorm comes first:
 *
 *     norm-1      LN(X_{l-1})
 *     heads       softmax(Q K^T / sqrt(d_h)) V, the heads side by side: head h is columns h d_h to (h + 1) d_h - 1
 *     attention   what attention adds: lambda_1 * (heads W_O + b)
 *     residual    Y_l = X_{l-1} + attention
 *     norm-2      LN(Y_l)
 *     mlp         what the MLP adds; X_l = Y_l + mlp
 *
 * Where it comes after each sum (BERT), norm-1 = LN(residual), mlp = MLP(norm-1) and norm-2 is the block's output.
 */
export const blockParts = ['norm-1', 'heads', 'attention', 'residual', 'norm-2', 'mlp'] as const;

export type BlockPart = (typeof blockParts)[number];

/**
 * Which hidden states of a network: 0 = the embeddings, L = the output of block L (Hugging Face's `hidden_states[L]`;
 * for the last block its own output, before any final norm), `L.mlp` = that part of block L.
 */
export type LayerOutput = number | `${number}.${BlockPart}`;

/** Which block computes an output (0: the embeddings do), and which part of it. */
export function placeOf(output: LayerOutput): { block: number; part: BlockPart | 'output' } {
  const [block, part = 'output'] = String(output).split('.');
  return typeof output === 'number'
    ? { block: output, part: 'output' }
    : { block: Number(block), part: part as BlockPart };
}

/** Whether something is computed too, of all outputs or of each. */
export type Wish = boolean | readonly boolean[];

export function isWished(wish: Wish, index: number): boolean {
  return typeof wish === 'boolean' ? wish : wish[index];
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
  /** What is put on top of that output, as random attention is; absent where the layer is the output itself. */
  readonly top?: Top;
  /** Reads the weights that this layer needs, and no others. */
  load(precision: Precision): Promise<LoadedLayer>;
}

/** A layer over the context matrices of a network's output. */
export interface Top {
  readonly heads: number;
  /** Joins the provenance of the output. */
  readonly provenance: Record<string, unknown>;
  load(precision: Precision): LoadedLayer;
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
  /** Whether each pass reads the weights again, so that it pays to pass many examples together. */
  readonly streamed?: boolean;
  /** One pass over a batch: for each output that was loaded, in that order, its queries and what else is wished. */
  run(batch: tf.Tensor, contexts: Wish, attention?: Wish): LayerBatch[];
  dispose(): void;
}

/** What one layer makes of one batch. */
export interface LayerBatch {
  /** `[B, d]`. */
  readonly queries: tf.Tensor2D;
  /** `[B, n, d]`, or null where only queries were asked for. */
  readonly contexts: tf.Tensor3D | null;
  /**
   * How concentrated the query's attention is in the block of the output, `[B, 2 H]`: the largest weight of each head, then
   * the entropy of each head's weights in nats. Null where it was not asked for, and for embeddings.
   */
  readonly attention: tf.Tensor2D | null;
}
