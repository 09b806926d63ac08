import { InputError } from '../../input-error';

/** The NumPy types that are read and written here, by their codes in a file, each with its array. */
const TYPES = {
  f4: ['float32', Float32Array],
  f8: ['float64', Float64Array],
  i1: ['int8', Int8Array],
  i2: ['int16', Int16Array],
  i4: ['int32', Int32Array],
  i8: ['int64', BigInt64Array],
  u1: ['uint8', Uint8Array],
  u2: ['uint16', Uint16Array],
  u4: ['uint32', Uint32Array],
  u8: ['uint64', BigUint64Array],
  // as bits; behind u2, whose arrays are the same
  f2: ['float16', Uint16Array],
  V2: ['bfloat16', Uint16Array],
} as const;
type Code = keyof typeof TYPES;
export type NpyType = (typeof TYPES)[Code][0];
export type NpyData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** The header of a `.npy` file. */
export interface NpyHeader {
  readonly dtype: NpyType;
  readonly bigEndian: boolean;
  /** First index fastest (column-major) instead of last. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Bytes per number. */
  readonly itemSize: number;
  /** Position of the first number. */
  readonly offset: number;
}

/** `\x93NUMPY`, two bytes of version and up to four of length: enough to know how long the header is. */
export const PREFIX_BYTES = 12;
/** Far more than three short fields need (NumPy itself stops at 10 000), and harmless. */
const LONGEST_HEADER = 65536;

/**
 * Position of the header's text, from the first {@link PREFIX_BYTES} of the file. Versions 1, 2 and 3 of the format
 * (numpy.lib.format) are understood.
 *
 * @throws InputError when these are not the first bytes of a `.npy` file.
 */
export function headerExtent(prefix: Buffer, path: string): { start: number; end: number } {
  if (prefix.length < 10 || prefix.toString('latin1', 0, 6) !== '\x93NUMPY') {
    throw new InputError(
      `'${path}' is not a .npy file: expected the bytes \\x93NUMPY at its beginning; write it with numpy.save`,
    );
  }
  const version = prefix[6];
  if (version < 1 || version > 3 || prefix[7] !== 0) {
    throw new InputError(
      `'${path}': expected version 1.0, 2.0 or 3.0 of the .npy format, got ${version}.${prefix[7]}; write it again with numpy.save`,
    );
  }
  if (version > 1 && prefix.length < PREFIX_BYTES)
    throw new InputError(`'${path}' ends within its header; copy or write it again`);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? prefix.readUInt16LE(8) : prefix.readUInt32LE(8);
  if (length > LONGEST_HEADER) {
    throw new InputError(
      `'${path}': expected a header of at most ${LONGEST_HEADER} bytes, got a length of ${length}; write it again with numpy.save`,
    );
  }
  return { start, end: start + length };
}

/**
 * Understands the header's text, a Python dictionary of `descr`, `fortran_order` and `shape`.
 *
 * @throws InputError when it is anything else, or the numbers have a type that is not read here.
 */
export function parseHeader(text: string, offset: number, path: string): NpyHeader {
  const fields = parseFields(text);
  const { descr, fortran_order: order, shape } = fields ?? {};
  const lengths = parseShape(shape);
  if (descr === undefined || (order !== 'True' && order !== 'False') || !lengths) {
    throw new InputError(
      `'${path}': expected a header with 'descr', 'fortran_order' and 'shape', got ${excerpt(text)}; ` +
        'write it again with numpy.save',
    );
  }
  const type = /^'([<>=|])([fiuV])([1248])'$/.exec(descr.replaceAll('"', "'"));
  const code = type && type[2] + type[3];
  if (!type || !code || !isCode(code)) {
    const advice = descr.includes('O')
      ? 'Python objects are not numbers: save an array of numbers'
      : "convert the numbers, for example with x.astype('float32')";
    throw new InputError(
      `'${path}': expected floats of 2 to 8 bytes or whole numbers of 1 to 8, got the type ${excerpt(descr)}; ${advice}`,
    );
  }
  if (!Number.isSafeInteger(lengths.reduce((product, length) => product * length, 8))) {
    throw new InputError(
      `'${path}': expected a shape that a file can hold, got (${lengths.join(', ')}); write it again with numpy.save`,
    );
  }
  return {
    dtype: TYPES[code][0],
    bigEndian: type[1] === '>',
    fortranOrder: order === 'True',
    shape: lengths,
    itemSize: Number(type[3]),
    offset,
  };
}

/** `{'key': value, …}` with strings, True, False, tuples and lists as values; null for any other text. */
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

/** The header of a file of this type and shape, in C order: version 1.0, the numbers aligned to 64 bytes. */
export function formatHeader(dtype: NpyType, shape: readonly number[]): Buffer {
  const [code] = entryOf((type) => type === dtype);
  const lengths = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${code.endsWith('1') ? '|' : '<'}${code}', 'fortran_order': False, 'shape': (${lengths}), }`;
  const padded = text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11) + '\n';
  const prefix = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  prefix.writeUInt16LE(padded.length, 8);
  return Buffer.concat([prefix, Buffer.from(padded, 'latin1')]);
}

/** An empty array for `length` numbers of a type. */
export function allocate(dtype: NpyType, length: number): NpyData {
  const [, , array] = entryOf((type) => type === dtype);
  return new array(length);
}

/** The type that an array's numbers have. */
export function typeOf(data: NpyData): NpyType {
  return entryOf((_, array) => data instanceof array)[1];
}

function isCode(code: string): code is Code {
  return code in TYPES;
}

function entryOf(fits: (type: NpyType, array: (typeof TYPES)[Code][1]) => boolean) {
  const code = (Object.keys(TYPES) as Code[]).find((key) => fits(TYPES[key][0], TYPES[key][1]))!;
  return [code, ...TYPES[code]] as const;
}

/** The beginning of a text from a file, quoted for a message of one line. */
export function excerpt(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
