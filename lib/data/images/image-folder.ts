import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { InputError } from '../../input-error';
import { begin } from '../../work';
import { decodeImage, UnusableImage } from './decode';
import { fileTrouble } from '../files/file-trouble';
import type { ImageSet, SkippedFile } from './image-set';

/** Raise it whenever the same files would give different pixels. */
const REVISION = 1;
/** The names of the other sets of images; a folder of that name gets the suffix `-folder`. */
const BUILT_IN = ['photos', 'cifar10'];

/**
 * The JPEG and PNG images in a folder and its subfolders, sorted by name (`a/1.jpg` before `b.jpg`). Hidden files
 * (`.DS_Store`) are ignored.
 *
 * Every file is decoded once here, so that the count is right and a broken file is found before the work begins. Files that
 * are not images of three 8-bit channels are listed in `skipped` with the reason. `load` decodes again.
 *
 * @throws InputError when there is no such folder, or it holds no usable image.
 */
export async function imageFolder(folder: string): Promise<ImageSet> {
  const names = await list(folder);
  const files: string[] = [];
  const hashes: string[] = [];
  const skipped: SkippedFile[] = [];
  const work = begin(`reading images of ${basename(resolve(folder))}`, names.length);
  try {
    for (const [index, file] of names.entries()) {
      try {
        const bytes = await readFile(join(folder, file));
        decodeImage(bytes);
        files.push(file);
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
    hash: sha256(JSON.stringify({ set: 'folder', revision: REVISION, hashes })),
    skipped,
    files,
    load(index) {
      const path = join(folder, files[index]);
      const bytes = readUnchanged(path, hashes[index]);
      return decodeImage(bytes);
    },
  };
}

/** Names of all files, relative to the folder, with `/` between their parts. */
async function list(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTDIR') {
      throw new InputError(`'${folder}': expected a folder of JPEG or PNG images, got a file; name its folder`);
    }
    throw fileTrouble(error, folder, 'read');
  });
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    // Links to folders are not followed, because they may form a circle. They are listed as files that cannot be read.
    if (entry.isDirectory()) {
      for (const below of await list(join(folder, entry.name))) names.push(`${entry.name}/${below}`);
    } else {
      names.push(entry.name);
    }
  }
  return names.sort();
}

function reasonOf(error: unknown): string {
  if (error instanceof UnusableImage || error instanceof InputError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EISDIR') return 'a link to a folder';
  if (code) return `cannot be read (${code})`;
  throw error;
}

function readUnchanged(path: string, hash: string): Buffer {
  try {
    const bytes = readFileSync(path);
    if (sha256(bytes) === hash) return bytes;
  } catch (error) {
    throw fileTrouble(error, path, 'read');
  }
  throw new InputError(`'${path}' changed while it was in use; start again`);
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
