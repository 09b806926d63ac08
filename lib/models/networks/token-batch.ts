import { InputError } from '../../input-error';
import { scalar, tf, toTensor } from '../../tensor';
import type { LayerBatch } from '../feature-layer';

/** One batch as a network takes it, with what tells tokens of a text from padding. */
export interface Batch {
  /** Pixels `[B, 3, H, W]`, or token numbers `[B, n]`, int32, 0 where there is no token. */
  readonly input: tf.Tensor;
  /** Of text: tokens of each example; what lies behind them is padding. */
  readonly lengths: readonly number[];
  /** `[B, n]`: 0 for a token, minus infinity for padding, to be added to attention scores; null where there is none. */
  readonly mask: tf.Tensor2D | null;
}

/**
 * Reads a batch of token numbers `[B, n]`, int32, in which -1 stands for padding behind an example's own tokens.
 * To be called inside of tf.tidy, in the precision of the network.
 *
 * @throws InputError when a number is not of the vocabulary, or an example has more tokens than positions, or no token.
 */
export function tokenBatch(tokens: tf.Tensor2D, vocabularySize: number, positions: number): Batch {
  const [batch, n] = tokens.shape;
  if (n > positions) {
    throw new InputError(
      `expected at most ${positions} tokens, as many as the network has positions for, got ${n}; cut the examples shorter`,
    );
  }
  const values = tokens.dataSync();
  const lengths = Array.from({ length: batch }, (_, b) => {
    const row = values.subarray(b * n, (b + 1) * n);
    const end = row.indexOf(-1);
    const length = end < 0 ? n : end;
    const bad = row.findIndex((id, i) => (i < length ? id < 0 || id >= vocabularySize : id !== -1));
    if (bad >= 0) {
      throw new InputError(
        `expected tokens as numbers from 0 to ${vocabularySize - 1}, got ${row[bad]} at position ${bad}`,
      );
    }
    if (length === 0) throw new InputError('expected at least one token in each example, got one without');
    return length;
  });
  if (lengths.every((length) => length === n)) return { input: tokens, lengths, mask: null };
  const mask = toTensor(
    Float64Array.from(values, (id) => (id < 0 ? -Infinity : 0)),
    [batch, n],
  ) as tf.Tensor2D;
  return { input: tf.maximum(tokens, tf.scalar(0, 'int32')), lengths, mask };
}

/** Writes zeros where a context matrix has padding: its rows beyond an example's own tokens mean nothing. */
export function withoutPadding(outputs: LayerBatch[], { mask }: Batch): LayerBatch[] {
  if (mask === null) return outputs;
  const real = tf.cast(tf.equal(mask, scalar(0)), 'float32').expandDims(-1); // [B, n, 1]
  return outputs.map(({ contexts, ...others }) => ({
    ...others,
    contexts: contexts && (tf.mul(contexts, real) as tf.Tensor3D),
  }));
}
