import { scalar, tf } from '../../tensor';
import type { BlockPart } from '../feature-layer';
import type { Attention } from './operations';

/** One block of a Transformer with its weights. Its functions work on one token of each example as on all, `[..., d]`. */
export interface Block {
  readonly attention: Attention;
  /** What attention reads: LN(x), or x itself where the norm comes after. */
  before(x: tf.Tensor): tf.Tensor;
  /** From X_{l-1} and the heads side by side to X_l, with what comes between. */
  after(x: tf.Tensor, heads: tf.Tensor): Omit<Parts, 'heads'>;
}

/** The parts of a block, and its output. */
export type Parts = Partial<Record<BlockPart | 'output', tf.Tensor>>;

/** What the kinds of block are made of; each function works on the last axis. */
interface Steps {
  readonly attention: Attention;
  readonly norm1: (x: tf.Tensor) => tf.Tensor;
  /** From the heads to what attention adds. */
  readonly join: (heads: tf.Tensor) => tf.Tensor;
  readonly norm2: (x: tf.Tensor) => tf.Tensor;
  readonly mlp: (x: tf.Tensor) => tf.Tensor;
}

/** Norms first: Y = X + attention(N_1(X)), the output is Y + MLP(N_2(Y)). */
export function preNorm({ attention, norm1, join, norm2, mlp }: Steps): Block {
  return {
    attention,
    before: norm1,
    after(x, heads) {
      const added = join(heads);
      const residual = tf.add(x, added);
      const normed = norm2(residual);
      const more = mlp(normed);
      return { attention: added, residual, 'norm-2': normed, mlp: more, output: tf.add(residual, more) };
    },
  };
}

/** Norms after the sums: Y = N_1(X + attention(X)), the output is N_2(Y + MLP(Y)). */
export function postNorm({ attention, norm1, join, norm2, mlp }: Steps): Block {
  return {
    attention,
    before: (x) => x,
    after(x, heads) {
      const added = join(heads);
      const residual = tf.add(x, added);
      const normed = norm1(residual);
      const more = mlp(normed);
      const output = norm2(tf.add(normed, more));
      return { attention: added, residual, 'norm-1': normed, mlp: more, 'norm-2': output, output };
    },
  };
}

/** Attention and MLP side by side, each with its norm: the output is X + attention(N_1(X)) + MLP(N_2(X)). */
export function parallel({ attention, norm1, join, norm2, mlp }: Steps): Block {
  return {
    attention,
    before: norm1,
    after(x, heads) {
      const added = join(heads);
      const residual = tf.add(x, added);
      const normed = norm2(x);
      const more = mlp(normed);
      return { attention: added, residual, 'norm-2': normed, mlp: more, output: tf.add(residual, more) };
    },
  };
}

/** The largest weight and the entropy of each head: `[B, H, n]` -> `[B, 2 H]`. */
export function concentration(weights: tf.Tensor3D): tf.Tensor2D {
  return tf.tidy(() => {
    // A weight that has become 0 adds nothing; its logarithm must not be taken.
    const logarithms = tf.log(tf.maximum(weights, scalar(1e-37)));
    const entropies = tf.neg(tf.sum(tf.mul(weights, logarithms), 2));
    return tf.concat([tf.max(weights, 2), entropies], 1) as tf.Tensor2D;
  });
}
