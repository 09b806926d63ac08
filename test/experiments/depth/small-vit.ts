import type { ImageModel } from 'attention-capacity/models';
import { shapesOf } from 'attention-capacity/models/networks/architecture';
import { vit, VIT_B16, vitInitialisation, type ViTConfig } from 'attention-capacity/models/networks/vit';
import { randomWeights } from 'attention-capacity/models/weights/random';

/** A random ViT with n = 5, d = 12 and two heads. */
export function smallViT(depth: number): ImageModel<ViTConfig> {
  const config: ViTConfig = {
    ...VIT_B16,
    ...{ hiddenSize: 12, depth, heads: 2, intermediateSize: 24, patchSize: 2, imageSize: 4 },
  };
  return {
    ...{ name: 'small-vit', title: 'small ViT', architecture: vit, config, inputSize: 4, provenance: { seed: 5 } },
    preprocessing: () => ({
      ...{ resize: { height: 4, width: 4 }, resample: 'bilinear', rescale: 1 / 255 },
      ...{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    }),
    weights: () => Promise.resolve(randomWeights(5, 'vit', shapesOf(vit, config), vitInitialisation)),
  };
}
