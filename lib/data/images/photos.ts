import { createHash } from 'node:crypto';
import { checkCount } from '../../input-error';
import { randomSource } from '../../tensor';
import { decodeImage } from './decode';
import { crop, type RgbImage } from './image';
import type { ImageSet } from './image-set';
import { readSource, sourceFiles } from '../sources';

/** Raise it whenever the same photographs and options would give different pixels. */
const REVISION = 1;
/** The side of a crop, as a share of the photograph's shorter side. */
const SMALLEST_SIDE = 0.3;
const LARGEST_SIDE = 0.9;

export interface PhotoOptions {
  /** How many crops; default 2000. A larger number begins with the crops of a smaller one. */
  readonly crops?: number;
  /** Seed of the crops; default 0. */
  readonly seed?: number;
}

/** A square part of a photograph. */
interface Crop {
  /** Index of the photograph. */
  readonly photo: number;
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

/**
 * Square crops of the 31 colour photographs that set-up takes from Python packages (`data/README.md` lists them with
 * their licences). Crop i is taken from photograph i mod 31, so that all contribute equally. Its side is uniform between
 * 0.3 and 0.9 of the shorter side, its position uniform.
 *
 * @throws InputError when a photograph is missing or damaged, or `crops` is not a positive whole number.
 */
export async function photos({ crops = 2000, seed = 0 }: PhotoOptions = {}): Promise<ImageSet> {
  checkCount('crops', crops, 1);
  const sources = await sourceFiles('photos');
  const photographs: RgbImage[] = [];
  for (const source of sources) photographs.push(decodeImage(await readSource(source)));
  const drawn = drawCrops(photographs, crops, seed);
  const choice = { seed, side: [SMALLEST_SIDE, LARGEST_SIDE] };
  return {
    name: 'photos',
    count: crops,
    hash: createHash('sha256')
      .update(JSON.stringify({ set: 'photos', revision: REVISION, ...choice, sources: sources.map((s) => s.sha256) }))
      .digest('hex'),
    skipped: [],
    load(index) {
      const { photo, left, top, side } = drawn[index];
      return crop(photographs[photo], left, top, side, side);
    },
  };
}

function drawCrops(photographs: readonly RgbImage[], crops: number, seed: number): Crop[] {
  const random = randomSource(seed, 'photo crops');
  return Array.from({ length: crops }, (_, index) => {
    const photo = index % photographs.length;
    const { width, height } = photographs[photo];
    const share = SMALLEST_SIDE + (LARGEST_SIDE - SMALLEST_SIDE) * random.uniform();
    const side = Math.round(share * Math.min(width, height));
    return { photo, side, left: random.integer(width - side + 1), top: random.integer(height - side + 1) };
  });
}
