/**
 * Today's decoders. Llama (Touvron et al., arXiv 2302.13971), following transformers' `modeling_llama.py`, and its kin Mistral
 * (arXiv 2310.06825), Qwen2 and Qwen3 (arXiv 2407.10671, 2505.09388), by transformers' files of those names:
 *
 *     X_0 = words
 *     Y_l = X_{l-1} + attention(N(X_{l-1}))
 *     X_l = Y_l     + W_down (silu(W_gate N(Y_l)) * W_up N(Y_l))
 *
 * N is RMSNorm. A token attends to itself and to those before it, in Mistral's, Qwen's and Gemma's sliding layers to the nearest
 * of them; queries and keys are turned by their positions, and heads share keys and values in groups. Qwen2 has biases on
 * queries, keys and values; Qwen3 norms each head's queries and keys. The query vector e(t) is the last row of X_l.
 */
import { InputError } from '../../input-error';
import { scalar, tf } from '../../tensor';
import type { Configuration } from '../configuration';
import type { Architecture, TextConfig } from './architecture';
import { preNorm } from './block';
import { activate, activationNamed, feedForward, linear, rmsNorm, type Activation } from './operations';
import { rotaryOf, rotate, type Rotary } from './rotary';
import type { Tensors } from './tensors';

export interface DecoderConfig extends TextConfig {
  /** d_h, which need not be d / H. */
  readonly headSize: number;
  /** G. */
  readonly keyValueHeads: number;
  readonly activation: Activation;
  readonly normEps: number;
  readonly biases: { readonly queryKeyValue: boolean; readonly output: boolean; readonly mlp: boolean };
  /** Whether each head's queries and keys are normed. */
  readonly headNorms: boolean;
  /** Of each block. */
  readonly blocks: readonly { readonly rotary: Rotary; readonly reach: number | null }[];
  /** What scores are multiplied by. */
  readonly scale: number;
  /** Gemma's differences: see gemma.ts. */
  readonly gemma?: {
    readonly cap: number | null;
    /** Whether what attention and the MLP add is normed as well. */
    readonly normsAfter: boolean;
  };
}

/** What a configuration may leave out, by transformers' defaults for its architecture. */
interface Defaults {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly depth: number;
  readonly heads: number;
  readonly intermediateSize: number;
  readonly positions: number;
  /** Absent: as many as heads. */
  readonly keyValueHeads?: number;
  /** Absent: d / H. */
  readonly headSize?: number;
}

/** What the configurations of all of them say. */
export function decoderConfig(file: Configuration, defaults: Defaults): Omit<DecoderConfig, 'blocks'> {
  file.only('attention_chunk_size', null);
  const hiddenSize = file.count('hidden_size', defaults.hiddenSize);
  const heads = file.count('num_attention_heads', defaults.heads);
  const keyValueHeads = file.count('num_key_value_heads', defaults.keyValueHeads ?? heads);
  if (heads % keyValueHeads !== 0) {
    throw new InputError(
      `${file.origin}: expected num_attention_heads to be a multiple of num_key_value_heads ${keyValueHeads}, got ${heads}`,
    );
  }
  const headSize = file.count('head_dim', defaults.headSize ?? Math.trunc(hiddenSize / heads));
  const bias = file.boolean('attention_bias', false);
  return {
    vocabularySize: file.count('vocab_size', defaults.vocabularySize),
    positions: file.count('max_position_embeddings', defaults.positions),
    hiddenSize,
    depth: file.count('num_hidden_layers', defaults.depth),
    heads,
    headSize,
    keyValueHeads,
    intermediateSize: file.count('intermediate_size', defaults.intermediateSize),
    activation: activationNamed(file.get('hidden_act', 'silu'), file.origin),
    normEps: file.number('rms_norm_eps', 1e-6),
    biases: { queryKeyValue: bias, output: bias, mlp: file.boolean('mlp_bias', false) },
    headNorms: false,
    scale: 1 / Math.sqrt(headSize),
  };
}

/** The rotation of all blocks, under the present or the older names. */
export function oneRotary(
  file: Configuration,
  { headSize, positions }: { headSize: number; positions: number },
): Rotary {
  const parameters = file.section(file.get('rope_scaling', null) === null ? 'rope_parameters' : 'rope_scaling');
  return rotaryOf(parameters, headSize, file.number('rope_theta', 10000), positions);
}

/** Which blocks see the nearest tokens only: `layer_types`, else as `isSliding` says of blocks counted from 0. */
export function slidingBlocks(file: Configuration, depth: number, isSliding: (block: number) => boolean): boolean[] {
  const types = file.get('layer_types', null);
  if (types === null) return Array.from({ length: depth }, (_, block) => isSliding(block));
  const known = ['full_attention', 'sliding_attention'];
  if (Array.isArray(types) && types.length >= depth && types.every((type) => known.includes(type as string))) {
    return types.slice(0, depth).map((type) => type === 'sliding_attention');
  }
  throw new InputError(
    `${file.origin}: expected layer_types of ${depth} entries, each ${known.join(' or ')}, got ${JSON.stringify(types)}`,
  );
}

const LLAMA = {
  vocabularySize: 32000,
  hiddenSize: 4096,
  depth: 32,
  heads: 32,
  intermediateSize: 11008,
  positions: 2048,
};
const MISTRAL = { ...LLAMA, intermediateSize: 14336, positions: 131072, keyValueHeads: 8 };
const QWEN = { ...LLAMA, vocabularySize: 151936, intermediateSize: 22016, positions: 32768, keyValueHeads: 32 };

export const llama: Architecture<DecoderConfig> = {
  input: 'tokens',
  query: 'last',
  prefix: 'model',

  configuration(file) {
    const read = decoderConfig(file, LLAMA);
    const block = { rotary: oneRotary(file, read), reach: null };
    return { ...read, blocks: new Array<typeof block>(read.depth).fill(block) };
  },

  embed({ vocabularySize, hiddenSize: d, gemma }, tensors) {
    const words = tensors.table('embed_tokens.weight', vocabularySize, d);
    return (ids) => (gemma ? tf.mul(words(ids), scalar(Math.sqrt(d))) : words(ids)) as tf.Tensor3D;
  },

  block({ hiddenSize: d, heads, headSize, keyValueHeads, intermediateSize: width, ...config }, tensors, number) {
    const { activation, biases, headNorms, scale, gemma } = config;
    const { rotary, reach } = config.blocks[number - 1];
    const inside = tensors.inside(`layers.${number - 1}`);
    const norm = (name: string, size = d) => rms(inside, name, size, config);
    const map = (name: string, from: number, to: number, bias: boolean) => inside.linear(name, from, to, bias);
    const norm1 = norm('input_layernorm');
    const maps = {
      query: map('self_attn.q_proj', d, heads * headSize, biases.queryKeyValue),
      key: map('self_attn.k_proj', d, keyValueHeads * headSize, biases.queryKeyValue),
      value: map('self_attn.v_proj', d, keyValueHeads * headSize, biases.queryKeyValue),
    };
    const same = (x: tf.Tensor) => x;
    const headNorm = {
      query: headNorms ? norm('self_attn.q_norm', headSize) : same,
      key: headNorms ? norm('self_attn.k_norm', headSize) : same,
    };
    const joining = map('self_attn.o_proj', heads * headSize, d, biases.output);
    const afterAttention = gemma?.normsAfter ? norm('post_attention_layernorm') : same;
    const norm2 = norm(gemma?.normsAfter ? 'pre_feedforward_layernorm' : 'post_attention_layernorm');
    const gate = map('mlp.gate_proj', d, width, biases.mlp);
    const up = map('mlp.up_proj', d, width, biases.mlp);
    const down = map('mlp.down_proj', width, d, biases.mlp);
    const afterMlp = gemma?.normsAfter ? norm('post_feedforward_layernorm') : same;
    return preNorm({
      attention: {
        maps,
        heads,
        scale,
        place: (x, of, positions) => rotate(headNorm[of](x) as tf.Tensor4D, rotary, positions),
        cap: gemma?.cap,
        reach,
      },
      norm1,
      join: (x) => afterAttention(linear(x, joining)),
      norm2,
      mlp: (x) => afterMlp(feedForward(x, (y) => tf.mul(activate(linear(y, gate), activation), linear(y, up)), down)),
    });
  },
};

/** RMSNorm with the weights under `name`; Gemma keeps gamma - 1. */
function rms(
  tensors: Tensors,
  name: string,
  size: number,
  { normEps, gemma }: Pick<DecoderConfig, 'normEps' | 'gemma'>,
) {
  const [gamma] = tensors.pieces(`${name}.weight`, [size], (w) => [gemma ? tf.add(w, scalar(1)) : w]);
  return (x: tf.Tensor) => rmsNorm(x, normEps, gamma);
}

/** Every block sees `sliding_window` tokens, itself included; null: all before it. */
export const mistral: Architecture<DecoderConfig> = {
  ...llama,
  configuration(file) {
    const read = decoderConfig(file, MISTRAL);
    const window = file.optionalNumber('sliding_window', 4096);
    const block = { rotary: oneRotary(file, read), reach: window && window - 1 };
    return { ...read, blocks: new Array<typeof block>(read.depth).fill(block) };
  },
};

function qwen(file: Configuration, defaults: Defaults): DecoderConfig {
  const read = decoderConfig(file, defaults);
  const rotary = oneRotary(file, read);
  const reach = file.boolean('use_sliding_window', false) ? file.count('sliding_window', 4096) - 1 : null;
  const full = file.get('max_window_layers', 28) as number;
  const sliding = slidingBlocks(file, read.depth, (block) => block >= full);
  return { ...read, blocks: sliding.map((slides) => ({ rotary, reach: slides ? reach : null })) };
}

export const qwen2: Architecture<DecoderConfig> = {
  ...llama,
  configuration: (file) => ({ ...qwen(file, QWEN), biases: { queryKeyValue: true, output: false, mlp: false } }),
};

export const qwen3: Architecture<DecoderConfig> = {
  ...llama,
  configuration: (file) => ({ ...qwen(file, { ...QWEN, headSize: 128 }), headNorms: true }),
};
