/** Arrays from `.npz` files: zip archives of `.npy` files, as numpy.savez writes them. */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { InputError } from '../../input-error';
import { fileTrouble } from './file-trouble';
import { requireMemory } from './memory';
import { npyIn, type NpyFile, type Readable } from './npy';

const END = 0x06054b50;
const ENTRY = 0x02014b50;
/** The end of the archive's directory without its comment, which may be as long as 16 bits allow. */
const END_BYTES = 22;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly bytes: number;
  readonly unpacked: number;
  readonly offset: number;
}

/**
 * Opens one array of a `.npz` file; `name` may be left out if there is only one.
 *
 * @throws InputError when it is not such a file, or the array is not named.
 */
export async function openNpz(path: string, name?: string): Promise<NpyFile> {
  const archive = await readFile(path).catch((error: unknown) => {
    throw fileTrouble(error, path, 'read');
  });
  const entries = directory(archive, path);
  const wanted = name === undefined ? entries : entries.filter((entry) => entry.name === name);
  if (wanted.length !== 1) {
    const names = entries.map((entry) => entry.name).join(', ') || 'none';
    throw new InputError(
      `'${path}': expected ${name ? `an array '${name}'` : 'one array'}, got ${names}; name one with --tensor`,
    );
  }
  const bytes = await contents(archive, wanted[0], path);
  return npyIn(inMemory(bytes), path);
}

function directory(archive: Buffer, path: string): Entry[] {
  const broken = () => new InputError(`'${path}' is not a whole .npz file; copy it or write it again with numpy.savez`);
  let end = archive.length - END_BYTES;
  while (end >= 0 && archive.readUInt32LE(end) !== END) end--;
  if (end < 0) throw broken();
  const entries: Entry[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (at + 46 > end || archive.readUInt32LE(at) !== ENTRY) throw broken();
    const [nameBytes, extra, comment] = [28, 30, 32].map((field) => archive.readUInt16LE(at + field));
    const file = archive.toString('utf8', at + 46, at + 46 + nameBytes);
    entries.push({
      name: file.replace(/\.npy$/, ''),
      method: archive.readUInt16LE(at + 10),
      bytes: archive.readUInt32LE(at + 20),
      unpacked: archive.readUInt32LE(at + 24),
      offset: archive.readUInt32LE(at + 42),
    });
    at += 46 + nameBytes + extra + comment;
  }
  return entries;
}

async function contents(archive: Buffer, { method, bytes, unpacked, offset }: Entry, path: string): Promise<Buffer> {
  if (offset + 30 > archive.length || offset + 30 + bytes > archive.length) {
    throw new InputError(
      `'${path}': expected a whole .npz file below 4 GB, got another; save the array with numpy.save`,
    );
  }
  requireMemory(unpacked * 2, `'${path}'`);
  const start = offset + 30 + archive.readUInt16LE(offset + 26) + archive.readUInt16LE(offset + 28);
  const stored = archive.subarray(start, start + bytes);
  if (method === 0) return stored;
  try {
    return await promisify(inflateRaw)(stored, { maxOutputLength: unpacked });
  } catch {
    throw new InputError(`'${path}' holds damaged data; copy it or write it again with numpy.savez`);
  }
}

/** Bytes in memory, read as an open file. */
function inMemory(bytes: Buffer): Readable {
  return {
    read: (target: Buffer, offset: number, length: number, position: number) => {
      const bytesRead = bytes.copy(target, offset, position, position + length);
      return Promise.resolve({ bytesRead, buffer: target });
    },
    stat: () => Promise.resolve({ size: bytes.length }),
    close: () => Promise.resolve(),
  } as unknown as Readable;
}
