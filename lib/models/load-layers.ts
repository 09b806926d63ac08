import { inPrecision, tf, type Precision } from '../tensor';
import { isWished } from './feature-layer';
import type { FeatureLayer, LayerBatch, LoadedLayer, LoadedNetwork, Network, Wish } from './feature-layer';

/** Several layers in memory, ready for batches of pixels or tokens. */
export interface LoadedLayers {
  /**
   * Passes one batch through every network once, whatever number of its layers was asked for. Returns what each layer makes
   * of it, in the order of the layers: the query vectors, and the contexts and the concentration of the query's attention
   * where they are wished. Tensors, given and returned, belong to the backend of the precision; the caller disposes them.
   */
  run(batch: tf.Tensor, contexts: Wish, attention?: Wish): LayerBatch[];
  /** How many examples should go together. */
  readonly together: number;
  dispose(): void;
}

/** What fits the processor's caches; it changes no result's meaning. */
const TOGETHER = 8;
/** As much of context matrices goes together where each pass reads the weights again. */
const STREAMED_BYTES = 2 ** 28;

/**
 * Reads the weights that `layers` need, and no others. Layers of several networks must take the same pixels, that is
 * have the same preprocessing: it throws where they do not.
 */
export async function loadLayers(layers: readonly FeatureLayer[], precision: Precision): Promise<LoadedLayers> {
  const networks = new Map<string, { network: Network; positions: number[] }>();
  for (const [position, { network }] of layers.entries()) {
    const group = networks.get(network.name) ?? { network, positions: [] };
    group.positions.push(position);
    networks.set(network.name, group);
  }
  // Layers of one network share whatever its pixels are; only several networks have to agree on them.
  const inputs = networks.size > 1 ? new Set(layers.map(inputOf)) : new Set();
  if (inputs.size > 1) {
    const names = layers.map((layer) => layer.name).join(', ');
    throw new Error(`layers that share a pass must share their preprocessing, but ${names} have ${inputs.size}`);
  }
  const loaded: { network: LoadedNetwork; positions: number[] }[] = [];
  const tops: (LoadedLayer | undefined)[] = [];
  const dispose = () => [...loaded.map(({ network }) => network), ...tops].forEach((one) => one?.dispose());
  try {
    for (const { network, positions } of networks.values()) {
      const outputs = positions.map((position) => layers[position].output);
      loaded.push({ network: await network.load(outputs, precision), positions });
    }
    for (const { top } of layers) tops.push(top?.load(precision));
  } catch (error) {
    dispose();
    throw error;
  }
  const bytes = Math.max(1, ...layers.map(({ n, d }) => n * d * (precision === 'float32' ? 4 : 8)));
  const streamed = loaded.some(({ network }) => network.streamed);
  return {
    together: streamed ? Math.max(TOGETHER, Math.floor(STREAMED_BYTES / bytes)) : TOGETHER,
    run(batch, contexts, attention = false) {
      const batches = new Array<LayerBatch>(layers.length);
      for (const { network, positions } of loaded) {
        const withContexts = positions.map((position) => tops[position] !== undefined || isWished(contexts, position));
        const withAttention = positions.map((position) => isWished(attention, position));
        network.run(batch, withContexts, withAttention).forEach((output, index) => {
          const position = positions[index];
          const top = tops[position];
          batches[position] = top
            ? inPrecision(precision, () => onTop(top, output, isWished(contexts, position)))
            : output;
        });
      }
      return batches;
    },
    dispose,
  };
}

/** What the layer on top makes of an output, which is disposed. */
function onTop(top: LoadedLayer, { queries, contexts }: LayerBatch, withContexts: boolean): LayerBatch {
  const above = { queries: top.queries(contexts!), contexts: withContexts ? top.contexts(contexts!) : null };
  tf.dispose([queries, contexts!]);
  return { ...above, attention: null };
}

/** What a layer takes, as one text: layers with equal texts can share a batch. */
export function inputOf(layer: FeatureLayer): string {
  return layer.input === 'tokens' ? 'tokens' : JSON.stringify(layer.preprocessing);
}

/** One layer alone; what `FeatureLayer.load` does. */
export async function loadLayer(layer: FeatureLayer, precision: Precision): Promise<LoadedLayer> {
  const { run, dispose } = await loadLayers([layer], precision);
  return {
    contexts(batch) {
      const [{ queries, contexts }] = run(batch, true);
      queries.dispose();
      return contexts!;
    },
    queries: (batch) => run(batch, false)[0].queries,
    dispose,
  };
}
