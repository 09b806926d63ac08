/**
 * What a notebook shows: tables and figures, as plain data. Whoever makes one knows nothing about the screen; `show`
 * puts it on one.
 */
import type { DataFrame } from 'danfojs-node';
import type { Data, Layout } from 'plotly.js';
import { selfShowing } from './show';

/** A cell: a number, a text, a yes or no, an interval or another short list of numbers, or nothing. */
export type Cell = number | string | boolean | null | readonly number[];

/** One row, by column name. */
export type Row = Readonly<Record<string, Cell>>;

/** How the numbers of a column are written. */
export type Format =
  /** As many digits as needed, at most four significant ones; large integers grouped by thousands. */
  | 'number'
  /** 12 345 */
  | 'integer'
  /** 0.9982: four decimals, but an exact 0 and 1 as `0` and `1`, so that "all" and "nearly all" look different. */
  | 'fraction'
  /** 4.1e-5 */
  | 'scientific'
  /** 0.42×, 210×, 3e9×: how many times another number it is, by two digits. */
  | 'times'
  /** 12.3 s, 4 min 10 s */
  | 'seconds'
  /** true and false as yes and no. */
  | 'yes/no'
  /** Any other way. */
  | ((value: Cell) => string);

/** One column of a table, as it is shown. */
export interface Column {
  /** Name in the rows, in the JSON and in the CSV. */
  readonly key: string;
  /** The heading that people read; default: the key. */
  readonly title?: string;
  /** Default: 'number' for numbers, 'yes/no' for booleans. Intervals take the format of their ends. */
  readonly format?: Format;
  /** One sentence on what the column means and its unit, shown when the pointer rests on the heading. */
  readonly about?: string;
}

/** A table: a danfo DataFrame and how people read it. */
export interface Table {
  readonly kind: 'table';
  /** Key of the rows in `reports/<notebook>.json` and name of the CSV file, e.g. `assumptions`. */
  readonly name: string;
  /** The data, as a danfo DataFrame (made when first asked for: danfo takes a second to load). */
  readonly frame: DataFrame;
  /** The same data as plain rows; all of them and all their fields, in JSON too. */
  readonly rows: readonly Row[];
  /** The columns that are shown, in order; fields that are not named here are kept in the data only. */
  readonly columns: readonly Column[];
  /** A heading for the table. */
  readonly title?: string;
  /** What a reader must know to read it, below the table. */
  readonly note?: string;
}

/** A plotly figure and what is said about it. */
export interface Figure {
  readonly kind: 'figure';
  /** Name of the SVG file and anchor in the report, e.g. `kruskal-curve`. */
  readonly name: string;
  readonly title: string;
  /** What a person who cannot see the figure should know: what is drawn, and what it shows. One to three sentences. */
  readonly alt: string;
  /** plotly's traces. Colours come from the theme (`colours` in `theme.ts`) in the order of the traces. */
  readonly data: readonly Partial<Data>[];
  /** plotly's layout; the theme is added when the figure is shown, and what stands here wins over it. */
  readonly layout: Partial<Layout>;
  /** A caption below the figure. */
  readonly note?: string;
}

/**
 * Makes a table of `rows`. Columns default to the fields of the first row.
 *
 * @throws Error when a shown column is no field of the rows, or the name is not fit for a file name.
 */
export function table(
  name: string,
  rows: readonly Row[],
  columns?: readonly (Column | string)[],
  about: { readonly title?: string; readonly note?: string } = {},
): Table {
  checkName(name);
  const fields = rows.length > 0 ? Object.keys(rows[0]) : [];
  const shown = (columns ?? fields).map((column) => (typeof column === 'string' ? { key: column } : column));
  const unknown = shown.find(({ key }) => rows.length > 0 && !rows.some((row) => key in row));
  if (unknown) throw new Error(`table '${name}' has no field '${unknown.key}'; its rows have ${fields.join(', ')}`);
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
  if (parts.alt.trim() === '') throw new Error(`figure '${parts.name}' needs an alternative text`);
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
      `'${name}' is no good name for a table or figure: use lower-case letters, digits and single hyphens`,
    );
  }
}
