/** Makes tables and figures; `show` puts them on the screen. */
import type { DataFrame } from 'danfojs-node';
import { selfShowing } from './show';
import type { Column, Figure, Row, Table } from './types';

export type { Cell, Format } from './format';
export type { Column, Figure, Row, Table } from './types';

/**
 * Makes a table of `rows`. Columns default to the fields of the first row.
 *
 * @throws Error when a shown column is not a field of the rows, or the name is not fit for a file name.
 */
export function table(
  name: string,
  rows: readonly Row[],
  columns?: readonly (Column | string)[],
  about: { readonly title?: string; readonly note?: string; readonly group?: string } = {},
): Table {
  checkName(name);
  const fields = rows.length > 0 ? Object.keys(rows[0]) : [];
  const shown = (columns ?? fields).map((column) => (typeof column === 'string' ? { key: column } : column));
  const unknown = shown.find(({ key }) => rows.length > 0 && !rows.some((row) => key in row));
  if (unknown) throw new Error(`table '${name}': expected a column among ${fields.join(', ')}, got '${unknown.key}'`);
  let frame: DataFrame | undefined;
  return selfShowing<Table>({
    kind: 'table',
    name,
    rows,
    columns: shown,
    ...about,
    get frame() {
      return (frame ??= toFrame(rows, shown));
    },
  });
}

/** A figure; see {@link Figure} for the fields. */
export function figure(parts: Omit<Figure, 'kind'>): Figure {
  checkName(parts.name);
  if (parts.alt.trim() === '') throw new Error(`figure '${parts.name}': expected an alternative text, got none`);
  return selfShowing<Figure>({ kind: 'figure', ...parts });
}

function toFrame(rows: readonly Row[], shown: readonly Column[]): DataFrame {
  // Loaded here and not above: danfo takes a second, and the command line needs no frame.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  require('../tensor/node-compatibility');
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const danfo = require('danfojs-node') as typeof import('danfojs-node');
  const keys = new Set([...shown.map(({ key }) => key), ...rows.flatMap((row) => Object.keys(row))]);
  const columns = [...keys];
  return new danfo.DataFrame(
    rows.map((row) => columns.map((key) => row[key] ?? null)),
    { columns },
  );
}

function checkName(name: string): void {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
    throw new Error(
      `expected the name of a table or figure in lower-case letters, digits and single hyphens, got '${name}'`,
    );
  }
}
