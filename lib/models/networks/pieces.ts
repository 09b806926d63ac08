import { tf, type Precision } from '../../tensor';
import type { LayerBatch } from '../feature-layer';

/**
 * The largest buffer that glibc's malloc takes from memory it holds already (M_MMAP_THRESHOLD's upper bound). A larger
 * one is mapped again, page by page, each time, which makes pointwise work on it several times slower.
 */
const REUSED_BYTES = 2 ** 25;

/** In how many pieces a batch should go so that a tensor with `numbers` an example stays below that size. */
export function piecesFor(batch: number, numbers: number, precision: Precision): number {
  const bytes = numbers * (precision === 'float32' ? 4 : 8);
  const most = Math.max(1, Math.floor((REUSED_BYTES - 1) / bytes));
  return Math.ceil(batch / most);
}

/** Nearly equal pieces of a batch, cut along its first axis. */
export function cut<T extends tf.Tensor>(batch: T, pieces: number): T[] {
  if (pieces <= 1) return [batch];
  const [size, ...rest] = batch.shape;
  return Array.from({ length: pieces }, (_, piece) => {
    const [start, end] = [piece, piece + 1].map((bound) => Math.round((bound * size) / pieces));
    return batch.slice([start, ...rest.map(() => 0)], [end - start, ...rest]) as T;
  });
}

/** What the layers make of a batch, from what they make of its pieces. */
export function joined(pieces: readonly (readonly LayerBatch[])[]): LayerBatch[] {
  if (pieces.length === 1) return [...pieces[0]];
  return pieces[0].map((first, layer) => ({
    queries: tf.concat(pieces.map((piece) => piece[layer].queries)),
    contexts: first.contexts && tf.concat(pieces.map((piece) => piece[layer].contexts!)),
    attention: first.attention && tf.concat(pieces.map((piece) => piece[layer].attention!)),
  }));
}

/** tf.tidy, which finds the tensors inside of records too; only its type does not say so. */
export function tidied<T>(work: () => T): T {
  return tf.tidy(work as unknown as () => tf.TensorContainer) as unknown as T;
}
