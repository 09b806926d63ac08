/** The tokenizers that Hugging Face keeps beside a model, run by its own library. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../input-error';
import { fileTrouble } from '../files/file-trouble';

export interface Tokenizer {
  /** SHA-256 of the files it was read from, in hexadecimal. */
  readonly hash: string;
  /** Special tokens before and after a text, such as [CLS] and [SEP]; none for GPT-2. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** The tokens of a text, without special ones. */
  encode(text: string): number[];
}

/** The part of the library's class that is used here. */
interface Encoder {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
}

type Json = Record<string, unknown>;

/**
 * Reads the tokenizer of a folder from tokenizer.json, or else from BERT's vocab.txt or GPT-2's vocab.json and merges.txt.
 * Truncation and padding that tokenizer.json asks for are left to the caller.
 *
 * @throws InputError when none of these files exists, or one is broken.
 */
export async function readTokenizer(folder: string): Promise<Tokenizer> {
  const hash = createHash('sha256');
  const read = (name: string): string => {
    const path = join(folder, name);
    try {
      const bytes = readFileSync(path);
      hash.update(bytes);
      return bytes.toString('utf8');
    } catch (error) {
      throw fileTrouble(error, path, 'read');
    }
  };
  const has = (name: string) => existsSync(join(folder, name));
  const json = (name: string): Json => {
    const text = read(name);
    try {
      return JSON.parse(text) as Json;
    } catch (error) {
      throw new InputError(`'${join(folder, name)}': expected JSON, got ${(error as Error).message}`);
    }
  };
  const config = has('tokenizer_config.json') ? json('tokenizer_config.json') : {};
  let tokenizer: Json;
  if (has('tokenizer.json')) tokenizer = json('tokenizer.json');
  else if (has('vocab.txt')) tokenizer = wordPiece(read('vocab.txt'), config.do_lower_case !== false);
  else if (has('vocab.json') && has('merges.txt')) tokenizer = byteLevel(json('vocab.json'), read('merges.txt'));
  else {
    throw new InputError(
      `'${folder}': expected a tokenizer to read text with, found none; put its tokenizer.json there ` +
        '(or vocab.txt for a BERT, vocab.json and merges.txt for a GPT-2), or use --tokens',
    );
  }
  const encoder = await open(tokenizer, config, folder);
  const [bare, whole] = [false, true].map((special) => encoder.encode('a', { add_special_tokens: special }).ids);
  const start = whole.findIndex((_, i) => bare.every((id, j) => whole[i + j] === id));
  return {
    hash: hash.digest('hex'),
    before: whole.slice(0, start),
    after: whole.slice(start + bare.length),
    encode: (text) => encoder.encode(text, { add_special_tokens: false }).ids,
  };
}

async function open(tokenizer: Json, config: Json, folder: string): Promise<Encoder> {
  const { Tokenizer } = (await import('@huggingface/tokenizers')) as unknown as {
    Tokenizer: new (tokenizer: Json, config: Json) => Encoder;
  };
  try {
    return new Tokenizer(tokenizer, config);
  } catch (error) {
    throw new InputError(`'${folder}': the tokenizer cannot be read: ${(error as Error).message}`);
  }
}

/** The tokenizer.json of a BERT of which only the vocabulary is there, one token per line. */
function wordPiece(vocabulary: string, lowercase: boolean): Json {
  const tokens = vocabulary.split(/\r?\n/);
  const vocab: Record<string, number> = {};
  for (const [id, token] of tokens.entries()) if (token !== '') vocab[token] = id;
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].filter((token) => token in vocab);
  const template = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  return {
    version: '1.0',
    added_tokens: special.map((content) => ({ id: vocab[content], content, special: true, ...ADDED })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [template('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, template('[SEP]')],
      pair: [],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((token) => [token, { id: token, ids: [vocab[token]], tokens: [token] }]),
      ),
    },
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

/** The same for a GPT-2: byte-level pairs, after a line of merges.txt that names its version. */
function byteLevel(vocab: Json, merges: string): Json {
  const pairs = merges.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version'));
  return {
    version: '1.0',
    added_tokens:
      '<|endoftext|>' in vocab
        ? [{ id: vocab['<|endoftext|>'], content: '<|endoftext|>', special: true, ...ADDED }]
        : [],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      vocab,
      merges: pairs.map((line) => line.split(' ')),
    },
  };
}

const ADDED = { single_word: false, lstrip: false, rstrip: false, normalized: false };
