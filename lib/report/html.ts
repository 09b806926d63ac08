/** A table as HTML: safe whatever the cells hold, readable without our style sheet, sound for screen readers. */
import { formatCell, type Cell } from './format';
import type { Column, Row, Table } from './types';

/** Longer cells may break into lines, so that a table of many columns stays narrow. */
const SHORT_ENOUGH_FOR_ONE_LINE = 20;

/** What is needed to write a table down. */
export type TableView = Pick<Table, 'columns' | 'rows' | 'title' | 'note'>;

/** The heading of a column. */
export function heading({ key, title }: Column): string {
  return title ?? key;
}

export function tableHtml({ columns, rows, title, note }: TableView): string {
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
      const name = escapeHtml(heading(column)).replaceAll(' = ', '&nbsp;=&nbsp;');
      return `<th scope="col"${attributes(i)}${about}>${name}</th>`;
    })
    .join('');
  const body = rows
    .map((row) => {
      const cells = columns.map(({ key, format }, i) => {
        const text = escapeHtml(formatCell(row[key], format));
        // The first column names the row, when it holds names.
        return i === 0 && !right[0]
          ? `<th scope="row"${attributes(i)}>${text}</th>`
          : `<td${attributes(i)}>${text}</td>`;
      });
      return `<tr>${cells.join('')}</tr>`;
    })
    .join('\n');
  const caption = title ? `<caption style="text-align: left"><strong>${escapeHtml(title)}</strong></caption>\n` : '';
  const table = `<table class="attention-table">\n${caption}<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
  return note ? `${table}\n<p class="attention-note">${escapeHtml(note)}</p>` : table;
}

/** For text between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => names[character]);
}

/** Whether a column holds numbers only, and so is written flush right. */
export function isNumeric({ key }: Column, rows: readonly Row[]): boolean {
  const held = rows.map((row) => row[key]).filter((value): value is NonNullable<Cell> => value != null);
  return held.length > 0 && held.every((value) => typeof value === 'number' || Array.isArray(value));
}
