/** What a notebook shows, as plain data: tables and figures, which know nothing about the screen. */
import type { DataFrame } from 'danfojs-node';
import type { Data, Layout } from 'plotly.js';
import type { Cell, Format } from './format';

/** One row, by column name. */
export type Row = Readonly<Record<string, Cell>>;

/** One column of a table, as it is shown. */
export interface Column {
  /** Name in the rows, in the JSON and in the CSV. */
  readonly key: string;
  /** The heading that people read; default: the key. */
  readonly title?: string;
  /** Default: 'number' for numbers; booleans are yes and no. Intervals take the format of their ends. */
  readonly format?: Format;
  /** One sentence on what the column means and its unit, shown when the pointer rests on the heading. */
  readonly about?: string;
}

/** A table: a danfo DataFrame and how people read it. */
export interface Table {
  readonly kind: 'table';
  /** Key of the rows in `reports/<notebook>.json` and name of the CSV file, e.g. `assumptions`. */
  readonly name: string;
  /** The data, as a danfo DataFrame (made at the first access: danfo takes a second to load). */
  readonly frame: DataFrame;
  /** The same data as plain rows; all of them and all their fields, in JSON too. */
  readonly rows: readonly Row[];
  /** The columns that are shown, in order; fields that are not named here are kept in the data only. */
  readonly columns: readonly Column[];
  /** The column whose values head groups of rows: rows with the same value follow each other. */
  readonly group?: string;
  /** A heading for the table. */
  readonly title?: string;
  /** What a reader must know to read it, below the table. Symbols such as σ_min, d_h and k are set, here as in every text. */
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
