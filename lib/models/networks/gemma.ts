/**
 * Gemma (arXiv 2403.08295), Gemma 2 (arXiv 2408.00118) and the text networks of Gemma 3 (arXiv 2503.19786), following
 * transformers' files of those names. They are Llama's blocks with words times sqrt(d), norms that keep gamma - 1 and GELU.
 * Gemma 2 norms what attention and the MLP add as well, caps scores, and in every other block sees the nearest tokens only;
 * Gemma 3 norms each head's queries and keys, and turns faster where it sees the nearest tokens.
 */
import type { Architecture } from './architecture';
import type { Configuration } from '../configuration';
import { decoderConfig, llama, oneRotary, slidingBlocks, type DecoderConfig } from './llama';
import { activationNamed } from './operations';
import { rotaryOf } from './rotary';

const plain = { cap: null, normsAfter: false };

const GEMMA = {
  vocabularySize: 256000,
  hiddenSize: 3072,
  depth: 28,
  heads: 16,
  intermediateSize: 24576,
  positions: 8192,
  keyValueHeads: 16,
  headSize: 256,
};
const GEMMA_2 = { ...GEMMA, hiddenSize: 2304, depth: 26, heads: 8, intermediateSize: 9216, keyValueHeads: 4 };
const GEMMA_3 = { ...GEMMA_2, vocabularySize: 262208, positions: 131072 };

/** All but the attention of each block; some of Gemma's kin that embed texts are no decoders. */
function common(file: Configuration, defaults: typeof GEMMA) {
  if (file.get('use_bidirectional_attention', null) !== null) file.only('use_bidirectional_attention', false);
  return decoderConfig(file, defaults);
}

export const gemma: Architecture<DecoderConfig> = {
  ...llama,
  configuration(file) {
    const read = common(file, GEMMA);
    const block = { rotary: oneRotary(file, read), reach: null };
    const act = file.get('hidden_activation', file.get('hidden_act', 'gelu_pytorch_tanh'));
    return {
      ...read,
      // "gelu" is what the first releases called its approximation by tanh.
      activation: activationNamed(act === 'gelu' ? 'gelu_pytorch_tanh' : act, file.origin),
      blocks: new Array<typeof block>(read.depth).fill(block),
      gemma: plain,
    };
  },
};

/** Of Gemma 2 and 3. */
function later(file: Configuration, defaults: typeof GEMMA) {
  return {
    ...common(file, defaults),
    activation: activationNamed(file.get('hidden_activation', 'gelu_pytorch_tanh'), file.origin),
    scale: 1 / Math.sqrt(file.number('query_pre_attn_scalar', 256)),
  };
}

export const gemma2: Architecture<DecoderConfig> = {
  ...llama,
  configuration(file) {
    const read = later(file, GEMMA_2);
    const rotary = oneRotary(file, read);
    const reach = file.count('sliding_window', 4096) - 1;
    const sliding = slidingBlocks(file, read.depth, (block) => block % 2 === 0);
    return {
      ...read,
      blocks: sliding.map((slides) => ({ rotary, reach: slides ? reach : null })),
      gemma: { cap: file.optionalNumber('attn_logit_softcapping', 50), normsAfter: true },
    };
  },
};

export const gemma3Text: Architecture<DecoderConfig> = {
  ...llama,
  configuration(file) {
    const read = later(file, GEMMA_3);
    // Present: one set of parameters for each kind of block. Older: `rope_theta` and `rope_scaling` of the full ones only.
    const present = file.section('rope_parameters');
    const full = present.has('full_attention') ? present.section('full_attention') : file.section('rope_scaling');
    const rotaryOfAll = rotaryOf(full, read.headSize, file.number('rope_theta', 1e6), read.positions);
    const near = file.number('rope_local_base_freq', 10000);
    const rotaryOfNear = rotaryOf(present.section('sliding_attention'), read.headSize, near, read.positions);
    const reach = file.count('sliding_window', 4096) - 1;
    const pattern = file.count('sliding_window_pattern', 6);
    const sliding = slidingBlocks(file, read.depth, (block) => (block + 1) % pattern !== 0);
    return {
      ...read,
      headNorms: true,
      blocks: sliding.map((slides) => ({
        rotary: slides ? rotaryOfNear : rotaryOfAll,
        reach: slides ? reach : null,
      })),
      gemma: { cap: file.optionalNumber('attn_logit_softcapping', null), normsAfter: true },
    };
  },
};
