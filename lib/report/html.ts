/** A table as HTML: safe whatever the cells hold, readable without our style sheet, sound for screen readers. */
import type { Cell, Column, Row } from './display';
import { formatCell, heading } from './format';

/** Longer cells may break into lines, so that a table of many columns stays narrow; but not after every word. */
const SHORT_ENOUGH_FOR_ONE_LINE = 20;
const LINE_OF_LONGER_CELLS = '12em';

/** What is needed to write a table down. */
export interface TableView {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly title?: string;
  readonly note?: string;
}

export function tableHtml({ columns, rows, title, note }: TableView): string {
  const right = columns.map((column) => isNumeric(column, rows));
  const short = columns.map(({ key, format }) =>
    rows.every((row) => formatCell(row[key], format).length <= SHORT_ENOUGH_FOR_ONE_LINE),
  );
  const lines = (i: number) => (short[i] ? 'white-space: nowrap' : `min-width: ${LINE_OF_LONGER_CELLS}`);
  const align = (i: number) => ` style="text-align: ${right[i] ? 'right' : 'left'}; ${lines(i)}"`;
  const head = columns
    .map((column, i) => {
      const about = column.about ? ` title="${escapeHtml(column.about)}"` : '';
      return `<th scope="col"${align(i)}${about}>${escapeHtml(heading(column))}</th>`;
    })
    .join('');
  const body = rows
    .map((row) => {
      const cells = columns.map(({ key, format }, i) => {
        const text = escapeHtml(formatCell(row[key], format));
        // The first column names the row, when it holds names.
        return i === 0 && !right[0] ? `<th scope="row"${align(i)}>${text}</th>` : `<td${align(i)}>${text}</td>`;
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
