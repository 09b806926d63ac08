import { InputError } from '../../input-error';

/** The number types of NumPy that are read and written here. */
export type NpyType = 'float32' | 'float64' | 'int32' | 'int64';
export type NpyData = Float32Array | Float64Array | Int32Array | BigInt64Array;

/** What stands before the numbers of a `.npy` file. */
export interface NpyHeader {
  readonly dtype: NpyType;
  readonly bigEndian: boolean;
  /** First index fastest (column-major) instead of last. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Bytes of a number. */
  readonly itemSize: number;
  /** Where the numbers begin. */
  readonly offset: number;
}

/** `\x93NUMPY`, the version's two bytes and a length of at most four: what is read to know how long the header is. */
export const PREFIX_BYTES = 12;
/** Far above what three short fields need (NumPy itself stops at 10 000), far below what would hurt. */
const LONGEST_HEADER = 65536;

const TYPES: Readonly<Record<string, NpyType>> = { f4: 'float32', f8: 'float64', i4: 'int32', i8: 'int64' };

/**
 * Where the header's text lies, from the first {@link PREFIX_BYTES} of the file. Versions 1, 2 and 3 of the format
 * (numpy.lib.format) are understood.
 *
 * @throws InputError when these are not the first bytes of a `.npy` file.
 */
export function headerExtent(prefix: Buffer, path: string): { start: number; end: number } {
  if (prefix.length < 10 || prefix.toString('latin1', 0, 6) !== '\x93NUMPY') {
    throw new InputError(
      `'${path}' is no .npy file: it should begin with the bytes \\x93NUMPY; write it with numpy.save`,
    );
  }
  const version = prefix[6];
  if (version < 1 || version > 3 || prefix[7] !== 0) {
    throw new InputError(
      `'${path}' has version ${version}.${prefix[7]} of the .npy format, and 1.0, 2.0 or 3.0 was expected; write it again with numpy.save`,
    );
  }
  if (version > 1 && prefix.length < PREFIX_BYTES) throw new InputError(`'${path}' is cut short within its header`);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? prefix.readUInt16LE(8) : prefix.readUInt32LE(8);
  if (length > LONGEST_HEADER) {
    throw new InputError(
      `'${path}' claims a header of ${length} bytes, and at most ${LONGEST_HEADER} make sense; write it again with numpy.save`,
    );
  }
  return { start, end: start + length };
}

/**
 * Understands the header's text, a Python dictionary of `descr`, `fortran_order` and `shape`.
 *
 * @throws InputError when it is anything else, or its numbers are of a type that is not read here.
 */
export function parseHeader(text: string, offset: number, path: string): NpyHeader {
  const fields = parseFields(text);
  const { descr, fortran_order: order, shape } = fields ?? {};
  const lengths = parseShape(shape);
  if (descr === undefined || (order !== 'True' && order !== 'False') || !lengths) {
    throw new InputError(
      `'${path}' has a header that is no dictionary of 'descr', 'fortran_order' and 'shape': ${excerpt(text)}; ` +
        'write it again with numpy.save',
    );
  }
  const type = /^'([<>=|])([fi][48])'$/.exec(descr.replaceAll('"', "'"));
  if (!type) {
    throw new InputError(
      `'${path}' holds numbers of type ${excerpt(descr)}, and float32, float64, int32 or int64 was expected; convert ` +
        `them first, e.g. with x.astype('float64')`,
    );
  }
  if (!Number.isSafeInteger(lengths.reduce((product, length) => product * length, 8))) {
    throw new InputError(`'${path}' claims the shape (${lengths.join(', ')}), more numbers than any file holds`);
  }
  return {
    dtype: TYPES[type[2]],
    bigEndian: type[1] === '>',
    fortranOrder: order === 'True',
    shape: lengths,
    itemSize: Number(type[2][1]),
    offset,
  };
}

/** `{'key': value, …}` with strings, True, False, tuples and lists as values; null when the text is not that. */
function parseFields(text: string): Record<string, string> | null {
  const inside = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  if (inside === undefined) return null;
  const field = /\s*(['"])(\w+)\1\s*:\s*('[^']*'|"[^"]*"|True|False|\([^()]*\)|\[.*\])\s*(?:,|$)/y;
  const fields: Record<string, string> = {};
  while (inside.slice(field.lastIndex).trim() !== '') {
    const match = field.exec(inside);
    if (!match || match[2] in fields) return null;
    fields[match[2]] = match[3];
  }
  return Object.keys(fields).length === 3 ? fields : null;
}

/** `(3, 4)`, `(3,)` or `()`; Python 2 wrote `3L`. */
function parseShape(text: string | undefined): number[] | null {
  if (text === undefined || !/^\(\s*(\d+L?\s*(,\s*\d+L?\s*)*,?\s*)?\)$/.test(text)) return null;
  return [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits));
}

/** The first bytes of a file of this type and shape, in C order: version 1.0, the numbers aligned to 64 bytes. */
export function formatHeader(dtype: NpyType, shape: readonly number[]): Buffer {
  const descr = Object.keys(TYPES).find((code) => TYPES[code] === dtype);
  const lengths = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '<${descr}', 'fortran_order': False, 'shape': (${lengths}), }`;
  const padded = text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11) + '\n';
  const prefix = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  prefix.writeUInt16LE(padded.length, 8);
  return Buffer.concat([prefix, Buffer.from(padded, 'latin1')]);
}

/** An empty array for `length` numbers of a type. */
export function allocate(dtype: NpyType, length: number): NpyData {
  switch (dtype) {
    case 'float32':
      return new Float32Array(length);
    case 'float64':
      return new Float64Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'int64':
      return new BigInt64Array(length);
  }
}

/** The type that an array's numbers have. */
export function typeOf(data: NpyData): NpyType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  return data instanceof Int32Array ? 'int32' : 'int64';
}

/** The beginning of a text from a file, fit to stand in a message of one line. */
export function excerpt(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
