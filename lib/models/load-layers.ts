import type { Precision, tf } from '../tensor';
import type { ContextWish, FeatureLayer, LayerBatch, LoadedLayer, LoadedNetwork, Network } from './feature-layer';

/** Several layers in memory, ready for batches of pixels. */
export interface LoadedLayers {
  /**
   * Passes one batch of pixels `[B, 3, H, W]` through every network once, whatever number of its layers was asked for.
   * Returns what each layer makes of it, in the order of the layers. Without `contexts`, only what the query vectors
   * need is computed; an array wishes it for each layer. Tensors, given and returned, belong to the backend of the precision; the caller disposes them.
   */
  run(pixels: tf.Tensor4D, contexts: ContextWish): LayerBatch[];
  dispose(): void;
}

/**
 * Reads the weights that `layers` need, and no others. The layers must take the same pixels, that is have the same
 * preprocessing: it throws where they do not.
 */
export async function loadLayers(layers: readonly FeatureLayer[], precision: Precision): Promise<LoadedLayers> {
  const preprocessings = new Set(layers.map((layer) => JSON.stringify(layer.preprocessing)));
  if (preprocessings.size > 1) {
    const names = layers.map((layer) => layer.name).join(', ');
    throw new Error(
      `layers that share a pass must share their preprocessing, but ${names} have ${preprocessings.size}`,
    );
  }
  const networks = new Map<string, { network: Network; positions: number[] }>();
  for (const [position, { network }] of layers.entries()) {
    const group = networks.get(network.name) ?? { network, positions: [] };
    group.positions.push(position);
    networks.set(network.name, group);
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
    run(pixels, contexts) {
      const batches = new Array<LayerBatch>(layers.length);
      for (const { network, positions } of loaded) {
        const wish = typeof contexts === 'boolean' ? contexts : positions.map((position) => contexts[position]);
        network.run(pixels, wish).forEach((batch, index) => (batches[positions[index]] = batch));
      }
      return batches;
    },
    dispose,
  };
}

/** One layer alone; what `FeatureLayer.load` does. */
export async function loadLayer(layer: FeatureLayer, precision: Precision): Promise<LoadedLayer> {
  const { run, dispose } = await loadLayers([layer], precision);
  return {
    contexts(pixels) {
      const [{ queries, contexts }] = run(pixels, true);
      queries.dispose();
      return contexts!;
    },
    queries: (pixels) => run(pixels, false)[0].queries,
    dispose,
  };
}
