/**
 * What a block makes on its way, under names that a layer's output can have. In the letters of {@link loadViT}'s formulas:
 *
 *     norm-1      LN(X_{l-1})
 *     heads       softmax(Q K^T / sqrt(d_h)) V, the heads side by side: head h is columns h d_h to (h + 1) d_h - 1
 *     attention   what attention adds: lambda_1 * (heads W_O + b)
 *     residual    Y_l = X_{l-1} + attention
 *     norm-2      LN(Y_l)
 *     mlp         what the MLP adds; X_l = Y_l + mlp
 */
import { scalar, tf } from '../../tensor';
import type { LayerOutput } from '../feature-layer';

export const blockParts = ['norm-1', 'heads', 'attention', 'residual', 'norm-2', 'mlp'] as const;

export type BlockPart = (typeof blockParts)[number];

/**
 * A place inside of a block, blocks counted from 1: `3.mlp`. `3.saturation` says how concentrated the attention of the query
 * is: `[T, 2 H]`, the largest weight of each head, then the entropy of each head's weights in nats.
 */
export type InsideBlock = `${number}.${BlockPart | 'saturation'}`;

/** Which block computes an output (0: the embeddings do), and which part of it; null for the block's own output. */
export function placeOf(output: LayerOutput): { block: number; part: BlockPart | 'saturation' | null } {
  if (output === 'attention') return { block: 0, part: null };
  if (typeof output === 'number') return { block: output, part: null };
  const [block, part] = output.split('.');
  return { block: Number(block), part: part as BlockPart | 'saturation' };
}

/** Parts by name, with the block's output; those that were asked for. */
export type PartTensors = Partial<Record<BlockPart | 'saturation' | 'output', tf.Tensor>>;

/** The largest weight and the entropy of each head: `[B, H, n]` -> `[B, 2 H]`. */
export function saturation(weights: tf.Tensor3D): tf.Tensor2D {
  return tf.tidy(() => {
    // A weight that has become 0 adds nothing; its logarithm must not be taken.
    const logarithms = tf.log(tf.maximum(weights, scalar(1e-37)));
    const entropies = tf.neg(tf.sum(tf.mul(weights, logarithms), 2));
    return tf.concat([tf.max(weights, 2), entropies], 1) as tf.Tensor2D;
  });
}
