import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
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
 * Reads features from a text file with commas: one example per row, as `numpy.savetxt(…, delimiter=',')` writes it.
 * Empty lines are ignored. A first line without any number holds the columns' names. The numbers become float64.
 *
 * @throws InputError, with the line's number, when a line is not as long as the first, or holds something other than
 * finite numbers.
 */
export async function readCsv(path: string): Promise<CsvMatrix> {
  const rows = new RowCollector(path);
  try {
    await checkBeginning(path);
    const source = createReadStream(path);
    const lines = parse({
      bom: true,
      info: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      relax_quotes: true,
      max_record_size: LONGEST_LINE,
    });
    source.on('error', (error) => lines.destroy(error)).pipe(lines);
    try {
      for await (const { record, info } of lines as AsyncIterable<Line>) rows.add(record, info.lines);
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
  private names = false;
  private whole = true;
  private readonly large = new Map<number, bigint>();

  constructor(private readonly path: string) {}

  add(record: readonly string[], line: number): void {
    if (this.rows === 0 && !this.names && !record.some((field) => NUMBER.test(field) || NOT_FINITE.test(field))) {
      this.names = true;
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
    return { data, shape: [rows, columns], dtype: 'float64', whole: this.whole, large: this.large };
  }

  private notANumber(field: string, line: number, column: number): InputError {
    if (NOT_FINITE.test(field) || NUMBER.test(field)) {
      return this.trouble(
        line,
        `expected finite numbers, which alone have a rank, got ${field} in row ${this.rows}, column ${column} (counted from 0)`,
      );
    }
    const what = field === '' ? 'nothing' : excerpt(field);
    return this.trouble(line, `expected a number, got ${what} in column ${column} (counted from 0)`);
  }

  private trouble(line: number, what: string): InputError {
    return new InputError(
      `'${this.path}', line ${line}: ${what}; separate the numbers by commas, one example per line`,
    );
  }
}

/**
 * Checks the first bytes: whether they are text, and whether the numbers of the whole file, estimated from them, fit into
 * memory twice.
 */
async function checkBeginning(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(65536), 0, 65536, 0);
    const bytes = buffer.subarray(0, bytesRead);
    if (bytes.includes(0)) {
      throw new InputError(
        `'${path}': expected text, one example per line, its numbers separated by commas, got binary data`,
      );
    }
    const separators = bytes.filter((byte) => byte === 0x2c || byte === 0x0a).length;
    const numbers = ((separators + 1) / Math.max(bytesRead, 1)) * (await file.stat()).size;
    requireMemory(Math.round(numbers) * 8 * 2, `'${path}'`);
  } finally {
    await file.close();
  }
}
