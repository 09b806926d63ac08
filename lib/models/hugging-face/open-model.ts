/**
 * Models as Hugging Face keeps them: a folder with config.json, model.safetensors (or shards with an index) and, for
 * images, preprocessor_config.json, for text the tokenizer's files.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../input-error';
import type { Preprocessing } from '../../data';
import { openCheckpoint } from './checkpoint-folder';
import { readConfiguration, type Configuration } from '../configuration';
import type { ImageModel, Model, TextModel } from '../model';
import { shapesOf, type Architecture, type ImageConfig, type TextConfig } from '../networks/architecture';
import { readPreprocessing, sideOf } from './preprocessor';
import { architectures } from './registry';
import { listed, renamed } from '../weights/weight-source';

/** What a person should know about a folder. */
interface Notes {
  /** At most one line each: tensors that the architecture does not have, and ones that it has and the files lack. */
  readonly notes: readonly string[];
}
export type HuggingFaceModel = Model & Notes;

/**
 * Opens a folder with a network of any architecture that is known, whichever its config.json names; reads configurations
 * and headers, no tensor.
 *
 * @param name what the model is called; the folder's name unless given
 * @throws InputError for a folder without them, an unknown architecture, or broken files.
 */
export function huggingFaceModel(folder: string, name?: string): HuggingFaceModel {
  return openModel(folder, name, Object.keys(architectures));
}

/** The same of a network that takes images. */
export function huggingFaceImageModel(folder: string, name?: string): ImageModel & Notes {
  return openModel(folder, name, typesOf('images')) as ImageModel & Notes;
}

/** The same of a network that takes text. */
export function huggingFaceTextModel(folder: string, name?: string): TextModel & Notes {
  return openModel(folder, name, typesOf('tokens')) as TextModel & Notes;
}

const typesOf = (input: Architecture['input']) =>
  Object.keys(architectures).filter((type) => architectures[type].input === input);

/** The architecture that a config.json names; throws {@link InputError} when it is not among `types`. */
export function architectureOf(file: Configuration, types = Object.keys(architectures)): Architecture {
  const type = file.string('model_type');
  if (types.includes(type)) return architectures[type];
  throw new InputError(`${file.origin}: expected a model_type among ${types.join(', ')}, got ${JSON.stringify(type)}`);
}

function openModel(folder: string, as: string | undefined, types: readonly string[]): HuggingFaceModel {
  const { name, config: file, source: stored, provenance } = openCheckpoint(folder, as);
  const architecture = architectureOf(file, [...types]);
  const config = architecture.configuration(file);
  const source = renamed(stored, (tensor) => nameInside(tensor, architecture.prefix));
  const known = shapesOf(architecture, config);
  const extra = [...source.shapes.keys()].filter((tensor) => !known.has(tensor));
  const missing = [...known.keys()].filter((tensor) => !source.shapes.has(tensor));
  const model = {
    name,
    title: name,
    architecture,
    provenance,
    weights: () => Promise.resolve(source),
    notes: [
      ...(extra.length > 0 ? [`${source.origin}: not used: ${listed(extra)}`] : []),
      ...(missing.length > 0 ? [`${source.origin}: not there: ${listed(missing)}`] : []),
    ],
  };
  if (architecture.input === 'tokens') return { ...model, config: config as TextConfig, tokenizerFolder: () => folder };
  // Read when it is asked for: pixels that are ready need none.
  const preprocessing = (): Preprocessing => {
    const found = processorIn(folder);
    if (found !== null) return readPreprocessing(found, provenance.model);
    throw new InputError(
      `${folder}: expected preprocessor_config.json, which says how images become pixels; put it there, or give pixels`,
    );
  };
  return {
    ...model,
    config: config as ImageConfig,
    preprocessing,
    get inputSize() {
      const found = processorIn(folder);
      if (found === null) return (config as ImageConfig).imageSize;
      return sideOf(readPreprocessing(found, provenance.model), found.origin);
    },
  };
}

/** preprocessor_config.json, or the part of processor_config.json that is of images; null where a folder has neither. */
function processorIn(folder: string): Configuration | null {
  const own = join(folder, 'preprocessor_config.json');
  if (existsSync(own)) return readConfiguration(own);
  const joint = join(folder, 'processor_config.json');
  const file = existsSync(joint) ? readConfiguration(joint) : null;
  return file?.has('image_processor') ? file.section('image_processor') : null;
}

/** A tensor's name without the prefix that a head puts before it, and with LayerNorm's present names. */
function nameInside(stored: string, prefix: string): string {
  return (stored.startsWith(`${prefix}.`) ? stored.slice(prefix.length + 1) : stored)
    .replace(/\.gamma$/, '.weight')
    .replace(/\.beta$/, '.bias');
}
