import { InputError } from '../input-error';
import { loadBert, type BertConfig } from './networks/bert';
import type { FeatureLayer, LayerOutput, LoadedNetwork, Network } from './feature-layer';
import { loadGPT2, type GPT2Config } from './networks/gpt2';
import { loadLayer } from './hugging-face/load-layers';
import type { Precision } from '../tensor';
import type { WeightSource } from './weights/weight-source';

export type LanguageConfig = BertConfig | GPT2Config;

/** A network that passages of text go through, and what its layers are called. */
export interface LanguageModel {
  /** Short and stable: `random-gpt2`. */
  readonly name: string;
  /** For people: `random GPT-2`. */
  readonly title: string;
  readonly config: LanguageConfig;
  /** The folder with the tokenizer's files; throws where there is none. */
  tokenizerFolder(): string;
  /** Where the weights come from, with their sha256 or seed. */
  readonly provenance: Record<string, unknown>;
  /** Opens the weights, reading no tensor yet. */
  weights(): Promise<WeightSource>;
}

/**
 * One layer of a model, for passages of `n` tokens. `as` gives it a name of its own, such as a row of a table has.
 * Throws {@link InputError} for a layer that the model does not have, or more tokens than it has positions for.
 */
export function languageLayer(
  model: LanguageModel,
  output: LayerOutput,
  n: number,
  as: { name: string; title: string } = namesOf(model, output),
): FeatureLayer {
  const { depth, positions, hiddenSize, heads } = model.config;
  if (!(Number.isInteger(output) && Number(output) >= 0 && Number(output) <= depth)) {
    throw new InputError(
      `${model.name} has layers 0 (the embeddings) to ${depth}, but layer ${output} was asked for; ` +
        'random attention is put over the embeddings of images only',
    );
  }
  if (!(Number.isInteger(n) && n >= 1 && n <= positions)) {
    throw new InputError(`${model.name} has positions for 1 to ${positions} tokens, but passages of ${n} came`);
  }
  const layer: FeatureLayer = {
    ...as,
    n,
    d: hiddenSize,
    heads,
    provenance: { ...model.provenance, layer: output },
    input: 'tokens',
    get preprocessing(): never {
      throw new InputError(`${model.name} takes text, not images`);
    },
    network: networkOf(model),
    output,
    load: (precision) => loadLayer(layer, precision),
  };
  return layer;
}

function networkOf(model: LanguageModel): Network {
  return {
    name: JSON.stringify(model.provenance),
    load: async (outputs, precision) => loadLanguageModel(model.config, await model.weights(), outputs, precision),
  };
}

/** A network with the weights that `outputs` need, in memory. It takes token numbers `[B, n]`, -1 for padding. */
export function loadLanguageModel(
  config: LanguageConfig,
  source: WeightSource,
  outputs: readonly LayerOutput[],
  precision: Precision,
): Promise<LoadedNetwork> {
  return config.architecture === 'bert'
    ? loadBert(config, source, outputs, precision)
    : loadGPT2(config, source, outputs, precision);
}

function namesOf(model: LanguageModel, output: LayerOutput): { name: string; title: string } {
  if (output === 0) return { name: `${model.name}-embeddings`, title: `${model.title}, embeddings` };
  return { name: `${model.name}-layer-${output}`, title: `${model.title}, layer ${output}` };
}
