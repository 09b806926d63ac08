import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { InputError } from '../../input-error';
import { begin } from '../../work';
import { decodeImage, UnusableImage } from './decode';
import { fileTrouble } from '../files/file-trouble';
import type { ImageSet, SkippedFile } from './image-set';

/** To be raised whenever the same files would give other pixels. */
const REVISION = 1;
/** The names of the other sets of images; a folder of that name gets a longer one. */
const BUILT_IN = ['photos', 'cifar10'];

/**
 * The JPEG and PNG images in a folder and the folders below it, in the order of their sorted names (`a/1.jpg` before
 * `b.jpg`); hidden files (`.DS_Store`) are passed over.
 *
 * Every file is decoded once here, so that the count is right and a broken file is known before the work begins; what is
 * no image of three 8-bit channels is left out and listed in `skipped` with the reason. `load` decodes anew.
 *
 * @throws InputError when there is no such folder, or no usable image in it.
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
      throw new InputError(`'${folder}' is a file, and a folder of JPEG or PNG images was expected; name its folder`);
    }
    throw fileTrouble(error, folder, 'read');
  });
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    // Links to folders are not followed: they may lead round in a circle. They come out as files that cannot be read.
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
    return new InputError(`'${folder}' is empty, and a folder of JPEG or PNG images was expected; put images there`);
  }
  const examples = skipped.slice(0, 3).map(({ file, reason }) => `${file}: ${reason}`);
  const more = skipped.length > examples.length ? '; …' : '';
  return new InputError(
    `'${folder}' holds no usable image: JPEG or PNG with three channels of 8 bits was expected, and of ` +
      `${skipped.length} ${skipped.length === 1 ? 'file' : 'files'} none is (${examples.join('; ')}${more})`,
  );
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
