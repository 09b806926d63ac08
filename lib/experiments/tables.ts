/** Columns and cells that the tables of several notebooks share. */
import type { Column } from '../report/display';

const SYMBOLS = {
  heads: { title: 'H', about: 'heads' },
  context: { title: 'n', about: 'tokens of a context' },
  headSize: { title: 'd_h', about: 'size of a head' },
  width: { title: 'd', about: 'size of a token' },
  examples: { title: 'T', about: 'examples' },
} as const;

/** Columns for the shape of an attention layer and its task, under the paper's symbols. */
export function shapeColumns(keys: readonly (keyof typeof SYMBOLS)[]): Column[] {
  return keys.map((key) => ({ key, format: 'integer', ...SYMBOLS[key] }));
}

/** The lowest and the highest rank that were seen. */
export function rankRange(ranks: Readonly<Record<string, number>>): readonly [number, number] {
  const seen = Object.keys(ranks).map(Number);
  return [Math.min(...seen), Math.max(...seen)];
}

/** 463–482, or one rank alone. */
export function rangeText([low, high]: readonly [number, number]): string {
  return low === high ? `${low}` : `${low}–${high}`;
}

/** Where weights come from, in one cell. */
export function provenanceText(provenance: object): string {
  return Object.entries(provenance)
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('; ');
}
