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

/**
 * Runs nearly equal pieces of a batch, cut along its first axis, one after the other and joins their results. Disposes
 * all else that `run` makes; to be called in the precision of the batch.
 */
export function inPieces<Batch extends tf.Tensor>(
  batch: Batch,
  pieces: number,
  run: (piece: Batch) => LayerBatch[],
): LayerBatch[] {
  const [size, ...rest] = batch.shape;
  const bounds = Array.from({ length: pieces + 1 }, (_, piece) => Math.round((piece * size) / pieces));
  return tidied(() => {
    if (pieces <= 1) return run(batch);
    const results = bounds.slice(1).map((end, piece) => {
      const start = bounds[piece];
      const shape = [end - start, ...rest];
      return tidied(() => run(batch.slice([start, ...rest.map(() => 0)], shape) as Batch));
    });
    return results[0].map((first, layer) => ({
      queries: tf.concat(results.map((result) => result[layer].queries)),
      contexts: first.contexts && tf.concat(results.map((result) => result[layer].contexts!)),
      attention: first.attention && tf.concat(results.map((result) => result[layer].attention!)),
    }));
  });
}

/** tf.tidy, which finds the tensors inside of records too; only its type does not say so. */
function tidied(work: () => LayerBatch[]): LayerBatch[] {
  return tf.tidy(work as unknown as () => tf.TensorContainer) as unknown as LayerBatch[];
}
