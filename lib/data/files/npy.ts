import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { InputError } from '../../input-error';
import { fileTrouble } from './file-trouble';
import { inBytes, requireMemory } from './memory';
import {
  allocate,
  formatHeader,
  headerExtent,
  type NpyData,
  type NpyHeader,
  type NpyType,
  parseHeader,
  PREFIX_BYTES,
  typeOf,
} from './npy-header';

/** Numbers of any rank, in C order. */
export interface NpyArray {
  readonly data: NpyData;
  readonly shape: readonly number[];
}

/** Bytes per system call, which must be less than 2 GiB. */
const CHUNK_BYTES = 64 * 2 ** 20;

/**
 * Reads a whole `.npy` file, in C or Fortran order, little or big endian; the result is in C order.
 *
 * @throws InputError when it is not such a file, has the wrong length, or does not fit into memory.
 */
export async function readNpy(path: string): Promise<NpyArray & { readonly dtype: NpyType }> {
  const file = await openNpy(path);
  try {
    return { data: await file.readAll(), shape: file.shape, dtype: file.dtype };
  } finally {
    await file.close();
  }
}

/** Opens a `.npy` file for reading in slices; `close` it at the end. Throws as {@link readNpy}. */
export async function openNpy(path: string): Promise<NpyFile> {
  try {
    return await npyIn(await open(path, 'r'), path);
  } catch (error) {
    throw fileTrouble(error, path, 'read');
  }
}

/** What is needed of a file that is read: an open one, or bytes in memory. */
export type Readable = Pick<FileHandle, 'read' | 'stat' | 'close'>;

/** The same for what is open already. */
export async function npyIn(handle: Readable, path: string): Promise<NpyFile> {
  try {
    const { size } = await handle.stat();
    const prefix = await readBytes(handle, 0, PREFIX_BYTES);
    const { start, end } = headerExtent(prefix, path);
    const text = await readBytes(handle, start, end - start);
    if (text.length < end - start) throw new InputError(`'${path}' ends within its header; copy or write it again`);
    const header = parseHeader(text.toString(prefix[6] === 3 ? 'utf8' : 'latin1'), end, path);
    checkSize(header, size, path);
    return new NpyFile(handle, header, path);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** An open `.npy` file whose size agrees with its header. */
export class NpyFile {
  readonly dtype: NpyType;
  readonly shape: readonly number[];

  constructor(
    private readonly handle: Readable,
    private readonly header: NpyHeader,
    readonly path: string,
  ) {
    this.dtype = header.dtype;
    this.shape = header.shape;
  }

  /** The slices `start` to `end` (not included) along the first axis, in C order. */
  async read(start: number, end: number): Promise<NpyData> {
    const { shape, fortranOrder } = this.header;
    if (fortranOrder && shape.length > 1) {
      const slice = count(shape.slice(1));
      return (await this.readAll()).slice(start * slice, end * slice);
    }
    const slice = count(shape.slice(1));
    return this.numbers(start * slice, (end - start) * slice);
  }

  /** All numbers, in C order. */
  async readAll(): Promise<NpyData> {
    const { shape, fortranOrder } = this.header;
    const transposed = fortranOrder && shape.filter((length) => length > 1).length > 1;
    requireMemory(count(shape) * this.header.itemSize * (transposed ? 2 : 1), `'${this.path}'`);
    const data = await this.numbers(0, count(shape));
    return transposed ? toCOrder(data, shape) : data;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private async numbers(first: number, length: number): Promise<NpyData> {
    const { dtype, itemSize, offset, bigEndian } = this.header;
    const data = allocate(dtype, length);
    for (let done = 0; done < data.byteLength; done += CHUNK_BYTES) {
      const bytes = Buffer.from(data.buffer, done, Math.min(CHUNK_BYTES, data.byteLength - done));
      const read = await readInto(this.handle, bytes, offset + first * itemSize + done);
      if (read < bytes.length)
        throw new InputError(`'${this.path}' became shorter while it was being read; read it again`);
      if (bigEndian && itemSize > 1) swap(bytes, itemSize);
    }
    return data;
  }
}

/** Writes an array as a `.npy` file; it appears whole or not at all. */
export async function writeNpy(path: string, { data, shape }: NpyArray): Promise<void> {
  const writer = await createNpy(path, typeOf(data), shape);
  try {
    await writer.append(data);
    await writer.finish();
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/**
 * Begins a `.npy` file of a known shape whose numbers are appended step by step, in C order:
 *
 *     const contexts = await createNpy('contexts.npy', 'float32', [T, n, d]);
 *     try {
 *       for (…) await contexts.append(batch);
 *       await contexts.finish();
 *     } finally {
 *       await contexts.discard(); // does nothing after `finish`
 *     }
 *
 * @throws InputError when the file cannot be written.
 */
export async function createNpy(path: string, dtype: NpyType, shape: readonly number[]): Promise<NpyWriter> {
  const partial = `${path}.${randomUUID().slice(0, 8)}.partial`;
  try {
    const handle = await open(partial, 'wx');
    const writer = new NpyWriter(handle, partial, path, dtype, shape);
    await writer.begin();
    return writer;
  } catch (error) {
    throw fileTrouble(error, path, 'written');
  }
}

/** A `.npy` file that is being written; see {@link createNpy}. It has a temporary name until it is finished. */
export class NpyWriter {
  private written = 0;
  private open = true;

  constructor(
    private readonly handle: FileHandle,
    private readonly partial: string,
    private readonly path: string,
    private readonly dtype: NpyType,
    private readonly shape: readonly number[],
  ) {}

  /** Writes the header. */
  async begin(): Promise<void> {
    await this.write(formatHeader(this.dtype, this.shape));
  }

  /** Writes the next numbers. */
  async append(data: NpyData): Promise<void> {
    if (typeOf(data) !== this.dtype) throw new TypeError(`'${this.path}': expected ${this.dtype}, got ${typeOf(data)}`);
    this.written += data.length;
    if (this.written > count(this.shape)) throw new RangeError(this.mismatch());
    for (let done = 0; done < data.byteLength; done += CHUNK_BYTES) {
      const length = Math.min(CHUNK_BYTES, data.byteLength - done);
      await this.write(new Uint8Array(data.buffer, data.byteOffset + done, length));
    }
  }

  /** Gives the file its name; all numbers of its shape must have been written. */
  async finish(): Promise<void> {
    if (this.written !== count(this.shape)) throw new RangeError(this.mismatch());
    try {
      await this.handle.datasync();
      await this.close();
      await rename(this.partial, this.path);
    } catch (error) {
      await rm(this.partial, { force: true });
      throw fileTrouble(error, this.path, 'written');
    }
  }

  /** Removes the file, unless it is finished. */
  async discard(): Promise<void> {
    if (!this.open) return;
    await this.close();
    await rm(this.partial, { force: true });
  }

  private async close(): Promise<void> {
    this.open = false;
    await this.handle.close();
  }

  private async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        done += (await this.handle.write(bytes, done, bytes.length - done)).bytesWritten;
      }
    } catch (error) {
      await this.discard();
      throw fileTrouble(error, this.path, 'written');
    }
  }

  private mismatch(): string {
    return `'${this.path}': expected the numbers of the shape (${this.shape.join(', ')}), got ${this.written}`;
  }
}

function checkSize({ shape, itemSize, offset }: NpyHeader, size: number, path: string): void {
  const promised = count(shape) * itemSize;
  const found = size - offset;
  if (found === promised) return;
  const what = found < promised ? 'is truncated' : 'is too long';
  throw new InputError(
    `'${path}' ${what}: expected ${promised} bytes of numbers (${inBytes(promised)}) for the shape (${shape.join(', ')}), ` +
      `got ${found}; copy or write it again`,
  );
}

const count = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);

/** From Fortran order (first index fastest) to C order (last index fastest). */
function toCOrder(data: NpyData, shape: readonly number[]): NpyData {
  const out = allocate(typeOf(data), data.length);
  // The step of each axis in `data`, and the index at `position`.
  const steps = shape.map((_, axis) => count(shape.slice(0, axis)));
  const index = shape.map(() => 0);
  let position = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[position];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += steps[axis];
      if (++index[axis] < shape[axis]) break;
      position -= steps[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

function swap(bytes: Buffer, itemSize: number): void {
  if (itemSize === 2) bytes.swap16();
  else if (itemSize === 4) bytes.swap32();
  else bytes.swap64();
}

async function readBytes(handle: Readable, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, await readInto(handle, bytes, position));
}

/** Fills `bytes` from `position` on; returns how many were read. */
async function readInto(handle: Readable, bytes: Buffer, position: number): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}
