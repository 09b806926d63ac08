import { createHash } from 'node:crypto';
import { checkCount, InputError } from '../../input-error';
import { randomSource } from '../../tensor';
import { decodeImage } from './decode';
import { crop, type RgbImage } from './image';
import type { ImageSet } from './image-set';
import { cacheFolder } from '../project-root';
import { readSource, sourceFiles, type SourceFile } from '../sources';

/** Raise it whenever the same photographs and options would give different pixels. */
const REVISION = 3;
/** The smallest side of a crop in pixels, which is what the networks take: no crop is enlarged. */
const SMALLEST_SIDE = 224;
/**
 * The smallest side of a crop, as a share of the photograph's shorter side: 224 of the 375 pixels that ImageNet's photographs
 * usually have. So a crop shows a scene and not a patch of one, however large the file is.
 */
const SMALLEST_SHARE = 0.6;
/** After so many crops in a row that were drawn before, a photograph is taken to have no others. */
const MOST_TRIES = 1000;

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
 * Square crops of the colour photographs that set-up takes from Python's and Node's packages (`data/README.md` lists them
 * with their licences). Crop i is taken from photograph i mod N, so that all N contribute equally. As a vision transformer
 * is given whole photographs that were made smaller, its side is uniform between 0.6 of the shorter side (224 pixels where
 * that is more) and the shorter side; its position is uniform. No crop is drawn twice.
 *
 * @throws InputError when a photograph is missing, damaged or smaller than a crop, or `crops` is not a positive whole number.
 */
export async function photos({ crops = 2000, seed = 0 }: PhotoOptions = {}): Promise<ImageSet> {
  checkCount('crops', crops, 1);
  const sources = await sourceFiles('photos');
  const photographs = await decoded(sources);
  const drawn = drawCrops(photographs, crops, seed);
  return {
    name: 'photos',
    count: crops,
    hash: createHash('sha256')
      .update(
        JSON.stringify({
          set: 'photos',
          revision: REVISION,
          seed,
          smallest: [SMALLEST_SIDE, SMALLEST_SHARE],
          sources: sources.map(({ sha256 }) => sha256),
        }),
      )
      .digest('hex'),
    skipped: [],
    load(index) {
      const { photo, left, top, side } = drawn[index];
      return crop(photographs[photo], left, top, side, side);
    },
  };
}

/** The photographs that a set in use holds: 250 MB, which sets of other seeds share. */
let inUse: { readonly of: string; readonly photographs: WeakRef<RgbImage[]> } | undefined;

async function decoded(sources: readonly SourceFile[]): Promise<RgbImage[]> {
  const of = JSON.stringify([cacheFolder(), sources]);
  const known = inUse?.of === of ? inUse.photographs.deref() : undefined;
  if (known) return known;
  const photographs: RgbImage[] = [];
  for (const source of sources) photographs.push(photograph(source.file, await readSource(source)));
  inUse = { of, photographs: new WeakRef(photographs) };
  return photographs;
}

function photograph(file: string, bytes: Buffer): RgbImage {
  const image = decodeImage(bytes);
  if (Math.min(image.width, image.height) >= SMALLEST_SIDE) return image;
  throw new InputError(
    `${file}: expected a shorter side of at least ${SMALLEST_SIDE} pixels, got ${image.width} x ${image.height}; remove it from ` +
      'data/sources.json',
  );
}

/** Draws without repetition: an image that is there twice makes every subset with both of them dependent. */
function drawCrops(photographs: readonly RgbImage[], crops: number, seed: number): Crop[] {
  const random = randomSource(seed, 'photo crops');
  const drawn = new Set<string>();
  return Array.from({ length: crops }, (_, index) => {
    const photo = index % photographs.length;
    const { width, height } = photographs[photo];
    const shorter = Math.min(width, height);
    const smallest = Math.max(SMALLEST_SIDE, Math.ceil(SMALLEST_SHARE * shorter));
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const side = smallest + random.integer(shorter - smallest + 1);
      const crop = { photo, side, left: random.integer(width - side + 1), top: random.integer(height - side + 1) };
      const before = drawn.size;
      if (drawn.add(Object.values(crop).join(' ')).size > before) return crop;
    }
    throw new InputError(
      `crops: expected a number of different crops that ${photographs.length} photographs have, got ${crops}; ask for fewer`,
    );
  });
}
