import type { Recipe } from '../config';

/**
 * The learning rate of step `step` (from 0): linear from a hundredth of the highest over the first twentieth of the
 * steps, then half a cosine down to 0. As PyTorch's LinearLR(1/100) and CosineAnnealingLR in sequence.
 */
export function learningRateAt(step: number, { steps, learningRate }: Pick<Recipe, 'steps' | 'learningRate'>): number {
  const warmup = Math.floor(steps / 20);
  if (step < warmup) return learningRate * (0.01 + (0.99 * step) / warmup);
  return (learningRate * (1 + Math.cos((Math.PI * (step - warmup)) / (steps - warmup)))) / 2;
}
