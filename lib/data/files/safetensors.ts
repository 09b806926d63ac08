/**
 * Reads safetensors files (github.com/huggingface/safetensors): eight bytes with the length of a JSON header, the header,
 * then the numbers of all tensors, without gaps. Everything that the format's description and its security audit ask a
 * reader to reject is rejected before any tensor is read.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../../input-error';
import { duplicateKey } from './duplicate-key';
import { fromBfloat16, fromFloat16 } from './half-precision';

/** The format's own limit on the header. */
const MOST_HEADER_BYTES = 100_000_000;

/** Bits per number of each type. */
const DTYPE_BITS: Readonly<Record<string, number>> = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
};

export interface SafetensorsEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Position of the first byte in the file, and of the byte after the last. */
  readonly begin: number;
  readonly end: number;
}

/** A source of bytes: a file, or memory. */
export interface ByteSource {
  readonly origin: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`; throws {@link InputError} when there are fewer. */
  read(offset: number, length: number): Uint8Array;
}

/** The bytes of a file, which is opened and closed for each read, so that it is never left open. */
export function fileBytes(path: string): ByteSource {
  const opened = <T>(use: (file: number) => T): T => {
    let file: number | null = null;
    try {
      file = openSync(path, 'r');
      return use(file);
    } catch (error) {
      if (error instanceof InputError) throw error;
      throw new InputError(`${path} cannot be read: ${(error as Error).message}`);
    } finally {
      if (file !== null) closeSync(file);
    }
  };
  return {
    origin: path,
    size: opened((file) => fstatSync(file).size),
    read: (offset, length) =>
      opened((file) => {
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length;) {
          const count = readSync(file, bytes, done, length - done, offset + done);
          if (count === 0)
            throw new InputError(`${path} ended at byte ${offset + done} while it was being read; is it complete?`);
          done += count;
        }
        return bytes;
      }),
  };
}

/** A checked file: the names, types and positions of its tensors. */
export interface Safetensors {
  readonly origin: string;
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  /** All numbers of one tensor, row-major: float32 for F32, F16 and BF16, float64 for F64 and integers. */
  read(name: string): Float32Array | Float64Array;
  /** The same of some rows of a matrix `[rows, d]`, by their numbers from 0, without reading the others. */
  readRows(name: string, indices: readonly number[]): Float32Array | Float64Array;
}

/** Reads and checks the header; throws {@link InputError} for everything that the format does not allow. */
export function openSafetensors(bytes: ByteSource): Safetensors {
  const { origin } = bytes;
  const entries = readHeader(bytes);
  const named = (name: string) => {
    const entry = entries.get(name);
    if (entry === undefined) throw new InputError(`${origin}: expected a tensor ${name}, found none of that name`);
    return entry;
  };
  return {
    origin,
    entries,
    readRows(name, indices) {
      const { begin, end, shape, dtype } = named(name);
      const length = (end - begin) / shape[0];
      const rows = new Uint8Array(indices.length * length);
      indices.forEach((index, row) => rows.set(bytes.read(begin + index * length, length), row * length));
      return numbersOf(rows, dtype, `${origin}: ${name}`);
    },
    read(name) {
      const entry = named(name);
      return numbersOf(bytes.read(entry.begin, entry.end - entry.begin), entry.dtype, `${origin}: ${name}`);
    },
  };
}

function readHeader(bytes: ByteSource): Safetensors['entries'] {
  const { origin, size } = bytes;
  const reject = (reason: string): never => {
    throw new InputError(`${origin} is not a valid safetensors file: it ${reason}; is it complete and of that format?`);
  };
  if (size < 8) reject(`has ${size} bytes, fewer than the 8 of its header's length`);
  const first = bytes.read(0, 8);
  const length = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MOST_HEADER_BYTES)) reject(`claims a header of ${length} bytes (at most ${MOST_HEADER_BYTES})`);
  const start = 8 + Number(length);
  if (start > size) reject(`claims a header of ${length} bytes, but has only ${size - 8} after its first 8`);

  const text = decodeUtf8(bytes.read(8, Number(length))) ?? reject('has a header that is not UTF-8');
  if (!text.startsWith('{')) reject("has a header that does not begin with '{'");
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    reject(`has a header that is not JSON (${(error as Error).message})`);
  }
  const twice = duplicateKey(text);
  if (twice !== null) reject(`has the key ${JSON.stringify(twice)} twice in its header`);

  const { __metadata__: metadata, ...tensors } = header as Record<string, unknown>;
  // null, as in the reference's reader, is none
  if (metadata != null && (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== 'string'))) {
    reject('has a __metadata__ that is not a map from strings to strings');
  }
  const entries = new Map<string, SafetensorsEntry>();
  for (const [name, value] of Object.entries(tensors)) {
    const entry = entryOf(value, start);
    if (typeof entry === 'string') reject(`has a tensor ${JSON.stringify(name)} that ${entry}`);
    entries.set(name, entry as SafetensorsEntry);
  }
  const gap = unevenness(entries, start, size);
  if (gap !== null) reject(gap);
  return entries;
}

/** One tensor's description, or what is wrong with it. */
function entryOf(value: unknown, start: number): SafetensorsEntry | string {
  if (!isRecord(value)) return 'is not described by an object';
  const { dtype, shape, data_offsets: offsets, ...others } = value;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) return `has the unknown property ${JSON.stringify(unknown)}`;
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BITS, dtype)) {
    return `has the unknown type ${JSON.stringify(dtype)}`;
  }
  if (!isCounts(shape)) return `has the shape ${JSON.stringify(shape)}`;
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return `has the offsets ${JSON.stringify(offsets)}`;
  }
  const bits = shape.reduce((product, size) => product * BigInt(size), BigInt(DTYPE_BITS[dtype]));
  const [begin, end] = offsets;
  if (bits !== 8n * BigInt(end - begin)) {
    return `needs ${Number(bits) / 8} bytes for ${dtype} [${shape.join(', ')}], but has offsets that span ${end - begin}`;
  }
  return { dtype, shape, begin: start + begin, end: start + end };
}

/** What is wrong with the positions of the tensors, or null: they must fill the file from its header to its end. */
function unevenness(entries: ReadonlyMap<string, SafetensorsEntry>, start: number, size: number): string | null {
  const inOrder = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let filled = start;
  for (const [name, { begin, end }] of inOrder) {
    if (begin < filled) return `has a tensor ${JSON.stringify(name)} that overlaps the tensor before it`;
    if (begin > filled) return `has a hole of ${begin - filled} bytes before its tensor ${JSON.stringify(name)}`;
    if (end > size) return `has a tensor ${JSON.stringify(name)} that ends at byte ${end} of ${size}`;
    filled = end;
  }
  return filled === size ? null : `has ${size - filled} bytes after its last tensor`;
}

function numbersOf(bytes: Uint8Array, dtype: string, origin: string): Float32Array | Float64Array {
  // Copied if necessary: a view needs an aligned offset, which a file does not guarantee.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  const view = <T>(Kind: {
    new (buffer: ArrayBufferLike, offset: number, length: number): T;
    BYTES_PER_ELEMENT: number;
  }) => new Kind(aligned.buffer, aligned.byteOffset, aligned.length / Kind.BYTES_PER_ELEMENT);
  switch (dtype) {
    case 'F64':
      return view(Float64Array);
    case 'F32':
      return view(Float32Array);
    case 'BF16':
      return fromBfloat16(view(Uint16Array));
    case 'F16':
      return fromFloat16(view(Uint16Array));
    case 'I8':
      return Float64Array.from(view(Int8Array));
    case 'U8':
      return Float64Array.from(view(Uint8Array));
    case 'I16':
      return Float64Array.from(view(Int16Array));
    case 'U16':
      return Float64Array.from(view(Uint16Array));
    case 'I32':
      return Float64Array.from(view(Int32Array));
    case 'U32':
      return Float64Array.from(view(Uint32Array));
    case 'I64':
      return exactIntegers(view(BigInt64Array), origin);
    case 'U64':
      return exactIntegers(view(BigUint64Array), origin);
    default:
      throw new InputError(`${origin}: expected F64, F32, F16, BF16 or an integer type, got ${dtype}`);
  }
}

export function exactIntegers(values: BigInt64Array | BigUint64Array, origin: string): Float64Array {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = Number(values[i]);
    if (!Number.isSafeInteger(numbers[i]))
      throw new InputError(`${origin}: expected integers that float64 holds exactly, got ${values[i]}`);
  }
  return numbers;
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}
