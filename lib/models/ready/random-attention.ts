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
import { tf, type Precision } from '../../tensor';
import type { FeatureLayer, LoadedLayer } from '../feature-layer';
import { layerOf, type ImageModel } from '../model';
import {
  attentionHeads,
  firstToken,
  headsOfOne,
  layerNorm,
  linear,
  type Attention,
  type Linear,
} from '../networks/operations';
import { Tensors } from '../networks/tensors';
import { randomWeights, xavierUniform } from '../weights/random';
import type { WeightSource } from '../weights/weight-source';

/** Random attention over the embeddings of `model`; `as` gives it a name of its own, `n` another number of tokens. */
export function randomAttention(
  model: ImageModel,
  seed: number,
  as = { name: `${model.name}-attention`, title: `random attention over the embeddings of ${model.title}` },
  n?: number,
): FeatureLayer {
  const { hiddenSize: d } = model.config;
  return layerOf(model, 0, {
    ...as,
    n,
    top: {
      heads: 1,
      provenance: { layer: 'attention', attentionSeed: seed },
      load: (precision) => loadRandomAttention(randomAttentionWeights(seed, d), d, precision),
    },
  });
}

/** The weights of one head of size d, under the names of the formula, drawn from `seed`. */
export function randomAttentionWeights(seed: number, d: number): WeightSource {
  const shapes = new Map(['W_Q', 'W_K', 'W_V', 'W_O'].map((name) => [name, [d, d]]));
  return randomWeights(seed, 'multi-head-attention', shapes, () => xavierUniform(d, d));
}

/** X + attention(LN(X)) of embeddings `[B, n, d]`; the query is the first token's row. */
export function loadRandomAttention(source: WeightSource, d: number, precision: Precision): LoadedLayer {
  const tensors = Tensors.reading(source, precision);
  // The formula multiplies from the right, `[d, d_h]`; a Linear is its transpose.
  const map = (name: string): Linear => {
    const [weight] = tensors.pieces(name, [d, d], (tensor) => [tf.transpose(tensor)]);
    return { weight: weight as tf.Tensor2D, bias: null };
  };
  const maps = { query: map('W_Q'), key: map('W_K'), value: map('W_V') };
  const output = map('W_O');
  const attention: Attention = { maps, heads: 1, scale: 1 / Math.sqrt(d) };
  const norm = (x: tf.Tensor) => layerNorm(x, 1e-5, null) as tf.Tensor3D;
  return {
    contexts: (x) => tf.tidy(() => tf.add(x, linear(attentionHeads(norm(x), attention), output)) as tf.Tensor3D),
    queries: (x) =>
      tf.tidy(() => {
        const normed = norm(x);
        const { joined } = headsOfOne(firstToken(normed), normed, attention);
        return tf.add(firstToken(x as tf.Tensor3D), linear(joined, output)) as tf.Tensor2D;
      }),
    dispose: () => tensors.dispose(),
  };
}
