import type { tf } from '../../tensor';
import { isWished, type ContextWish, type LayerBatch, type LayerOutput } from '../feature-layer';

/** A network as one batch goes through it, layer by layer. Layers count from 1. */
export interface Passage {
  /** X_0: `[B, n, d]`. */
  embeddings(): tf.Tensor3D;
  /** The query's row of X_0, `[B, d]`, and no other. */
  queriesOfEmbeddings(): tf.Tensor2D;
  /** X_{l-1} -> X_l: `[B, n, d]` each. */
  block(layer: number, below: tf.Tensor3D): tf.Tensor3D;
  /** The query's row of X_l, `[B, d]`, from X_{l-1}, `[B, n, d]`. */
  queriesOfBlock(layer: number, below: tf.Tensor3D): tf.Tensor2D;
}

/**
 * Takes what `outputs` ask for out of one pass. A query vector is always computed from the layer below by its own row
 * alone, so that it is the same to the last bit whether the contexts, or other layers, are asked for or not; a block is
 * computed whole only where its contexts, or a later layer, need it. To be called inside of tf.tidy.
 */
export function onePass(passage: Passage, outputs: readonly LayerOutput[], contexts: ContextWish): LayerBatch[] {
  const last = Math.max(...outputs.map(Number));
  const wished = outputs.filter((_, index) => isWished(contexts, index));
  const found = new Map<LayerOutput, LayerBatch>();
  let below: tf.Tensor3D | null = null;
  for (let layer = 0; layer <= last; layer++) {
    let queries: tf.Tensor2D | null = null;
    if (outputs.includes(layer)) {
      queries = below === null ? passage.queriesOfEmbeddings() : passage.queriesOfBlock(layer, below);
    }
    let above: tf.Tensor3D | null = null;
    const whole = wished.includes(layer);
    if (layer < last || whole) above = below === null ? passage.embeddings() : passage.block(layer, below);
    if (queries) found.set(layer, { queries, contexts: whole ? above : null });
    // Where nobody asks for its contexts, a layer is needed by the next one alone.
    if (!wished.includes(layer - 1)) below?.dispose();
    below = above;
  }
  return outputs.map((output) => found.get(output)!);
}
