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
