import { randomSource, tf, toTensor } from 'attention-capacity/tensor';
import type { ImageSet } from 'attention-capacity/data';
import { loadLayer, type FeatureLayer, type LayerBatch, type Network } from 'attention-capacity/models';

/** Side of the pictures below; one pixel of them is one token, its colours repeated are its coordinates. */
const SIDE = 4;
export const N = SIDE * SIDE;
export const D = 24;

/** `count` seeded pictures of 4 x 4 pixels. */
export function noiseImages(count: number, name = 'noise'): ImageSet {
  return {
    name,
    count,
    hash: `${name}-${count}`,
    skipped: [],
    load(index) {
      const random = randomSource(0, name, index);
      const data = Uint8Array.from({ length: N * 3 }, () => random.integer(256));
      return { width: SIDE, height: SIDE, data };
    },
  };
}

/**
 * A layer that is easy to follow: token i of an image is its pixel i times a fixed random 3 x d matrix M_i (one for each
 * position); the query is token 0, or with `constantQuery` the same vector for all images. Layers of another `mean` take
 * other pixels. It counts its passes.
 */
export function fakeLayer(
  name: string,
  options: { constantQuery?: boolean; mean?: number } = {},
): FeatureLayer & { passes: number } {
  const mean = options.mean ?? 0.5;
  const network: Network = {
    name: `network of ${name}`,
    load: (outputs, precision) =>
      Promise.resolve({
        run(pixels: tf.Tensor4D, contexts): LayerBatch[] {
          layer.passes++;
          return outputs.map((_, index) => {
            const tokens = tf.tidy(() => {
              const random = randomSource(1, name);
              const weights = Float64Array.from({ length: N * 3 * D }, () => Math.fround(random.normal()));
              const perPosition = toTensor(precision === 'float64' ? weights : Float32Array.from(weights), [N, 3, D]);
              const colours = tf.transpose(tf.reshape(pixels, [pixels.shape[0], 3, N]), [2, 0, 1]);
              // [N, B, 3] x [N, 3, D] -> [N, B, D] -> [B, N, D]
              return tf.transpose(tf.matMul(colours, perPosition), [1, 0, 2]) as tf.Tensor3D;
            });
            const queries = tf.tidy(() => {
              const first = tf.reshape(tf.slice(tokens, [0, 0, 0], [-1, 1, -1]), [-1, D]) as tf.Tensor2D;
              return options.constantQuery ? (tf.onesLike(first) as tf.Tensor2D) : first.clone();
            });
            if (typeof contexts === 'boolean' ? contexts : contexts[index])
              return { queries, contexts: tokens, attention: null };
            tokens.dispose();
            return { queries, contexts: null, attention: null };
          });
        },
        dispose: () => undefined,
      }),
  };
  const layer: FeatureLayer & { passes: number } = {
    name,
    title: name,
    n: N,
    d: D,
    heads: 1,
    provenance: { made: 'for a test' },
    input: 'images',
    preprocessing: {
      resize: { height: SIDE, width: SIDE },
      resample: 'bilinear',
      rescale: 1 / 255,
      mean: [mean, mean, mean],
      std: [0.5, 0.5, 0.5],
    },
    network,
    output: 0,
    load: (precision) => loadLayer(layer, precision),
    passes: 0,
  };
  return layer;
}
