/**
 * ViT and DINOv2 as Hugging Face keeps them: a folder with config.json, model.safetensors (or shards with an index) and,
 * for images, preprocessor_config.json. Keys that a configuration leaves out have transformers' defaults.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Preprocessing } from '../../data';
import { InputError } from '../../input-error';
import { openCheckpoint, type CheckpointFolder } from './checkpoint-folder';
import { Configuration, readConfiguration } from './configuration';
import { activationNamed } from '../networks/operations';
import { vitShapes, type ViTConfig } from '../networks/vit';
import type { ViTModel } from '../vit-model';

/** A model from a folder, and what a person should know about the folder's tensors. */
export interface HuggingFaceViT extends ViTModel {
  /** At most one line each: tensors that the architecture does not have, and ones that it has and the files lack. */
  readonly notes: readonly string[];
}

/**
 * Opens a folder that holds a ViT or a DINOv2; reads configurations and headers, no tensor. Throws {@link InputError}
 * for a folder without them, an unknown architecture, or broken files.
 */
export function huggingFaceViT(folder: string, name?: string): HuggingFaceViT {
  return viTFrom(openCheckpoint(folder, name));
}

/** The same from a folder that is open already. */
export function viTFrom({ folder, name, config, source, provenance, notes }: CheckpointFolder): HuggingFaceViT {
  const architecture = vitConfig(config);
  const preprocessorPath = join(folder, 'preprocessor_config.json');
  const preprocessing = existsSync(preprocessorPath) ? readPreprocessing(readConfiguration(preprocessorPath)) : null;
  return {
    name,
    title: name,
    config: architecture,
    preprocessing() {
      if (preprocessing !== null) return preprocessing;
      throw new InputError(
        `${folder} has no preprocessor_config.json, which says how images become pixels; put it there, or give pixels`,
      );
    },
    inputSize: preprocessing === null ? architecture.imageSize : sideOf(preprocessing, preprocessorPath),
    provenance,
    weights: () => Promise.resolve(source),
    attentionSeed: 0,
    notes: notes(vitShapes(architecture)),
  };
}

/** Reads a configuration of `model_type` vit or dinov2. */
export function vitConfig(config: Configuration): ViTConfig {
  const type = config.string('model_type');
  if (type !== 'vit' && type !== 'dinov2') {
    throw new InputError(`${config.origin}: expected a model_type among vit, dinov2, got ${JSON.stringify(type)}`);
  }
  const hiddenSize = config.count('hidden_size', 768);
  const heads = config.count('num_attention_heads', 12);
  if (hiddenSize % heads !== 0) {
    throw new InputError(
      `${config.origin}: hidden_size ${hiddenSize} should be a multiple of num_attention_heads ${heads}`,
    );
  }
  const channels = config.count('num_channels', 3);
  if (channels !== 3) throw new InputError(`${config.origin}: expected 3 channels, got num_channels ${channels}`);
  const common = {
    hiddenSize,
    heads,
    depth: config.count('num_hidden_layers', 12),
    qkvBias: config.boolean('qkv_bias', true),
    imageSize: config.count('image_size', 224),
  };
  const activation = activationNamed(config.get('hidden_act', 'gelu'), config.origin);
  if (type === 'vit') {
    return {
      ...common,
      layout: 'vit',
      activation,
      intermediateSize: config.count('intermediate_size', 3072),
      layerNormEps: config.number('layer_norm_eps', 1e-12),
      patchSize: config.count('patch_size', 16),
    };
  }
  const width = Math.trunc(hiddenSize * config.number('mlp_ratio', 4));
  const gated = config.boolean('use_swiglu_ffn', false);
  return {
    ...common,
    layout: 'dinov2',
    activation: gated ? 'swiglu' : activation,
    // A gated MLP keeps two thirds of the width, rounded up to a multiple of 8.
    intermediateSize: gated ? Math.ceil(Math.trunc((width * 2) / 3) / 8) * 8 : width,
    layerNormEps: config.number('layer_norm_eps', 1e-6),
    patchSize: config.count('patch_size', 14),
  };
}

/** Pillow's numbers of the two filters. */
const RESAMPLE: Readonly<Record<number, Preprocessing['resample']>> = { 2: 'bilinear', 3: 'bicubic' };

/** Reads a preprocessor_config.json; throws {@link InputError} for steps that this project does not take. */
export function readPreprocessing(config: Configuration): Preprocessing {
  for (const step of ['do_resize', 'do_normalize', 'do_rescale']) {
    if (!config.boolean(step, true)) throw new InputError(`${config.origin}: expected ${step} to be true, got false`);
  }
  const filter = config.count('resample', 2);
  if (!(filter in RESAMPLE)) {
    throw new InputError(`${config.origin}: expected resample 2 (bilinear) or 3 (bicubic), got ${filter}`);
  }
  const crop = config.boolean('do_center_crop', false) ? rectangle(config, 'crop_size') : null;
  return {
    resize: resizeOf(config),
    resample: RESAMPLE[filter],
    ...(crop && { crop }),
    rescale: config.number('rescale_factor', 1 / 255),
    mean: config.triple('image_mean', [0.5, 0.5, 0.5]),
    std: config.triple('image_std', [0.5, 0.5, 0.5]),
  };
}

/** `{height, width}`, `{shortest_edge}`, or a number: both sides for a ViT's processor, the shorter one for DINOv2's. */
function resizeOf(config: Configuration): Preprocessing['resize'] {
  const size = config.get('size', { height: 224, width: 224 });
  const processor = config.get('image_processor_type', config.get('feature_extractor_type', 'ViTImageProcessor'));
  if (typeof size === 'number' && !String(processor).startsWith('ViT')) return { shortestEdge: config.count('size') };
  if (typeof size === 'object' && size !== null && 'shortest_edge' in size) {
    return { shortestEdge: new Configuration(`${config.origin}: size`, size).count('shortest_edge') };
  }
  return rectangle(config, 'size');
}

function rectangle(config: Configuration, key: string): { height: number; width: number } {
  const value = config.get(key, { height: 224, width: 224 });
  if (typeof value === 'number') return { height: config.count(key), width: config.count(key) };
  const size = new Configuration(`${config.origin}: ${key}`, value);
  return { height: size.count('height'), width: size.count('width') };
}

/** The side of the square image that comes out; throws {@link InputError} when it is not one size or not square. */
function sideOf({ resize, crop }: Preprocessing, origin: string): number {
  const size = crop ?? resize;
  if ('shortestEdge' in size || size.height !== size.width) {
    throw new InputError(`${origin}: expected square images of one size, got ${JSON.stringify(size)}`);
  }
  return size.height;
}
