/** The tokenizers that Hugging Face keeps beside a model, run by its own library. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../input-error';
import { fileTrouble } from '../files/file-trouble';
import { byteLevel, wordPiece, type Json, type TokenizerSettings } from './vocabulary';

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

/**
 * Reads the tokenizer of a folder from tokenizer.json, or else from BERT's vocab.txt or GPT-2's vocab.json and merges.txt (see
 * vocabulary.ts).
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
  const settings = (): TokenizerSettings => ({
    folder,
    config: { ...(has('special_tokens_map.json') ? json('special_tokens_map.json') : {}), ...config },
    added: has('added_tokens.json') ? json('added_tokens.json') : {},
    modelType: has('config.json') ? json('config.json').model_type : undefined,
  });
  let tokenizer: Json;
  if (has('tokenizer.json')) tokenizer = json('tokenizer.json');
  else if (has('vocab.txt')) tokenizer = wordPiece(read('vocab.txt'), settings());
  else if (has('vocab.json') && has('merges.txt')) {
    tokenizer = byteLevel(json('vocab.json'), read('merges.txt'), settings());
  } else {
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
