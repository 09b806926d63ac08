/** Where `features` takes text from. */
import { readFile } from 'node:fs/promises';
import { fileTrouble } from '../data/files/file-trouble';
import { InputError } from '../input-error';
import type { TextModel } from '../models';
import type { ExampleSource } from './extract';
import { noteLater } from './output';

/** Passages, all as long as the longest. */
export interface TextSource extends ExampleSource {
  /** Tokens of the longest passage. */
  readonly n: number;
}

/**
 * The passages of a text file, one per line, by the tokenizer of the model, with its special tokens around them. Passages
 * with more tokens than the network has positions for are cut, and a note says so.
 */
export async function textSource(path: string, model: TextModel): Promise<TextSource> {
  const { readTokenizer } = await import('../data/index.js');
  const { before, after, encode } = await readTokenizer(model.tokenizerFolder());
  const most = model.config.positions - before.length - after.length;
  let cut = 0;
  const passages = linesOf(await readText(path), path).map((line, row) => {
    const ids = encode(line);
    if (ids.length === 0)
      throw new InputError(`'${path}': expected one passage per line, got no token in line ${row + 1}`);
    if (ids.length > most) cut++;
    return [...before, ...ids.slice(0, most), ...after];
  });
  if (cut > 0) noteLater(`${cut} of ${passages.length} passages cut to the network's ${model.config.positions} tokens`);
  const n = Math.max(...passages.map(({ length }) => length));
  const shorter = passages.filter(({ length }) => length < n).length;
  if (shorter > 0) {
    noteLater(`${shorter} of ${passages.length} passages have fewer than ${n} tokens; the rows after their own are 0`);
  }
  const ids = new Int32Array(passages.length * n).fill(-1);
  passages.forEach((passage, row) => ids.set(passage, row * n));
  return sourceOf(path, ids, passages.length, n);
}

async function readText(path: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof TypeError) throw new InputError(`'${path}': expected text in UTF-8, got other bytes`);
    throw fileTrouble(error, path, 'read');
  }
}

function linesOf(text: string, path: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines[lines.length - 1] === '') lines.pop();
  if (lines.length === 0) throw new InputError(`'${path}': expected one passage per line, got an empty file`);
  const empty = lines.findIndex((line) => line.trim() === '');
  if (empty >= 0) throw new InputError(`'${path}': expected one passage per line, got an empty line ${empty + 1}`);
  return lines;
}

/** Token numbers from a file, as they are: no special tokens are added, nothing is masked. */
export async function tokenSource(path: string, model: TextModel): Promise<TextSource> {
  const { readTokens } = await import('../data/index.js');
  const {
    ids,
    shape: [count, n],
  } = await readTokens(path);
  const { vocabularySize, positions } = model.config;
  const bad = ids.findIndex((id) => id >= vocabularySize);
  if (bad >= 0) {
    throw new InputError(
      `'${path}': expected token numbers below ${vocabularySize} for ${model.name}, got ${ids[bad]} in row ${Math.floor(bad / n)}`,
    );
  }
  if (n > positions) {
    throw new InputError(
      `'${path}': expected at most ${positions} tokens per row, as many as ${model.name} has positions for, got ${n}`,
    );
  }
  return sourceOf(path, ids, count, n);
}

function sourceOf(name: string, ids: Int32Array, count: number, n: number): TextSource {
  return {
    name,
    count,
    n,
    read: (indices) => {
      const start = indices[0];
      const data = ids.slice(start * n, (start + indices.length) * n);
      return Promise.resolve({ data, shape: [indices.length, n] });
    },
    close: () => Promise.resolve(),
  };
}
