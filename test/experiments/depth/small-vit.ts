import type { ViTModel } from 'attention-capacity/models';
import { VIT_B16, vitInitialisation, vitShapes, type ViTConfig } from 'attention-capacity/models/networks/vit';
import { randomWeights } from 'attention-capacity/models/weights/random';

/** A random ViT with n = 5, d = 12 and two heads. */
export function smallViT(depth: number): ViTModel & { readonly config: ViTConfig } {
  const config: ViTConfig = {
    ...VIT_B16,
    ...{ hiddenSize: 12, depth, heads: 2, intermediateSize: 24, patchSize: 2, imageSize: 4 },
  };
  return {
    ...{ name: 'small-vit', title: 'small ViT', config, inputSize: 4, provenance: { seed: 5 }, attentionSeed: 0 },
    preprocessing: () => ({
      ...{ resize: { height: 4, width: 4 }, resample: 'bilinear', rescale: 1 / 255 },
      ...{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    }),
    weights: () => Promise.resolve(randomWeights(5, 'vit', vitShapes(config), vitInitialisation)),
  };
}
