/**
 * Rotary positions (Su et al., arXiv 2104.09864), as transformers' decoders have them: the first 2 r numbers of a head are r
 * pairs (i, i + r), and at position p pair i is turned by the angle p f_i. `rope_type` scales the frequencies f_i for longer
 * texts than the network was first trained on, following transformers' `modeling_rope_utils.py`.
 */
import { InputError } from '../../input-error';
import { tf, toTensor } from '../../tensor';
import type { Configuration } from '../configuration';

export interface Rotary {
  /** f_i, in radians per position: `[r]`. */
  readonly frequencies: readonly number[];
  /** What the turned pairs are multiplied by: YaRN's, else 1. */
  readonly factor: number;
}

/**
 * The rotation that `parameters` (a configuration's `rope_parameters`, or its older `rope_scaling`) describe.
 *
 * @param headSize d_h
 * @param theta the base of the frequencies, and `share` the part of d_h that is turned, where `parameters` do not name them
 * @param positions `max_position_embeddings`
 * @throws InputError for a `rope_type` that is not known.
 */
export function rotaryOf(
  parameters: Configuration,
  headSize: number,
  theta: number,
  positions: number,
  share = 1,
): Rotary {
  const base = parameters.number('rope_theta', theta);
  const size = Math.trunc(headSize * parameters.number('partial_rotary_factor', share));
  const plain = Array.from({ length: Math.ceil(size / 2) }, (_, i) => base ** ((-2 * i) / size));
  const type = parameters.string('rope_type', parameters.string('type', 'default'));
  // `dynamic` changes the frequencies only beyond the positions, where no text is taken.
  if (type === 'default' || type === 'dynamic') return { frequencies: plain, factor: 1 };
  const factor = parameters.number('factor', type === 'yarn' ? undefined : 1);
  if (type === 'linear') return { frequencies: plain.map((frequency) => frequency / factor), factor: 1 };
  const trained = parameters.count('original_max_position_embeddings', positions);
  if (type === 'llama3') {
    const [low, high] = ['low_freq_factor', 'high_freq_factor'].map((key) => parameters.number(key));
    const frequencies = plain.map((frequency) => {
      const turns = (trained * frequency) / (2 * Math.PI);
      const smooth = Math.min(1, Math.max(0, (turns - low) / (high - low)));
      return ((1 - smooth) / factor + smooth) * frequency;
    });
    return { frequencies, factor: 1 };
  }
  if (type === 'yarn') return yarn(parameters, plain, size, base, factor, trained);
  throw new InputError(
    `${parameters.origin}: expected a rope_type among default, linear, dynamic, llama3, yarn, got ${JSON.stringify(type)}`,
  );
}

/** Peng et al., arXiv 2309.00071: frequencies of many turns stay, those of few are divided by the factor. */
function yarn(
  parameters: Configuration,
  plain: readonly number[],
  size: number,
  base: number,
  factor: number,
  trained: number,
): Rotary {
  const growth = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const [mscale, mscaleAll] = ['mscale', 'mscale_all_dim'].map((key) => parameters.get(key, 0) as number);
  const standard = mscale && mscaleAll ? growth(mscale) / growth(mscaleAll) : growth(1);
  /** The pair that makes so many turns over the text that the network was trained on. */
  const pairOf = (turns: number) => (size * Math.log(trained / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const bounds = [pairOf(parameters.number('beta_fast', 32)), pairOf(parameters.number('beta_slow', 1))];
  const truncate = parameters.boolean('truncate', true);
  const low = Math.max(truncate ? Math.floor(bounds[0]) : bounds[0], 0);
  const high = Math.min(truncate ? Math.ceil(bounds[1]) : bounds[1], size - 1);
  const frequencies = plain.map((frequency, i) => {
    const divided = Math.min(1, Math.max(0, (i - low) / (high === low ? 0.001 : high - low)));
    return (divided / factor + 1 - divided) * frequency;
  });
  return { frequencies, factor: parameters.number('attention_factor', standard) };
}

/** Turns heads `[B, m, H, d_h]` of tokens at `positions`, one for each example (m = 1), or at 0 to m - 1 where that is null. */
export function rotate(x: tf.Tensor4D, rotary: Rotary, positions: readonly number[] | null): tf.Tensor4D {
  const [, m] = x.shape;
  const pairs = rotary.frequencies.length;
  const { cos, sin } = tablesOf(rotary, positions ?? Array.from({ length: m }, (_, position) => position));
  const shape = positions ? [positions.length, 1, 1, pairs] : [m, 1, pairs];
  return tf.tidy(() => turned(x, toTensor(cos, shape), toTensor(sin, shape)));
}

/** Turns the pairs (i, i + r) of heads `[B, m, H, d_h]` by angles whose cosines and sines broadcast to `[B, m, H, r]`. */
export function turned(x: tf.Tensor4D, cos: tf.Tensor, sin: tf.Tensor): tf.Tensor4D {
  const size = x.shape[3];
  const pairs = cos.shape[cos.rank - 1];
  return tf.tidy(() => {
    const part = (from: number, length: number) => x.slice([0, 0, 0, from], [-1, -1, -1, length]);
    const [first, second] = [part(0, pairs), part(pairs, pairs)];
    const parts = [
      tf.sub(tf.mul(first, cos), tf.mul(second, sin)),
      tf.add(tf.mul(second, cos), tf.mul(first, sin)),
      ...(2 * pairs < size ? [part(2 * pairs, size - 2 * pairs)] : []),
    ];
    return tf.concat(parts, 3) as tf.Tensor4D;
  });
}

interface Tables {
  readonly positions: readonly number[];
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

/** The last tables of 0, 1, …, which every block of a network uses. */
const kept = new WeakMap<Rotary, Tables>();

function tablesOf(rotary: Rotary, positions: readonly number[]): Tables {
  const isRun = positions.every((position, i) => position === i);
  const last = kept.get(rotary);
  if (isRun && last?.positions.length === positions.length) return last;
  const pairs = rotary.frequencies.length;
  const table = (of: (angle: number) => number) =>
    Float64Array.from(
      { length: positions.length * pairs },
      (_, i) => rotary.factor * of(positions[Math.floor(i / pairs)] * rotary.frequencies[i % pairs]),
    );
  const tables = { positions, cos: table(Math.cos), sin: table(Math.sin) };
  if (isRun) kept.set(rotary, tables);
  return tables;
}
