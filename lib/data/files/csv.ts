import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { CsvError, parse } from 'csv-parse';
import { InputError } from '../../input-error';
import { fileTrouble } from './file-trouble';
import type { MatrixFile } from './matrix-file';
import { requireMemory } from './memory';
import { excerpt } from './npy-header';

/** A number as people and programs write it; not `0x10`, not the empty text. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/** In bytes: two million numbers. A longer line is not a line of a table. */
const LONGEST_LINE = 2 ** 26;
const NOT_FINITE = /^[+-]?(nan|inf(inity)?)$/i;

const WHOLE_NUMBER = /^[+-]?\d+$/;

/** A matrix from text, and what float64 cannot hold of it. */
export interface CsvMatrix extends MatrixFile {
  /** Whether all numbers are written without a point and an exponent. */
  readonly whole: boolean;
  /** Whole numbers beyond 2^53 in size, by their index in `data`. */
  readonly large: ReadonlyMap<number, bigint>;
}

/** A record of csv-parse with the option `info`. */
interface Line {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads features from a text file: one example per row, separated by commas (`.csv`), tabs (`.tsv`), or (`.txt`) whichever
 * of commas, tabs and blanks its first line has. The numbers become float64. Empty lines and lines that begin with `#` are
 * ignored. A first line holds the columns' names if it has no number, or is 0, 1, …, d-1 (pandas' default names). A first
 * column without a name, or named `Unnamed: 0`, that counts the rows is an index (pandas, R) and is left out; `notes` say so.
 *
 * @throws InputError, with the line's number, when a line is not as long as the first, or holds something other than
 * finite numbers.
 */
export async function readCsv(path: string): Promise<CsvMatrix> {
  const rows = new RowCollector(path);
  try {
    const delimiter = await checkBeginning(path);
    const source = createReadStream(path);
    const lines = parse({
      bom: true,
      info: true,
      delimiter,
      comment: '#',
      comment_no_infix: true,
      trim: delimiter !== ' ',
      skip_empty_lines: true,
      relax_column_count: true,
      relax_quotes: true,
      max_record_size: LONGEST_LINE,
    });
    source.on('error', (error) => lines.destroy(error)).pipe(lines);
    try {
      for await (const { record, info } of lines as AsyncIterable<Line>) {
        const fields = delimiter === ' ' ? record.map((field) => field.trim()).filter(Boolean) : record;
        if (fields.length > 0) rows.add(fields, info.lines);
      }
    } finally {
      source.destroy();
    }
  } catch (error) {
    if (error instanceof CsvError) {
      const line = typeof error.lines === 'number' ? ` at line ${error.lines}` : '';
      throw new InputError(`'${path}' cannot be read as CSV${line}: ${error.message.split('\n')[0]}`);
    }
    throw fileTrouble(error, path, 'read');
  }
  return rows.matrix();
}

/** Collects rows in blocks, so that they are copied only once, at the end. */
class RowCollector {
  private readonly blocks: Float64Array[] = [];
  private used = 0;
  private rows = 0;
  private columns = 0;
  /** The first line, if it holds names. */
  private names: readonly string[] | null = null;
  private whole = true;
  private readonly large = new Map<number, bigint>();

  constructor(private readonly path: string) {}

  add(record: readonly string[], line: number): void {
    if (this.rows === 0 && !this.names && areNames(record)) {
      this.names = record;
      this.columns = record.length;
      return;
    }
    this.columns ||= record.length;
    if (record.length !== this.columns) {
      const before = this.rows === 0 ? 'names' : 'numbers';
      throw this.trouble(
        line,
        `expected ${this.columns} fields, as many as there are ${before} above, got ${record.length}`,
      );
    }
    let block = this.blocks[this.blocks.length - 1];
    if (!block || this.used + this.columns > block.length) {
      this.blocks.push((block = new Float64Array(Math.max(2 ** 17, this.columns))));
      this.used = 0;
    }
    record.forEach((field, column) => {
      if (!NUMBER.test(field)) throw this.notANumber(field, line, column);
      const value = Number(field);
      if (!Number.isFinite(value)) throw this.notANumber(field, line, column);
      block[this.used + column] = value;
      if (!WHOLE_NUMBER.test(field)) this.whole = false;
      else if (!Number.isSafeInteger(value)) this.large.set(this.rows * this.columns + column, BigInt(field));
    });
    this.used += this.columns;
    this.rows++;
  }

  matrix(): CsvMatrix {
    // A line 0, 1, … without any other is an example.
    if (this.rows === 0 && this.names && COUNTS.test(this.names.join())) {
      const only = this.names;
      this.names = [];
      this.add(only, 1);
    }
    const { rows, columns } = this;
    if (rows === 0) {
      throw new InputError(
        `'${this.path}' holds no numbers; write one example per line, its numbers separated by commas`,
      );
    }
    const data = new Float64Array(rows * columns);
    let offset = 0;
    for (const block of this.blocks) {
      const whole = Math.floor(block.length / columns) * columns;
      const length = Math.min(whole, data.length - offset);
      data.set(block.subarray(0, length), offset);
      offset += length;
    }
    return this.withoutIndex(data);
  }

  /** Leaves out the columns that only number the rows. */
  private withoutIndex(data: Float64Array): CsvMatrix {
    const { rows, columns, path } = this;
    const names = this.names ?? [];
    const counts = (column: number) => {
      const first = data[column];
      if (first !== 0 && first !== 1) return false;
      for (let row = 1; row < rows; row++) if (data[row * columns + column] !== first + row) return false;
      return true;
    };
    let index = 0;
    for (; index < columns - 1 && isIndexName(names, index); index++) {
      if (counts(index)) continue;
      throw new InputError(
        `'${path}': expected a name above column ${index}, or a count of the rows below, got neither; leave an index out ` +
          '(pandas: index=False, R: row.names=FALSE), or name the column',
      );
    }
    const notes: string[] = [];
    if (names.length > 0 && NUMBER.test(names[names.length - 1])) {
      notes.push(
        `'${path}': its first line, ${names.slice(index).slice(0, 3).join(', ')}, …, was taken as names of columns`,
      );
    }
    if (index > 0) notes.push(`'${path}': its first column numbers the rows and was left out`);
    else if (rows > 2 && columns > 1 && counts(0)) {
      notes.push(`'${path}': its first column counts the rows; if it is an index and not a feature, leave it out`);
    }
    const width = columns - index;
    const kept = index === 0 ? data : new Float64Array(rows * width);
    if (index > 0) {
      for (let row = 0; row < rows; row++) {
        kept.set(data.subarray(row * columns + index, (row + 1) * columns), row * width);
      }
    }
    const moved = [...this.large].map(([at, value]) => [at - index * (Math.floor(at / columns) + 1), value] as const);
    const { whole } = this;
    const large = new Map(moved);
    return { data: kept, shape: [rows, width], dtype: 'float64', whole, large, ...(notes.length > 0 && { notes }) };
  }

  private notANumber(field: string, line: number, column: number): InputError {
    if (NOT_FINITE.test(field) || NUMBER.test(field)) {
      return this.trouble(
        line,
        `expected finite numbers, which alone have a rank, got ${field} in row ${this.rows}, column ${column} (counted from 0)`,
        'leave that row or column out, or fill the value in',
      );
    }
    const what = field === '' ? 'nothing' : excerpt(field);
    const advice = isIndexName(this.names ?? [], column)
      ? 'leave the index out (pandas: index=False, R: row.names=FALSE)'
      : field === ''
        ? 'a missing value has no rank: leave that row or column out, or fill it in'
        : undefined;
    return this.trouble(line, `expected a number, got ${what} in column ${column} (counted from 0)`, advice);
  }

  private trouble(line: number, what: string, advice?: string): InputError {
    const separator = extname(this.path).toLowerCase() === '.tsv' ? 'tabs' : 'commas';
    const usual = `separate the numbers by ${separator}, one example per line`;
    return new InputError(`'${this.path}', line ${line}: ${what}; ${advice ?? usual}`);
  }
}

/** A line `0,1,…`. */
const COUNTS = /^0,1(,\d+)*$/;

/** Whether a first line holds names: no number at all, or pandas' default names, which are numbers. */
function areNames(record: readonly string[]): boolean {
  if (!record.some((field) => NUMBER.test(field) || NOT_FINITE.test(field))) return true;
  const first = record[0] === '' ? 1 : 0;
  return record.length - first > 1 && record.slice(first).every((field, column) => field === String(column));
}

/** What pandas and R write above an index: nothing, or `Unnamed: 0` when it was read and written again. */
function isIndexName(names: readonly string[], column: number): boolean {
  const before = names.slice(0, column + 1);
  return before.length > column && before.every((name) => /^(Unnamed: 0(\.\d+)?)?$/.test(name));
}

function delimiterOf(path: string, beginning: string): string {
  const extension = extname(path).toLowerCase();
  if (extension === '.tsv') return '\t';
  if (extension !== '.txt') return ',';
  const first = beginning.split(/[\r\n]+/).find((line) => line.trim() !== '' && !line.startsWith('#')) ?? '';
  return [',', '\t'].find((delimiter) => first.includes(delimiter)) ?? ' ';
}

/**
 * Checks the first bytes: whether they are text, and whether the numbers of the whole file, estimated from them, fit into
 * memory twice. Returns what separates the numbers.
 */
async function checkBeginning(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(65536), 0, 65536, 0);
    const bytes = buffer.subarray(0, bytesRead);
    if (bytes.includes(0)) {
      throw new InputError(
        `'${path}': expected text, one example per line, its numbers separated by commas, got binary data`,
      );
    }
    const delimiter = delimiterOf(path, bytes.toString('latin1'));
    const separators = bytes.filter((byte) => byte === 0x0a || byte === delimiter.charCodeAt(0)).length;
    const numbers = ((separators + 1) / Math.max(bytesRead, 1)) * (await file.stat()).size;
    requireMemory(Math.round(numbers) * 8 * 2, `'${path}'`);
    return delimiter;
  } finally {
    await file.close();
  }
}
