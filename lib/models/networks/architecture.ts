/** What an architecture says of itself; {@link loadNetwork} runs it. A new one is a file like bert.ts and a line in the registry. */
import type { tf } from '../../tensor';
import type { Configuration } from '../configuration';
import type { Block } from './block';
import type { Grid } from './operations';
import { Tensors } from './tensors';

/** What every configuration says. */
interface AnyConfig {
  /** d. */
  readonly hiddenSize: number;
  readonly depth: number;
  readonly heads: number;
  /** d_h, where it is not d / H. */
  readonly headSize?: number;
  /** Width of the MLP's hidden layer. */
  readonly intermediateSize: number;
}

export interface ImageConfig extends AnyConfig {
  /** Side of a patch in pixels. */
  readonly patchSize: number;
  /** Side of the image, in pixels, that the position embeddings were learned for. */
  readonly imageSize: number;
  /** Tokens before the patches: the class token, DeiT's distillation token, registers. 1 unless given; SigLIP has 0. */
  readonly specialTokens?: number;
}

export interface TextConfig extends AnyConfig {
  readonly vocabularySize: number;
  /** The most tokens that an example may have. */
  readonly positions: number;
}

export type NetworkConfig = ImageConfig | TextConfig;

export interface Architecture<C extends NetworkConfig = NetworkConfig> {
  readonly input: 'images' | 'tokens';
  /**
   * Which token is the query: the first (the class token, [CLS]), which attends to all; or the last, where attention is
   * causal, since it alone sees all the others. Where no token stands for the whole image, it is the mean of all of them.
   */
  readonly query: 'first' | 'last' | 'mean';
  /** What a head may put before the names of the tensors. */
  readonly prefix: string;
  /** Reads a config.json; keys that it leaves out have transformers' defaults. Throws InputError for what is not supported. */
  configuration(file: Configuration): C;
  /** Asks for the tensors of the embeddings; returns X_0, `[B, n, d]`, of pixels `[B, 3, H, W]` or of token numbers `[B, n]`. */
  embed(config: C, tensors: Tensors): (input: tf.Tensor) => tf.Tensor3D;
  /** Asks for the tensors of a block; blocks count from 1, as the layers do. */
  block(config: C, tensors: Tensors, block: number): Block;
}

/** Tokens of an image of `height` x `width` pixels: the special ones and the patches. */
export function tokenCount(config: ImageConfig, height: number, width: number): number {
  const { rows, columns } = gridOf(config, height, width);
  return (config.specialTokens ?? 1) + rows * columns;
}

/** The patches of an image; pixels that are left over at the right and the bottom belong to none. */
export function gridOf({ patchSize }: ImageConfig, height: number, width: number): Grid {
  return { rows: Math.floor(height / patchSize), columns: Math.floor(width / patchSize) };
}

/** Every tensor of the embeddings and of blocks 1 to `blocks`, under Hugging Face's names, with its shape. */
export function shapesOf<C extends NetworkConfig>(
  architecture: Architecture<C>,
  config: C,
  blocks = config.depth,
): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const tensors = Tensors.listing(shapes);
  architecture.embed(config, tensors);
  for (let block = 1; block <= blocks; block++) architecture.block(config, tensors, block);
  return shapes;
}
