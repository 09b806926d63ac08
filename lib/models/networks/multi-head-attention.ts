/**
 * The attention layer of Mahdavi, Liao and Thrampoulidis (ICLR 2024, arXiv 2306.02010), as their Section 2 defines it and
 * their public code draws it: for a query e in R^d and a context E in R^{n x d}
 *
 *     head_h = softmax(e^T W_Q^h (W_K^h)^T E^T / sqrt(d)) E W_V^h,   output = [head_1 ... head_H] W_O,
 *
 * with W_Q^h and W_K^h of `[d, d_h]`, W_V^h of `[d, d_v]` and W_O of `[H d_v, d_o]`, xavier-uniform each, without bias.
 * Scores are divided by sqrt(d), not by sqrt(d_h).
 *
 * "Random attention", a row of the paper's table, is X + attention(LN(X)) over a ViT's embeddings X: one head,
 * d_h = d_v = d_o = d, a LayerNorm without affine part (eps 1e-5, PyTorch's default), nothing masked.
 */
import { tf } from '../../tensor';
import { attention, attentionOfOne, layerNorm } from './operations';
import { randomWeights, xavierUniform } from '../weights/random';
import { loadWeights, type WeightSource } from '../weights/weight-source';
import type { Precision } from '../../tensor';

/** The weights of one head of size d, under the names of the formula, drawn from `seed`. */
export function randomAttentionWeights(seed: number, d: number): WeightSource {
  const shapes = new Map(['W_Q', 'W_K', 'W_V', 'W_O'].map((name) => [name, [d, d]]));
  return randomWeights(seed, 'multi-head-attention', shapes, () => xavierUniform(d, d));
}

/** Random attention in memory. */
export interface RandomAttention {
  /** X + attention(LN(X)): `[B, n, d]` -> `[B, n, d]`. */
  contexts(embeddings: tf.Tensor3D): tf.Tensor3D;
  /** The first token's row of it: `[B, n, d]` -> `[B, d]`. */
  queries(embeddings: tf.Tensor3D): tf.Tensor2D;
  dispose(): void;
}

export async function loadRandomAttention(source: WeightSource, precision: Precision): Promise<RandomAttention> {
  // The formula multiplies from the right, `[d, d_h]`; a Linear is its transpose.
  const weights = await loadWeights(source, source.shapes, precision, (tensor) => tf.transpose(tensor));
  const map = (name: string) => ({ weight: weights.get(name) as tf.Tensor2D, bias: null });
  const maps = { query: map('W_Q'), key: map('W_K'), value: map('W_V'), output: map('W_O') };
  const [d] = source.shapes.get('W_Q')!;
  const scale = 1 / Math.sqrt(d);
  const norm = (x: tf.Tensor3D) => layerNorm(x, 1e-5, null) as tf.Tensor3D;
  return {
    contexts: (x) => tf.tidy(() => tf.add(x, attention(norm(x), maps, 1, scale))),
    queries: (x) =>
      tf.tidy(() => {
        const normed = norm(x);
        return tf.add(firstToken(x), attentionOfOne(firstToken(normed), normed, maps, 1, scale));
      }),
    dispose: () => weights.dispose(),
  };
}

/** `[B, n, d]` -> `[B, d]`. */
export function firstToken(x: tf.Tensor3D): tf.Tensor2D {
  const [batch, , d] = x.shape;
  return x.slice([0, 0, 0], [batch, 1, d]).reshape([batch, d]);
}
