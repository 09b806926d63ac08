/** From pixels to the tokens of patches, as all Vision Transformers make them. */
import { InputError } from '../../input-error';
import { tf, toTensor, valuesOf } from '../../tensor';
import type { Configuration } from '../configuration';
import { gridOf, type ImageConfig } from './architecture';
import { activationNamed } from './operations';
import { resizeGrid, type Interpolation } from '../../data/images/resize-grid';
import type { Tensors } from './tensors';

/** What the configurations of Vision Transformers say alike; of `image_size` and `patch_size`, as transformers has it, a pair too. */
export function imageConfig(file: Configuration, patchSize: number, activation = 'gelu') {
  const channels = file.count('num_channels', 3);
  if (channels !== 3) throw new InputError(`${file.origin}: expected 3 channels, got num_channels ${channels}`);
  return {
    ...file.heads('hidden_size', 'num_attention_heads', 768, 12),
    depth: file.count('num_hidden_layers', 12),
    intermediateSize: file.count('intermediate_size', 3072),
    activation: activationNamed(file.get('hidden_act', activation), file.origin),
    imageSize: square(file, 'image_size', 224),
    patchSize: square(file, 'patch_size', patchSize),
  };
}

/** A side, or two equal ones. */
function square(file: Configuration, key: string, fallback: number): number {
  const value = file.get(key, fallback);
  if (!Array.isArray(value)) return file.count(key, fallback);
  const sides = value.map((side: unknown) => file.with(key, side).count(key));
  if (sides.length === 2 && sides[0] === sides[1]) return sides[0];
  throw new InputError(
    `${file.origin}: expected ${key} to be one side or two equal ones, got ${JSON.stringify(value)}`,
  );
}

export interface PatchNames {
  /** The convolution's name. */
  readonly projection: string;
  /** Whether it has a bias. */
  readonly bias?: boolean;
  /** The position embeddings of the patches, `[side^2, d]`, row by row; absent where there are none. Called when images come. */
  readonly positions?: () => tf.Tensor;
  /** How they are resized for an image of another size. */
  readonly interpolation?: Interpolation;
}

/**
 * Asks for the patches' convolution; returns their embeddings, positions added, of pixels `[B, 3, H, W]`: `[B, rows columns, d]`,
 * row by row. Where the image has another number of patches than the positions were learned for, those are resized.
 */
export function patchEmbedding(
  tensors: Tensors,
  config: ImageConfig,
  { projection, bias = true, positions, interpolation }: PatchNames,
): (pixels: tf.Tensor) => tf.Tensor3D {
  const { hiddenSize: d, patchSize: p, imageSize } = config;
  const side = Math.floor(imageSize / p);
  const map = tensors.patches(projection, d, p, bias);
  /** What is added to the patches, the bias and the position embeddings, by the grid's size. */
  const added = new Map<string, tf.Tensor>();
  const addedTo = (rows: number, columns: number) => {
    const zero = map.bias ?? tf.zeros([d]);
    if (positions === undefined) return zero.clone();
    const grid = positions().reshape([side * side, d]);
    if (rows === side && columns === side) return tf.add(grid, zero);
    const resized = resizeGrid(valuesOf(grid), [side, side], [rows, columns], d, interpolation);
    return tf.add(toTensor(resized, [rows * columns, d]), zero);
  };
  return (pixels) => {
    const [batch, channels, height, width] = pixels.shape as [number, number, number, number];
    const { rows, columns } = gridOf(config, height, width);
    const size = `${rows} x ${columns}`;
    if (!added.has(size)) added.set(size, tensors.keep(tf.tidy(() => addedTo(rows, columns))));
    // A convolution of stride p leaves out what is left over at the right and the bottom.
    const covered = pixels.slice([0, 0, 0, 0], [-1, -1, rows * p, columns * p]);
    const patches = tf
      .transpose(covered.reshape([batch, channels, rows, p, columns, p]), [0, 2, 4, 1, 3, 5]) // [B, rows, columns, 3, p, p]
      .reshape([batch * rows * columns, channels * p * p]);
    const embedded = tf.matMul(patches, map.weight, false, true).reshape([batch, rows * columns, d]);
    return tf.add(embedded, added.get(size)!);
  };
}

/** Tokens that are the same for every image, `[1, s, d]`, before those of its patches. */
export function prepended(special: tf.Tensor, patches: tf.Tensor3D): tf.Tensor3D {
  return tf.concat([special.tile([patches.shape[0], 1, 1]), patches], 1) as tf.Tensor3D;
}
