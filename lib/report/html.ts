/** A table as HTML: safe whatever the cells hold, readable without our style sheet, sound for screen readers. */
import { groupBy } from '../statistics';
import { formatCell, type Cell } from './format';
import { escapeHtml, inHtml } from './symbols';
import type { Column, Row, Table } from './types';

export { escapeHtml } from './symbols';

/** Longer cells may break into lines, so that a table of many columns stays narrow. */
const SHORT_ENOUGH_FOR_ONE_LINE = 20;

/** What is needed to write a table down. */
export type TableView = Pick<Table, 'columns' | 'rows' | 'title' | 'note' | 'group'>;

/** The heading of a column. */
export function heading({ key, title }: Column): string {
  return title ?? key;
}

/** The rows with the same value of the group's column together, and that column, which is then not one of the others. */
export function grouped({ columns, rows, group }: TableView): {
  groups: Row[][];
  by?: Column;
  shown: readonly Column[];
} {
  const by = columns.find(({ key }) => key === group);
  if (!by) return { groups: [[...rows]], shown: columns };
  const text = (row: Row) => formatCell(row[by.key], by.format);
  const groups = [...groupBy(rows, text).values()];
  return { groups, by, shown: columns.filter((column) => column !== by) };
}

export function tableHtml(view: TableView): string {
  const { rows, title, note } = view;
  const { groups, by, shown: columns } = grouped(view);
  const right = columns.map((column) => isNumeric(column, rows));
  const short = columns.map(({ key, format }) =>
    rows.every((row) => formatCell(row[key], format).length <= SHORT_ENOUGH_FOR_ONE_LINE),
  );
  const attributes = (i: number) => {
    const style = `text-align: ${right[i] ? 'right' : 'left'}`;
    // How narrow the others may become is said in the report's style sheet.
    return short[i] ? ` style="${style}; white-space: nowrap"` : ` class="long" style="${style}"`;
  };
  const head = columns
    .map((column, i) => {
      const about = column.about ? ` title="${escapeHtml(column.about)}"` : '';
      // A heading may break into lines, but not within k = n.
      const name = inHtml(heading(column)).replaceAll(' = ', '&nbsp;=&nbsp;');
      return `<th scope="col"${attributes(i)}${about}>${name}</th>`;
    })
    .join('');
  const line = (row: Row) => {
    const cells = columns.map(({ key, format }, i) => {
      const text = escapeHtml(formatCell(row[key], format));
      // The first column names the row, when it holds names.
      return i === 0 && !right[0] ? `<th scope="row"${attributes(i)}>${text}</th>` : `<td${attributes(i)}>${text}</td>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  };
  const bodies = groups.map((group) => {
    const name = by && escapeHtml(formatCell(group[0][by.key], by.format));
    const above = by
      ? `<tr class="group"><th colspan="${columns.length}" scope="rowgroup" style="text-align: left"><span>${name}</span></th></tr>\n`
      : '';
    return `<tbody>\n${above}${group.map(line).join('\n')}\n</tbody>`;
  });
  const caption = title ? `<caption style="text-align: left"><strong>${inHtml(title)}</strong></caption>\n` : '';
  const table = `<table class="attention-table">\n${caption}<thead><tr>${head}</tr></thead>\n${bodies.join('\n')}\n</table>`;
  return note ? `${table}\n<p class="attention-note">${inHtml(note)}</p>` : table;
}

/** Whether a column holds numbers only, and so is written flush right. */
export function isNumeric({ key }: Column, rows: readonly Row[]): boolean {
  const held = rows.map((row) => row[key]).filter((value): value is NonNullable<Cell> => value != null);
  return held.length > 0 && held.every((value) => typeof value === 'number' || Array.isArray(value));
}
