/**
 * Theorem 1 of the paper as arithmetic: how many examples one attention layer can memorize.
 *
 * With its attention weights fixed, the layer's output for a scalar label is linear in the value and output weights:
 * output(t) = sum_h beta_h^T sum_i a_h,i(t) X_i(t), with beta_h = W_v^h W_o^h free in R^d. So what it can fit exactly,
 * whatever the labels, is the rank of the T x H d feature matrix Z whose rows are those sums; where all examples share a
 * context of n <= d independent tokens, the T x H n matrix of the weights a_h,i(t) themselves has the same rank.
 */
import type { Setting } from './config';

/** What of a setting the counting depends on. */
export type Shape = Pick<Setting, 'heads' | 'context' | 'headSize' | 'width' | 'contexts'>;

/**
 * H (min(n, d_h) - 1) + 1, what Theorem 1 promises under Assumptions 1 and 2; null where n > d, since Assumption 2
 * (rank of a context = n) cannot hold there.
 */
export function theoremLowerBound({ heads, context, headSize, width }: Shape): number | null {
  return context > width ? null : heads * (Math.min(context, headSize) - 1) + 1;
}

/** H (n - 1) + 1: with a shared context no attention weights reach a higher rank, since each head's sum to 1. */
export function sharedUpperBound({ heads, context, contexts }: Shape): number | null {
  return contexts === 'shared' ? heads * (context - 1) + 1 : null;
}

/**
 * The rank of Z that random weights have, T large enough: min(H (n - 1) + 1, H d) for a shared context; H d where each
 * example has its own, but d for n = 1, where all heads see the same token. Measured, not proved: measured ranks are
 * compared with it.
 */
export function expectedRank({ heads, context, width, contexts }: Shape): number {
  if (contexts === 'shared') return Math.min(heads * (context - 1) + 1, heads * width);
  return context === 1 ? width : heads * width;
}

/** Features per head: n weights where a shared context of n <= d tokens makes that enough, d otherwise. */
export function featuresPerHead({ context, width, contexts }: Shape): number {
  return contexts === 'shared' && context <= width ? context : width;
}

/**
 * Columns of Z that span all others whatever the weights: each head's attention weights sum to 1, so all heads except
 * the first can do without their last token; and where the context is a single token, all heads see the same.
 */
export function independentColumns(shape: Shape): number[] {
  const perHead = featuresPerHead(shape);
  const all = Array.from({ length: shape.heads * perHead }, (_, column) => column);
  if (shape.contexts === 'shared' && shape.context <= shape.width) {
    return all.filter((column) => column < perHead || column % perHead < perHead - 1);
  }
  return shape.context === 1 ? all.slice(0, perHead) : all;
}
