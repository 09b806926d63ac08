/** From examples to what a network takes: pixels of images, token numbers of text. */
import { pixelBatch, type ExampleSet, type PixelBatch, type ResizedImages } from '../data';
import type { FeatureLayer } from '../models';
import { tf, toTensor, type Precision } from '../tensor';

/** Pixels `[B, 3, H, W]`, or token numbers `[B, n]` with -1 for padding. */
export type InputBatch = PixelBatch | { readonly data: Int32Array; readonly shape: [examples: number, tokens: number] };

/** The examples at `indices`, as the network of `layer` takes them. Throws where it takes images and the examples are text, or the other way. */
export function readBatch(
  layer: FeatureLayer,
  examples: ExampleSet,
  indices: readonly number[],
  precision: Precision,
  kept?: ResizedImages,
): InputBatch {
  const isText = 'tokens' in examples;
  if (isText !== (layer.input === 'tokens')) {
    throw new Error(
      `${layer.name}: expected ${layer.input === 'tokens' ? 'text' : 'images'}, got the ${isText ? 'text' : 'images'} of ${examples.name}`,
    );
  }
  if (!isText) return pixelBatch(examples, indices, layer.preprocessing, precision, kept);
  if (examples.n !== layer.n) {
    throw new Error(`${layer.name}: expected passages of ${layer.n} tokens, got ${examples.n} in ${examples.name}`);
  }
  const data = new Int32Array(indices.length * layer.n);
  indices.forEach((index, b) => data.set(examples.tokens(index), b * layer.n));
  return { data, shape: [indices.length, layer.n] };
}

/** A batch as a tensor of the current precision; token numbers are int32 in both. */
export function toInput({ data, shape }: InputBatch): tf.Tensor {
  return data instanceof Int32Array ? tf.tensor(data, shape, 'int32') : toTensor(data, shape);
}
