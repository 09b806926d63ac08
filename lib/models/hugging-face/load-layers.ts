import type { Precision, tf } from '../../tensor';
import { isWished } from '../feature-layer';
import type { ContextWish, FeatureLayer, LayerBatch, LoadedLayer, LoadedNetwork, Network } from '../feature-layer';

/** Several layers in memory, ready for batches of pixels or tokens. */
export interface LoadedLayers {
  /**
   * Passes one batch, as the layers take it, through every network once, whatever number of its layers was asked for.
   * Returns what each layer makes of it, in the order of the layers. Without `contexts`, only what the query vectors
   * need is computed; an array wishes it for each layer. Tensors, given and returned, belong to the backend of the precision; the caller disposes them.
   */
  run(batch: tf.Tensor, contexts: ContextWish): LayerBatch[];
  dispose(): void;
}

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
  // Of one network's layers nobody need know how images become its pixels: they may come from elsewhere.
  const inputs = networks.size > 1 ? new Set(layers.map(inputOf)) : new Set();
  if (inputs.size > 1) {
    const names = layers.map((layer) => layer.name).join(', ');
    throw new Error(`layers that share a pass must share their preprocessing, but ${names} have ${inputs.size}`);
  }
  const loaded: { network: LoadedNetwork; positions: number[] }[] = [];
  const dispose = () => loaded.forEach(({ network }) => network.dispose());
  try {
    for (const { network, positions } of networks.values()) {
      const outputs = positions.map((position) => layers[position].output);
      loaded.push({ network: await network.load(outputs, precision), positions });
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    run(batch, contexts) {
      const batches = new Array<LayerBatch>(layers.length);
      for (const { network, positions } of loaded) {
        const wish = positions.map((position) => isWished(contexts, position));
        network.run(batch, wish).forEach((output, index) => (batches[positions[index]] = output));
      }
      return batches;
    },
    dispose,
  };
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
