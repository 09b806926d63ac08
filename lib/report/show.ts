/**
 * Puts tables, figures and sentences where a person sees them: into the page when a notebook runs, onto standard output
 * otherwise.
 */
import { randomUUID } from 'node:crypto';
import type { DataFrame, Series } from 'danfojs-node';
import type { Layout } from 'plotly.js';
import { heading, tableHtml } from './html';
import { type MimeBundle, pageOfCell } from './notebook';
import { tableText } from './text';
import { inHtml, inMarkdown, wrapped } from './symbols';
import { modeBar, template } from './theme';
import type { Column, Figure, Row, Table } from './types';

/** MIME types of our own: what the exported report and `reports/<notebook>.json` are made of. */
export const mimeTypes = {
  table: 'application/vnd.attention-capacity.table+json',
  figure: 'application/vnd.attention-capacity.figure+json',
  headline: 'application/vnd.attention-capacity.headline+json',
  progress: 'application/vnd.attention-capacity.progress+json',
  plotly: 'application/vnd.plotly.v1+json',
} as const;

/** Shows a table, a figure, a text in Markdown, or what any operation of danfo gives: a DataFrame or a Series. */
export function show(what: Table | Figure | DataFrame | Series | string): void {
  put(mimeBundle(what));
}

/** Says something in Markdown: `say(`The tolerance is **${tolerance}**.`)`. */
export function say(markdown: string): void {
  show(markdown);
}

/**
 * The notebook's main finding in one sentence, in Markdown: on its page, and as plain text on the report's card and in
 * what `npm start` prints at the end. The picture on the card is the figure of that name, or else the first one.
 */
export function headline(markdown: string, figure?: string): void {
  const text = markdown.replace(/(\*\*|__|`)(.+?)\1/g, '$2');
  put({
    [mimeTypes.headline]: { text, markdown: inMarkdown(markdown), ...(figure && { figure }) },
    'text/markdown': `> ${inMarkdown(markdown)}`,
    'text/plain': text,
  });
}

/**
 * One figure that is drawn again and again in the same output of the running cell, for curves that grow. Outside a notebook
 * nothing is drawn.
 */
export function liveFigure(): (figure: Figure) => void {
  const id = randomUUID();
  let drawn = false;
  return (figure) => {
    const page = pageOfCell();
    // plotly's renderer for JupyterLab draws once and ignores updates; after an output of another type it begins again.
    if (drawn) page?.send({ 'text/html': `<div style="height: ${heightOf(figure)}px"></div>` }, id, true);
    page?.send(mimeBundle(figure), id, drawn);
    drawn = true;
  };
}

/** What {@link show} sends: the same thing for JupyterLab, for the exported report, for programs and as plain text. */
export function mimeBundle(what: Table | Figure | DataFrame | Series | string): MimeBundle {
  if (typeof what === 'string') return { 'text/markdown': inMarkdown(what), 'text/plain': what };
  if (isTable(what)) return tableBundle(what);
  if (isFigure(what)) return figureBundle(what);
  return frameBundle(what);
}

/**
 * Makes `what` show itself when it is the last line of a cell, by the convention of Deno's Jupyter kernel that ours
 * follows: a method that gives the bundle.
 */
export function selfShowing<T extends Table | Figure>(what: T): T {
  return Object.defineProperty(what, Symbol.for('Jupyter.display'), { value: () => mimeBundle(what) });
}

function put(bundle: MimeBundle): void {
  const page = pageOfCell();
  if (page) page.send(bundle, randomUUID());
  else process.stdout.write(`${String(bundle['text/plain'])}\n`);
}

function tableBundle(table: Table): MimeBundle {
  const { name, title, note, columns, group } = table;
  // What people see comes from the danfo frame, what programs read from the rows.
  const rows = frameRows(table.frame);
  return {
    [mimeTypes.table]: {
      name,
      title: title ?? name,
      columns: columns.map(({ key }) => key),
      explained: columns.flatMap((column) =>
        column.about ? [{ column: inHtml(heading(column)), about: inHtml(column.about) }] : [],
      ),
      rows: table.rows,
    },
    'text/html': tableHtml({ columns, rows, title, note, group }),
    'text/plain': tableText({ columns, rows, title, note, group }),
  };
}

function figureBundle(figure: Figure): MimeBundle {
  const { name, title, alt, note, data, layout } = figure;
  const caption = note === undefined ? [] : wrapped(inHtml(note), CAPTION_WIDTH);
  return {
    [mimeTypes.plotly]: {
      data,
      layout: { ...titled(title, (layout.legend?.y ?? 0) > 1), ...layout, ...captioned(figure, caption) },
      config: { ...modeBar, toImageButtonOptions: { format: 'svg', filename: name } },
    },
    [mimeTypes.figure]: {
      name,
      title,
      alt,
      note: note ?? null,
      titleHtml: inHtml(title),
      noteHtml: inHtml(note ?? ''),
    },
    'text/html':
      `<figure><figcaption><strong>${inHtml(title)}.</strong> ${inHtml(alt)}</figcaption>` +
      '<p>The drawing appears in JupyterLab and in the exported report.</p></figure>',
    'text/plain': `${title}: ${alt}`,
  };
}

/** A title at the upper edge, and room below it for a legend that stands above the panels; reports set neither. */
function titled(text: string, legendAbove: boolean): object {
  const page = template('light');
  const margin = { ...page.layout?.margin, t: legendAbove ? 116 : 48 };
  return {
    title: { text: inHtml(text), yref: 'container', y: 1, yanchor: 'top', pad: { t: 14 } },
    template: { ...page, layout: { ...page.layout, margin } },
  };
}

/** Characters of a line of a caption: it fits figures from 640 pixels on. */
const CAPTION_WIDTH = 100;
const CAPTION_LINE = 16;
/** The height of a figure that names none: plotly's own. */
const HEIGHT = 450;
const heightOf = ({ layout }: Figure) => layout.height ?? HEIGHT;

/**
 * A caption at the lower edge, for JupyterLab and for saved pictures. Reports set their own, and take this one away again:
 * `meta.caption` is how much higher the figure is for it.
 */
function captioned(figure: Figure, lines: readonly string[]): object {
  if (lines.length === 0) return {};
  const { layout } = figure as { readonly layout: Partial<Layout> & { readonly meta?: object } };
  const caption = 14 + CAPTION_LINE * lines.length;
  const bottom = (layout.margin?.b ?? template('light').layout?.margin?.b ?? 0) + caption;
  return {
    height: heightOf(figure) + caption,
    margin: { ...layout.margin, b: bottom },
    meta: { ...layout.meta, caption },
    annotations: [
      ...(layout.annotations ?? []),
      {
        name: 'caption',
        text: lines.join('<br>'),
        showarrow: false,
        align: 'left',
        font: { size: 12 },
        xref: 'paper',
        x: 0,
        xanchor: 'left',
        yref: 'paper',
        y: 0,
        yanchor: 'bottom',
        yshift: 4 - bottom,
      },
    ],
  };
}

/** What danfo's operations give: rows under named columns, or one column (`valueCounts`, `frame.column('k')`). */
function frameBundle(frame: DataFrame | Series): MimeBundle {
  // Labels say something where they are words: the statistics of `describe`, the values of `valueCounts`, a `setIndex`.
  const labelled = frame.index.some((label) => typeof label === 'string');
  const labels = frameLabel(frame.columns);
  const columns: Column[] = frame.columns.map((key) => ({ key }));
  const shown = labelled ? [{ key: labels, title: 'row' }, ...columns] : columns;
  const rows = frameRows(frame).map((row, i): Row => (labelled ? { [labels]: frame.index[i], ...row } : row));
  return { 'text/html': tableHtml({ columns: shown, rows }), 'text/plain': tableText({ columns: shown, rows }) };
}

/** A key for the labels of rows that is no column's name. */
function frameLabel(columns: readonly string[]): string {
  let key = 'row';
  while (columns.includes(key)) key += '_';
  return key;
}

function frameRows(frame: DataFrame | Series): Row[] {
  const { columns, $isSeries } = frame as { readonly columns: string[]; readonly $isSeries: boolean };
  const values = frame.values as Row[string][][];
  const cells = $isSeries ? (values as unknown as Row[string][]).map((cell) => [cell]) : values;
  return cells.map((row) => Object.fromEntries(columns.map((key, i) => [key, row[i]])));
}

function isTable(what: object): what is Table {
  return (what as Partial<Table>).kind === 'table';
}

function isFigure(what: object): what is Figure {
  return (what as Partial<Figure>).kind === 'figure';
}
