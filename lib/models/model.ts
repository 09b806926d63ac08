import type { Preprocessing } from '../data';
import { blockParts, placeOf, type BlockPart, type FeatureLayer, type LayerOutput, type Top } from './feature-layer';
import { InputError } from '../input-error';
import { loadLayer } from './load-layers';
import {
  tokenCount,
  type Architecture,
  type ImageConfig,
  type NetworkConfig,
  type TextConfig,
} from './networks/architecture';
import { loadNetwork } from './networks/one-pass';
import type { WeightSource } from './weights/weight-source';

interface AnyModel<C extends NetworkConfig> {
  /** Short and stable: `random-vit-b16`. */
  readonly name: string;
  /** For people: `random ViT-B/16`. */
  readonly title: string;
  readonly architecture: Architecture;
  readonly config: C;
  /** Where the weights come from, with their sha256 or seed. */
  readonly provenance: Record<string, unknown>;
  /** Opens the weights, reading no tensor yet. */
  weights(): Promise<WeightSource>;
}

/** A network that images go through. */
export interface ImageModel<C extends ImageConfig = ImageConfig> extends AnyModel<C> {
  /** How an image becomes its pixels; throws where nothing says so. */
  preprocessing(): Preprocessing;
  /** Side of the images, in pixels, that the preprocessing makes. */
  readonly inputSize: number;
}

/** A network that passages of text go through. */
export interface TextModel<C extends TextConfig = TextConfig> extends AnyModel<C> {
  /** The folder with the tokenizer's files; throws where there is none. */
  tokenizerFolder(): string;
}

export type Model = ImageModel | TextModel;

export function isTextModel<T extends TextModel>(model: ImageModel | T): model is T {
  return 'tokenizerFolder' in model;
}

export interface LayerOptions {
  /** Tokens of an example: of a passage (1 unless given), or of an image (those of the model's own preprocessing). */
  readonly n?: number;
  /** A name and a title of its own, such as a row of the paper's table has. */
  readonly name?: string;
  readonly title?: string;
  /** What is put on top of the layer. */
  readonly top?: Top;
}

/**
 * One layer of a model. Throws {@link InputError} for a layer that the model does not have, or for passages with more
 * tokens than it has positions for.
 */
export function layerOf(model: Model, output: LayerOutput, options: LayerOptions = {}): FeatureLayer {
  const { config, provenance } = model;
  const { headSize = config.hiddenSize / config.heads } = config;
  checkOutput(model, output);
  const names = namesOf(model, output);
  const { name = names.name, title = names.title, top } = options;
  const n = tokensOf(model, options.n);
  const layer: FeatureLayer = {
    name,
    title,
    n,
    // Heads side by side are as wide as all of them.
    d: placeOf(output).part === 'heads' ? config.heads * headSize : config.hiddenSize,
    heads: top?.heads ?? config.heads,
    provenance: { ...provenance, layer: output, ...top?.provenance },
    input: model.architecture.input,
    get preprocessing() {
      if (!isTextModel(model)) return model.preprocessing();
      throw new InputError(`${model.name} takes text, not images`);
    },
    network: {
      name: JSON.stringify(provenance),
      load: async (outputs, precision) =>
        loadNetwork(model.architecture, config, await model.weights(), outputs, precision),
    },
    output,
    top,
    load: (precision) => loadLayer(layer, precision),
  };
  return layer;
}

function checkOutput({ name, config: { depth } }: Model, output: LayerOutput): void {
  const { block, part } = placeOf(output);
  const isBlock = Number.isInteger(block) && block >= 0 && block <= depth;
  if (part === 'output' && !isBlock) {
    throw new InputError(`${name}: expected a layer from 0 (the embeddings) to ${depth}, got ${output}`);
  }
  if (part !== 'output' && !(isBlock && block >= 1 && blockParts.includes(part))) {
    throw new InputError(
      `${name}: expected a part of a block from 1 to ${depth} (${blockParts.join(', ')}), got ${output}`,
    );
  }
}

function tokensOf(model: Model, n?: number): number {
  if (!isTextModel(model)) return n ?? tokenCount(model.config, model.inputSize, model.inputSize);
  const { positions } = model.config;
  if (n === undefined || (Number.isInteger(n) && n >= 1 && n <= positions)) return n ?? 1;
  throw new InputError(`${model.name}: expected passages of 1 to ${positions} tokens, got ${n}`);
}

function namesOf(model: Model, output: LayerOutput): { name: string; title: string } {
  const { block, part } = placeOf(output);
  if (part !== 'output') {
    return {
      name: `${model.name}-block-${block}-${part}`,
      title: `${model.title}, block ${block}, ${partTitles[part]}`,
    };
  }
  if (block === 0) return { name: `${model.name}-embeddings`, title: `${model.title}, embeddings` };
  return { name: `${model.name}-layer-${block}`, title: `${model.title}, layer ${block}` };
}

const partTitles: Readonly<Record<BlockPart, string>> = {
  'norm-1': 'after LayerNorm 1',
  heads: 'heads',
  attention: 'what attention adds',
  residual: 'after attention',
  'norm-2': 'after LayerNorm 2',
  mlp: 'what the MLP adds',
};
