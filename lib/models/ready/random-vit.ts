import type { Preprocessing } from '../../data';
import type { ImageModel } from '../model';
import { shapesOf } from '../networks/architecture';
import { vit, VIT_B16, vitInitialisation, type ViTConfig } from '../networks/vit';
import { randomWeights } from '../weights/random';

/** What google/vit-base-patch16-224-in21k's processor does: 224 x 224 whatever the proportions, values in [-1, 1]. */
const VIT_PREPROCESSING: Preprocessing = {
  resize: { height: 224, width: 224 },
  resample: 'bilinear',
  rescale: 1 / 255,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};

/** ViT-B/16 as Hugging Face initialises it, every tensor drawn from its own stream of `seed`. */
export function randomViTB16(seed: number): ImageModel<ViTConfig> {
  return {
    name: 'random-vit-b16',
    title: 'random ViT-B/16',
    architecture: vit,
    config: VIT_B16,
    preprocessing: () => VIT_PREPROCESSING,
    inputSize: 224,
    provenance: { model: 'ViT-B/16', weights: "random, Hugging Face's initialisation", seed },
    weights: () => Promise.resolve(randomWeights(seed, 'vit', shapesOf(vit, VIT_B16), vitInitialisation)),
  };
}
