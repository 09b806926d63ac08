import { inPrecision, tf, toTensor, type Precision } from '../../tensor';
import { isWished, placeOf } from '../feature-layer';
import type { LayerBatch, LayerOutput, LoadedNetwork, Wish } from '../feature-layer';
import { shapesOf, tokenCount, type Architecture, type NetworkConfig } from './architecture';
import { concentration, type Block, type Parts } from './block';
import { inPieces, piecesFor } from './in-pieces';
import { attentionHeads, firstToken, headsOfOne } from './operations';
import { Tensors } from './tensors';
import { tokenBatch, withoutPadding, type Batch } from './token-batch';
import { requireShapes, type WeightSource } from '../weights/weight-source';

/**
 * A network with the weights that `outputs` need, in memory. It takes pixels `[B, 3, H, W]`, or token numbers `[B, n]`,
 * int32, -1 for padding.
 *
 * @throws InputError when the source lacks one of them or has it in another shape.
 */
export function loadNetwork<C extends NetworkConfig>(
  architecture: Architecture<C>,
  config: C,
  source: WeightSource,
  outputs: readonly LayerOutput[],
  precision: Precision,
): LoadedNetwork {
  const last = Math.max(0, ...outputs.map((output) => placeOf(output).block));
  requireShapes(source, shapesOf(architecture, config, last));
  const tensors = Tensors.reading(source, precision);
  try {
    const embed = architecture.embed(config, tensors);
    const blocks = Array.from({ length: last }, (_, index) => architecture.block(config, tensors, index + 1));
    const network = { query: architecture.query, embed, blocks };
    return {
      run: (input, contexts, attention = false) =>
        inPrecision(precision, () =>
          inPieces(input, piecesOf(input, config, precision), (piece) => {
            const batch =
              'vocabularySize' in config
                ? tokenBatch(piece as tf.Tensor2D, config.vocabularySize, config.positions)
                : { input: piece, lengths: [], mask: null };
            return withoutPadding(onePass(network, batch, outputs, contexts, attention), batch);
          }),
        ),
      dispose: () => tensors.dispose(),
    };
  } catch (error) {
    tensors.dispose();
    throw error;
  }
}

/** In how many pieces a batch goes through. The largest tensors: the MLP's hidden layer and, of text, the attention scores. */
function piecesOf({ shape: [batch, ...shape] }: tf.Tensor, config: NetworkConfig, precision: Precision): number {
  const isText = 'vocabularySize' in config;
  const n = isText ? shape[0] : tokenCount(config, shape[1], shape[2]);
  return piecesFor(batch, Math.max(n * config.intermediateSize, isText ? config.heads * n * n : 0), precision);
}

interface Resident {
  readonly query: Architecture['query'];
  embed(input: tf.Tensor): tf.Tensor3D;
  readonly blocks: readonly Block[];
}

/**
 * Takes what `outputs` ask for out of one pass. A query vector is always computed from the layer below by its own row
 * alone, so that it is the same to the last bit whether the contexts, or other layers, are asked for or not; a block is
 * computed whole only where its contexts, or a later layer, need it. To be called inside of tf.tidy.
 */
function onePass(
  { query, embed, blocks }: Resident,
  { input, lengths, mask }: Batch,
  outputs: readonly LayerOutput[],
  contexts: Wish,
  attention: Wish,
): LayerBatch[] {
  const rowOf = (x: tf.Tensor3D) => (query === 'first' ? firstToken(x) : lastToken(x, lengths));
  const found = new Array<LayerBatch>(outputs.length);
  const keep = (index: number, rows: Kept, whole: Kept) => {
    const { part } = placeOf(outputs[index]);
    // Clones share their numbers: two layers may be of one output, and a part may be its block's output.
    found[index] = {
      queries: rows[part]!.clone() as tf.Tensor2D,
      contexts: isWished(contexts, index) ? (whole[part]!.clone() as tf.Tensor3D) : null,
      attention: isWished(attention, index) && rows.weights ? concentration(rows.weights) : null,
    };
  };
  const indicesIn = (block: number) => [...outputs.keys()].filter((index) => placeOf(outputs[index]).block === block);

  let below = tf.tidy(() => embed(input));
  const [, n] = below.shape;
  const maskOfAll = query === 'last' ? causalMask(n) : (mask?.reshape([mask.shape[0], 1, 1, n]) ?? null);
  const maskOfOne = mask?.reshape([mask.shape[0], 1, n]) ?? null;
  for (const index of indicesIn(0)) keep(index, { output: rowOf(below) }, { output: below });
  for (const [number, block] of blocks.entries()) {
    const own = indicesIn(number + 1);
    const wanted = own.filter((index) => isWished(contexts, index)).map((index) => placeOf(outputs[index]).part);
    if (number + 1 < blocks.length) wanted.push('output');
    const { maps, heads: count, scale } = block.attention;
    const normed = block.before(below) as tf.Tensor3D;
    let rows: Kept = {};
    if (own.length > 0) {
      rows = tf.tidy(() => {
        const row = rowOf(normed);
        const { weights, joined } = headsOfOne(row, normed, maps, count, scale, maskOfOne);
        return { 'norm-1': row, heads: joined, weights, ...block.after(rowOf(below), joined) };
      });
    }
    let whole: Kept = {};
    if (wanted.length > 0) {
      whole = tf.tidy(() => {
        const heads = attentionHeads(normed, maps, count, scale, maskOfAll);
        const parts: Parts = { 'norm-1': normed, heads, ...block.after(below, heads) };
        return Object.fromEntries(Object.entries(parts).filter(([part]) => wanted.includes(part as keyof Parts)));
      });
    }
    for (const index of own) keep(index, rows, whole);
    const { output, ...others } = whole;
    tf.dispose([normed, below, ...Object.values(rows), ...Object.values(others)]);
    below = output as tf.Tensor3D;
  }
  return found;
}

type Kept = Parts & { weights?: tf.Tensor3D };

/** `[B, n, d]` -> `[B, d]`, the row of each example's last token. */
function lastToken(x: tf.Tensor3D, lengths: readonly number[]): tf.Tensor2D {
  const places = lengths.map((length, b) => [b, length - 1]);
  return tf.gatherND(x, tf.tensor2d(places, undefined, 'int32')) as tf.Tensor2D;
}

/** `[n, n]`: 0 where row i may see column j, which is up to its own, and minus infinity beyond. */
function causalMask(n: number): tf.Tensor2D {
  const mask = new Float64Array(n * n);
  for (let i = 0; i < n; i++) mask.fill(-Infinity, i * n + i + 1, (i + 1) * n);
  return toTensor(mask, [n, n]) as tf.Tensor2D;
}
