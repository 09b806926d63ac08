/** A table as plain text, for terminals. */
import { formatCell } from './format';
import { grouped, heading, isNumeric, type TableView } from './html';

/** Columns side by side, numbers flush right, a rule below the headings. No line ends in blanks. */
export function tableText(view: TableView): string {
  const { rows, title, note } = view;
  const { groups, by, shown } = grouped(view);
  const columns = by ? [by, ...shown] : shown;
  const cells = [
    columns.map(heading),
    ...groups.flatMap((group) =>
      group.map((row, i) =>
        columns.map((column) => (column === by && i > 0 ? '' : formatCell(row[column.key], column.format))),
      ),
    ),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => width(line[i]))));
  const right = columns.map((column) => isNumeric(column, rows));
  const lines = cells.map((line) => {
    const padded = line.map((text, i) => {
      const blanks = ' '.repeat(widths[i] - width(text));
      return right[i] ? blanks + text : text + blanks;
    });
    return padded.join('  ').trimEnd();
  });
  lines.splice(1, 0, widths.map((size) => '-'.repeat(size)).join('  '));
  return [...(title ? [title, ''] : []), ...lines, ...(note ? ['', note] : [])].join('\n');
}

/** Characters, not UTF-16 units. */
function width(text: string): number {
  return [...text].length;
}
