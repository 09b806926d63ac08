import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { InputError } from '../../input-error';
import { begin } from '../../work';
import { decodeImage, UnusableImage } from './decode';
import { exifOrientation, oriented } from './exif';
import { fileTrouble } from '../files/file-trouble';
import type { RgbImage } from './image';
import type { ImageSet, SkippedFile } from './image-set';

/** Raise it whenever the same files would give different pixels. */
const REVISION = 2;
/** The names of the other sets of images; a folder of that name gets the suffix `-folder`. */
const BUILT_IN = ['photos', 'cifar10'];

export interface ImageFolderOptions {
  /** Whether grey, palette and alpha images are taken too (no), as Pillow's `convert('RGB')` makes them colour images. */
  readonly convertRgb?: boolean;
}

/**
 * The JPEG and PNG images in a folder and its subfolders, sorted by name (`a/1.jpg` before `b.jpg`). Hidden files
 * (`.DS_Store`) are ignored.
 *
 * Every file is decoded once here, so that the count is right and a broken file is found before the work begins. Files that
 * are not images of three 8-bit channels are listed in `skipped` with the reason. `load` decodes again. Images are turned as their
 * EXIF orientation says, as transformers' and datasets' loaders do; `turned` counts them.
 *
 * @throws InputError when there is no such folder, or it holds no usable image.
 */
export async function imageFolder(folder: string, { convertRgb = false }: ImageFolderOptions = {}): Promise<ImageSet> {
  const entries = await list(Buffer.from(folder), '');
  const files: string[] = [];
  const paths: Buffer[] = [];
  const hashes: string[] = [];
  const skipped: SkippedFile[] = [];
  let turned = 0;
  const work = begin(`reading images of ${basename(resolve(folder))}`, entries.length);
  try {
    for (const [index, { file, path }] of entries.entries()) {
      try {
        // A pipe or a device could be read for ever.
        const found = await stat(path);
        if (!found.isFile() && !found.isDirectory()) throw new UnusableImage('not a regular file');
        const bytes = await readFile(path);
        decodeImage(bytes, convertRgb);
        if (exifOrientation(bytes) !== 1) turned++;
        files.push(file);
        paths.push(path);
        hashes.push(sha256(bytes));
      } catch (error) {
        skipped.push({ file, reason: reasonOf(error) });
      }
      await work.advance(index + 1);
    }
  } finally {
    work.end();
  }
  if (files.length === 0) throw noImages(folder, skipped);
  const name = basename(resolve(folder));
  return {
    name: BUILT_IN.includes(name) ? `${name}-folder` : name || 'images',
    count: files.length,
    hash: sha256(JSON.stringify({ set: 'folder', revision: REVISION, hashes, ...(convertRgb && { convertRgb }) })),
    skipped,
    files,
    turned,
    load(index) {
      return uprightImage(readUnchanged(paths[index], hashes[index]), convertRgb);
    },
  };
}

const uprightImage = (bytes: Uint8Array, convertRgb: boolean): RgbImage =>
  oriented(decodeImage(bytes, convertRgb), exifOrientation(bytes));

/**
 * All files, sorted by their names relative to the folder, with `/` between their parts. Paths are bytes, because names need
 * not be UTF-8; other bytes are shown as `\\xNN`.
 */
async function list(folder: Buffer, above: string): Promise<{ file: string; path: Buffer }[]> {
  const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR') {
        throw new InputError(
          `'${String(folder)}': expected a folder of JPEG or PNG images, got a file; name its folder`,
        );
      }
      throw fileTrouble(error, String(folder), 'read');
    },
  );
  const found: { file: string; path: Buffer }[] = [];
  for (const entry of entries) {
    const bytes = entry.name;
    if (bytes[0] === 0x2e) continue; // hidden
    const file = above + shown(bytes);
    const path = Buffer.concat([folder, Buffer.from('/'), bytes]);
    // Links to folders are not followed, because they may form a circle. They are listed as files that cannot be read.
    if (entry.isDirectory()) found.push(...(await list(path, `${file}/`)));
    else found.push({ file, path });
  }
  return found.sort((a, b) => (a.file < b.file ? -1 : 1));
}

function shown(name: Buffer): string {
  const text = name.toString();
  if (Buffer.from(text).equals(name)) return text;
  return name.toString('latin1').replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}

function reasonOf(error: unknown): string {
  if (error instanceof UnusableImage || error instanceof InputError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EISDIR') return 'a link to a folder';
  if (code) return `cannot be read (${code})`;
  throw error;
}

function readUnchanged(path: Buffer, hash: string): Buffer {
  try {
    const bytes = readFileSync(path);
    if (sha256(bytes) === hash) return bytes;
  } catch (error) {
    throw fileTrouble(error, String(path), 'read');
  }
  throw new InputError(`'${String(path)}' changed while it was in use; start again`);
}

function noImages(folder: string, skipped: readonly SkippedFile[]): InputError {
  if (skipped.length === 0) {
    return new InputError(`'${folder}': expected JPEG or PNG images, got an empty folder`);
  }
  const examples = skipped.slice(0, 3).map(({ file, reason }) => `${file}: ${reason}`);
  const more = skipped.length > examples.length ? '; …' : '';
  return new InputError(
    `'${folder}': expected JPEG or PNG images with three channels of 8 bits, got ${skipped.length} other ` +
      `${skipped.length === 1 ? 'file' : 'files'} (${examples.join('; ')}${more})`,
  );
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
