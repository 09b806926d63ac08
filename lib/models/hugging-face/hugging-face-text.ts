/**
 * BERT and GPT-2 as Hugging Face keeps them: a folder with config.json, model.safetensors (or shards with an index) and,
 * for text, the tokenizer's files. Keys that a configuration leaves out have transformers' defaults.
 */
import { InputError } from '../../input-error';
import { bertShapes, type BertConfig } from '../networks/bert';
import { openCheckpoint, type CheckpointFolder } from './checkpoint-folder';
import type { Configuration } from './configuration';
import { gpt2Shapes, type GPT2Config } from '../networks/gpt2';
import type { LanguageConfig, LanguageModel } from '../language-model';
import { activationNamed } from '../networks/operations';

/** A model from a folder, and what a person should know about the folder's tensors. */
export interface HuggingFaceText extends LanguageModel {
  /** At most one line each: tensors that the architecture does not have, and ones that it has and the files lack. */
  readonly notes: readonly string[];
}

/**
 * Opens a folder that holds a BERT or a GPT-2; reads its configuration and headers, no tensor. Throws {@link InputError}
 * for a folder without them, an unknown architecture, or broken files.
 */
export function huggingFaceText(folder: string, name?: string): HuggingFaceText {
  return textModelFrom(openCheckpoint(folder, name));
}

/** The same from a folder that is open already. */
export function textModelFrom({ folder, name, config, source, provenance, notes }: CheckpointFolder): HuggingFaceText {
  const architecture = languageConfig(config);
  const shapes = architecture.architecture === 'bert' ? bertShapes(architecture) : gpt2Shapes(architecture);
  return {
    name,
    title: name,
    config: architecture,
    tokenizerFolder: () => folder,
    provenance,
    weights: () => Promise.resolve(source),
    notes: notes(shapes),
  };
}

/** Reads a configuration of `model_type` bert or gpt2. */
export function languageConfig(config: Configuration): LanguageConfig {
  const type = config.string('model_type');
  if (type === 'bert') return bertConfig(config);
  if (type === 'gpt2') return gpt2Config(config);
  throw new InputError(`${config.origin}: expected a model_type among bert, gpt2, got ${JSON.stringify(type)}`);
}

function bertConfig(config: Configuration): BertConfig {
  const positions = config.string('position_embedding_type', 'absolute');
  if (positions !== 'absolute') {
    throw new InputError(`${config.origin}: expected position_embedding_type absolute, got ${positions}`);
  }
  if (config.boolean('is_decoder', false)) {
    throw new InputError(`${config.origin}: expected an encoder, got is_decoder true`);
  }
  return checked(config, {
    architecture: 'bert',
    vocabularySize: config.count('vocab_size', 30522),
    positions: config.count('max_position_embeddings', 512),
    tokenTypes: config.count('type_vocab_size', 2),
    hiddenSize: config.count('hidden_size', 768),
    depth: config.count('num_hidden_layers', 12),
    heads: config.count('num_attention_heads', 12),
    intermediateSize: config.count('intermediate_size', 3072),
    activation: activationNamed(config.get('hidden_act', 'gelu'), config.origin),
    layerNormEps: config.number('layer_norm_eps', 1e-12),
  });
}

function gpt2Config(config: Configuration): GPT2Config {
  const hiddenSize = config.count('n_embd', 768);
  return checked(config, {
    architecture: 'gpt2',
    vocabularySize: config.count('vocab_size', 50257),
    positions: config.count('n_positions', 1024),
    hiddenSize,
    depth: config.count('n_layer', 12),
    heads: config.count('n_head', 12),
    intermediateSize: config.count('n_inner', 4 * hiddenSize),
    activation: activationNamed(config.get('activation_function', 'gelu_new'), config.origin),
    layerNormEps: config.number('layer_norm_epsilon', 1e-5),
    scaleScores: config.boolean('scale_attn_weights', true),
    scaleScoresByLayer: config.boolean('scale_attn_by_inverse_layer_idx', false),
  });
}

function checked<C extends LanguageConfig>(config: Configuration, read: C): C {
  if (read.hiddenSize % read.heads === 0) return read;
  throw new InputError(
    `${config.origin}: the hidden size ${read.hiddenSize} should be a multiple of the ${read.heads} heads`,
  );
}
