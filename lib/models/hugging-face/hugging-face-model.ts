import { InputError } from '../../input-error';
import { openCheckpoint } from './checkpoint-folder';
import type { FeatureLayer, LayerOutput } from '../feature-layer';
import { viTFrom, type HuggingFaceViT } from './hugging-face';
import { textModelFrom, type HuggingFaceText } from './hugging-face-text';
import { languageLayer, type LanguageModel } from '../language-model';
import { vitLayer, type ViTModel } from '../vit-model';

/** Any model: for images, or for text. */
export type Model = ViTModel | LanguageModel;
export type HuggingFaceModel = HuggingFaceViT | HuggingFaceText;

/** Whether a model takes text. */
export function isLanguageModel<L extends LanguageModel>(model: ViTModel | L): model is L {
  return 'tokenizerFolder' in model;
}

/**
 * Opens a folder that holds a ViT, a DINOv2, a BERT or a GPT-2, whichever its config.json names; reads configurations and
 * headers, no tensor.
 *
 * @param name what the model is called; the folder's name unless given
 * @throws InputError for a folder without them, an unknown architecture, or broken files.
 */
export function huggingFaceModel(folder: string, name?: string): HuggingFaceModel {
  const checkpoint = openCheckpoint(folder, name);
  const { config } = checkpoint;
  const type = config.string('model_type');
  if (type === 'vit' || type === 'dinov2') return viTFrom(checkpoint);
  if (type === 'bert' || type === 'gpt2') return textModelFrom(checkpoint);
  throw new InputError(
    `${config.origin}: expected a model_type among vit, dinov2, bert, gpt2, got ${JSON.stringify(type)}`,
  );
}

/** One layer of any model; `n` is the number of tokens of a passage, where the model takes text. */
export function layerOf(model: Model, output: LayerOutput, n: number): FeatureLayer {
  return isLanguageModel(model) ? languageLayer(model, output, n) : vitLayer(model, output);
}
