import type { Preprocessing } from '../data';
import { type BlockPart, blockParts, placeOf } from './networks/block-parts';
import type { FeatureLayer, LayerOutput, Network } from './feature-layer';
import { InputError } from '../input-error';
import { loadLayer } from './hugging-face/load-layers';
import { loadRandomAttention, randomAttentionWeights } from './networks/multi-head-attention';
import { loadViT, tokenCount, type ViTConfig } from './networks/vit';
import type { WeightSource } from './weights/weight-source';

/** A network that images go through, and what its layers are called. */
export interface ViTModel {
  /** Short and stable: `random-vit-b16`. */
  readonly name: string;
  /** For people: `random ViT-B/16`. */
  readonly title: string;
  readonly config: ViTConfig;
  /** How an image becomes its pixels; throws where nothing says so. */
  preprocessing(): Preprocessing;
  /** Side of the images, in pixels, that the preprocessing makes. */
  readonly inputSize: number;
  /** Where the weights come from, with their sha256 or seed. */
  readonly provenance: Record<string, unknown>;
  /** Opens the weights, reading no tensor yet. */
  weights(): Promise<WeightSource>;
  /** Seed of the random attention that the output `attention` puts over the embeddings. */
  readonly attentionSeed: number;
}

/**
 * One layer of a model. `as` gives it a name of its own, such as a row of the paper's table has.
 * Throws {@link InputError} for a layer that the model does not have.
 */
export function vitLayer(
  model: ViTModel,
  output: LayerOutput,
  as: { name: string; title: string } = namesOf(model, output),
): FeatureLayer {
  const { config } = model;
  const { block, part } = placeOf(output);
  const isBlock = (from: number) => Number.isInteger(block) && block >= from && block <= config.depth;
  if (part === null && !isBlock(0)) {
    throw new InputError(
      `${model.name} has layers 0 (the embeddings) to ${config.depth} and 'attention', but layer ${output} was asked for`,
    );
  }
  if (part !== null && !(isBlock(1) && [...blockParts, 'saturation'].includes(part))) {
    throw new InputError(
      `${model.name} has blocks 1 to ${config.depth} with ${blockParts.join(', ')} and saturation, but layer ${output} was asked for`,
    );
  }
  const layer: FeatureLayer = {
    ...as,
    n: tokenCount(config, model.inputSize),
    d: part === 'saturation' ? 2 * config.heads : config.hiddenSize,
    heads: output === 'attention' ? 1 : config.heads,
    provenance: {
      ...model.provenance,
      layer: output,
      ...(output === 'attention' && { attentionSeed: model.attentionSeed }),
    },
    input: 'images',
    get preprocessing() {
      return model.preprocessing();
    },
    network: networkOf(model),
    output,
    load: (precision) => loadLayer(layer, precision),
  };
  return layer;
}

function networkOf(model: ViTModel): Network {
  return {
    name: JSON.stringify([model.provenance, model.attentionSeed]),
    async load(outputs, precision) {
      const source = await model.weights();
      const withAttention = outputs.includes('attention');
      const drawn = withAttention ? randomAttentionWeights(model.attentionSeed, model.config.hiddenSize) : null;
      const randomAttention = drawn && (await loadRandomAttention(drawn, precision));
      return loadViT(model.config, source, outputs, precision, randomAttention);
    },
  };
}

function namesOf(model: ViTModel, output: LayerOutput): { name: string; title: string } {
  if (output === 'attention') {
    return { name: `${model.name}-attention`, title: `random attention over the embeddings of ${model.title}` };
  }
  const { block, part } = placeOf(output);
  if (part !== null)
    return {
      name: `${model.name}-block-${block}-${part}`,
      title: `${model.title}, block ${block}, ${partTitles[part]}`,
    };
  if (output === 0) return { name: `${model.name}-embeddings`, title: `${model.title}, embeddings` };
  return { name: `${model.name}-layer-${output}`, title: `${model.title}, layer ${output}` };
}

const partTitles: Readonly<Record<BlockPart | 'saturation', string>> = {
  'norm-1': 'after LayerNorm 1',
  heads: 'heads',
  attention: 'what attention adds',
  residual: 'after attention',
  'norm-2': 'after LayerNorm 2',
  mlp: 'what the MLP adds',
  saturation: 'saturation of attention',
};
