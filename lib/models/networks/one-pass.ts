import { inPrecision, tf, toTensor, type Precision } from '../../tensor';
import { isWished, placeOf } from '../feature-layer';
import type { LayerBatch, LayerOutput, LoadedNetwork, Wish } from '../feature-layer';
import { InputError } from '../../input-error';
import { gridOf, shapesOf, tokenCount, type Architecture, type NetworkConfig } from './architecture';
import { concentration, type Block, type Parts } from './block';
import { attentionHeads, firstToken, headsOfOne, type Grid } from './operations';
import { cut, joined, piecesFor, tidied } from './pieces';
import { Tensors } from './tensors';
import { tokenBatch, withoutPadding, type Batch } from './token-batch';
import { requireShapes, type WeightSource } from '../weights/weight-source';

/** Weights up to this size are read once and stay in memory; a larger network is read again, block by block, in each pass. */
const RESIDENT_BYTES = 2 ** 31;

/**
 * A network with the weights that `outputs` need. It takes pixels `[B, 3, H, W]`, or token numbers `[B, n]`, int32, -1 for
 * padding. Where the weights are large, a pass holds one block's at a time, and of the table of words the rows it needs.
 *
 * @throws InputError when the source lacks one of them or has it in another shape.
 */
export function loadNetwork<C extends NetworkConfig>(
  architecture: Architecture<C>,
  config: C,
  source: WeightSource,
  outputs: readonly LayerOutput[],
  precision: Precision,
  residentBytes = RESIDENT_BYTES,
): LoadedNetwork {
  const last = Math.max(0, ...outputs.map((output) => placeOf(output).block));
  const shapes = shapesOf(architecture, config, last);
  requireShapes(source, shapes);
  const numbers = [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const streamed = numbers * (precision === 'float32' ? 4 : 8) > residentBytes;
  const tensors = Tensors.reading(source, precision, streamed);
  try {
    const embed = architecture.embed(config, tensors);
    const blocks = Array.from({ length: streamed ? 0 : last }, (_, i) => architecture.block(config, tensors, i + 1));
    /** Gives a block to `use`, and frees its weights where they do not stay in memory. */
    const withBlock = (number: number, use: (block: Block) => void) => {
      if (!streamed) return use(blocks[number - 1]);
      const own = Tensors.reading(source, precision, streamed);
      try {
        use(architecture.block(config, own, number));
      } finally {
        own.dispose();
      }
    };
    return {
      streamed,
      run: (input, contexts, attention = false) =>
        inPrecision(precision, () =>
          tidied(() => {
            const passes = cut(input, piecesOf(input, config, precision)).map((piece) => {
              const batch =
                'vocabularySize' in config
                  ? tokenBatch(piece as tf.Tensor2D, config.vocabularySize, config.positions)
                  : { input: piece, lengths: [], mask: null };
              const grid = 'vocabularySize' in config ? null : gridOf(config, piece.shape[2]!, piece.shape[3]!);
              return new Pass(architecture.query, batch, grid, outputs, contexts, attention, last, embed);
            });
            for (let number = 1; number <= last; number++) {
              withBlock(number, (block) => passes.forEach((pass) => pass.through(block, number)));
            }
            return joined(passes.map((pass) => pass.results()));
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

interface Masks {
  readonly all: tf.Tensor | null;
  readonly one: tf.Tensor | null;
}

type Rows = Parts & { readonly weights?: tf.Tensor3D };

/**
 * One pass of a piece of a batch, block by block. A query vector is always computed from the layer below by its own row
 * alone, so that it is the same to the last bit whether the contexts, or other layers, are asked for or not; a block is
 * computed whole only where its contexts, or a later layer, need it. To be used inside of tf.tidy.
 */
class Pass {
  private readonly found: LayerBatch[] = [];
  private readonly masks = new Map<number | null, Masks>();
  /** The position of each example's query. */
  private readonly positions: readonly number[];
  /** X_{l-1}: `[B, n, d]`. */
  private below: tf.Tensor3D;

  constructor(
    private readonly query: Architecture['query'],
    private readonly batch: Batch,
    private readonly grid: Grid | null,
    private readonly outputs: readonly LayerOutput[],
    private readonly contexts: Wish,
    private readonly attention: Wish,
    private readonly last: number,
    embed: (input: tf.Tensor) => tf.Tensor3D,
  ) {
    if (query === 'mean' && outputs.some((_, index) => isWished(attention, index))) {
      throw new InputError(
        'expected a network with a token as its query, to see where it attends; this one has the mean',
      );
    }
    this.below = tf.tidy(() => embed(batch.input));
    this.positions =
      query === 'last' ? batch.lengths.map((length) => length - 1) : new Array<number>(batch.input.shape[0]).fill(0);
    for (const index of this.indicesIn(0)) this.keep(index, { output: this.rowOf(this.below) }, { output: this.below });
  }

  through(block: Block, number: number): void {
    const { below } = this;
    const own = this.indicesIn(number);
    const isMean = this.query === 'mean';
    const wanted = own
      .filter((index) => isMean || isWished(this.contexts, index))
      .map((index) => placeOf(this.outputs[index]).part);
    if (number < this.last) wanted.push('output');
    const normed = block.before(below) as tf.Tensor3D;
    const onGrid = this.grid && block.attention.onGrid?.(this.grid);
    const attention = { ...block.attention, ...onGrid };
    const { all, one } = withBias(this.masksOf(attention.reach ?? null), onGrid?.bias);
    let rows: Rows = {};
    if (own.length > 0 && !isMean) {
      rows = tf.tidy(() => {
        const row = this.rowOf(normed);
        const { weights, joined: heads } = headsOfOne(row, normed, attention, one, this.positions);
        return { 'norm-1': row, heads, weights, ...block.after(this.rowOf(below), heads) };
      });
    }
    let whole: Parts = {};
    if (wanted.length > 0) {
      whole = tf.tidy(() => {
        const heads = attentionHeads(normed, attention, all);
        const parts: Parts = { 'norm-1': normed, heads, ...block.after(below, heads) };
        return Object.fromEntries(Object.entries(parts).filter(([part]) => wanted.includes(part as keyof Parts)));
      });
    }
    if (isMean && own.length > 0) {
      rows = Object.fromEntries(Object.entries(whole).map(([part, tokens]) => [part, tf.mean(tokens, 1)]));
    }
    for (const index of own) this.keep(index, rows, whole);
    const { output, ...others } = whole;
    const biases = onGrid?.bias ? [onGrid.bias, one!] : [];
    tf.dispose([normed, below, ...biases, ...Object.values(rows), ...Object.values(others)]);
    this.below = output as tf.Tensor3D;
  }

  results(): LayerBatch[] {
    return withoutPadding(this.found, this.batch);
  }

  private indicesIn(block: number): number[] {
    return [...this.outputs.keys()].filter((index) => placeOf(this.outputs[index]).block === block);
  }

  /** Clones share their numbers: two layers may be of one output, and a part may be its block's output. */
  private keep(index: number, rows: Rows, whole: Parts): void {
    const { part } = placeOf(this.outputs[index]);
    this.found[index] = {
      queries: rows[part]!.clone() as tf.Tensor2D,
      contexts: isWished(this.contexts, index) ? (whole[part]!.clone() as tf.Tensor3D) : null,
      attention: isWished(this.attention, index) && rows.weights ? concentration(rows.weights) : null,
    };
  }

  /** The query's row, or the mean of all: `[B, n, d]` -> `[B, d]`. */
  private rowOf(x: tf.Tensor3D): tf.Tensor2D {
    if (this.query === 'mean') return tf.mean(x, 1);
    if (this.query === 'first') return firstToken(x);
    const places = this.positions.map((position, b) => [b, position]);
    return tf.gatherND(x, tf.tensor2d(places, undefined, 'int32')) as tf.Tensor2D;
  }

  /** What is added to the scores of all tokens, to be broadcast to `[B, H, n, n]`, and to the query's, `[B, H, n]`. */
  private masksOf(reach: number | null): Masks {
    let masks = this.masks.get(reach);
    if (masks === undefined) {
      const [batch, n] = this.below.shape;
      const padding = this.batch.mask;
      const causal = this.query === 'last';
      // Padding lies behind all tokens: where attention is causal they do not see it, and only the query's own mask needs it.
      const visible = causal || reach !== null ? visibility(n, causal, reach) : null;
      const ofTokens = causal ? null : padding?.reshape([batch, 1, 1, n]);
      const ofQuery = padding?.reshape([batch, 1, n]);
      const near = visible && reach !== null ? tf.gather(visible, [...this.positions]).expandDims(1) : null; // [B, 1, n]
      masks = {
        all: visible && ofTokens ? tf.add(ofTokens, visible) : (visible ?? ofTokens ?? null),
        one: near && ofQuery ? tf.add(ofQuery, near) : (near ?? ofQuery ?? null),
      };
      this.masks.set(reach, masks);
    }
    return masks;
  }
}

/** The masks of an image's tokens, which has no padding, with the bias of a grid of patches; the query is its first token. */
function withBias(masks: Masks, bias: tf.Tensor4D | undefined): Masks {
  if (bias === undefined) return masks;
  const [, heads, n] = bias.shape;
  return { all: bias, one: bias.slice([0, 0, 0, 0], [1, heads, 1, n]).reshape([1, heads, n]) };
}

/**
 * `[n, n]`: 0 where row i may see column j, which is at most `reach` away and, where attention is causal, not after it. Beyond
 * it lies a number that no score outweighs, rather than minus infinity: rows of padding may see no token at all.
 */
function visibility(n: number, causal: boolean, reach: number | null): tf.Tensor2D {
  const mask = new Float64Array(n * n);
  const far = reach ?? n;
  const hidden = causal ? -Infinity : -1e30;
  for (let i = 0; i < n; i++) {
    mask.fill(hidden, i * n, i * n + Math.max(0, i - far));
    mask.fill(hidden, i * n + (causal ? i : Math.min(n - 1, i + far)) + 1, (i + 1) * n);
  }
  return toTensor(mask, [n, n]) as tf.Tensor2D;
}
