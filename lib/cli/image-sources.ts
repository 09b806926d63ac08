/** Where `features` takes images from. */
import { existsSync } from 'node:fs';
import type { ImageSet } from '../data';
import { InputError } from '../input-error';
import type { ImageModel } from '../models';
import { wholeNumber } from './arguments';
import type { ExampleSource } from './extract';
import { groupBy } from '../statistics';
import { noteLater } from './output';

/** Images of a folder or a set that is known by name, preprocessed as the model wants them. */
export async function imageSource(
  images: string,
  { seed, convertRgb = false }: { readonly seed: number; readonly convertRgb?: boolean },
  model: ImageModel,
): Promise<ExampleSource> {
  const { pixelBatch } = await import('../data/index.js');
  const preprocessing = model.preprocessing();
  const set = await imageSet(images, seed, convertRgb);
  if (set.skipped.length > 0) {
    const named = set.skipped.slice(0, 10).map(({ file, reason }) => `${file} (${reason})`);
    const reasons = [...groupBy(set.skipped, ({ reason }) => reason)]
      .sort(([, a], [, b]) => b.length - a.length)
      .map(([reason, { length }]) => `${length} ${reason}`);
    const more = set.skipped.length > named.length ? `, …; ${reasons.join(', ')}; --json names them all` : '';
    noteLater(`${set.skipped.length} of ${set.skipped.length + set.count} files skipped: ${named.join(', ')}${more}`);
    if (set.skipped.some(({ reason }) => reason.endsWith('not RGB'))) {
      noteLater('--convert-rgb takes grey, palette and alpha images too');
    }
  }
  if (set.turned) {
    noteLater(`${set.turned} of ${set.count} images were turned as their EXIF orientation says`);
  }
  return {
    name: images,
    count: set.count,
    files: set.files,
    skipped: set.skipped,
    turned: set.turned,
    read: (indices, precision) => Promise.resolve(pixelBatch(set, indices, preprocessing, precision)),
    close: () => Promise.resolve(),
  };
}

async function imageSet(text: string, seed: number, convertRgb: boolean): Promise<ImageSet> {
  const { cifar10, imageFolder, photos } = await import('../data/index.js');
  const named = /^(photos|cifar10)(?::(.*))?$/.exec(text);
  if (named === null) return imageFolder(text, { convertRgb });
  if (existsSync(text)) {
    throw new InputError(
      `--images expects a set or a folder, got '${text}', which names both; write ./${text} for the folder`,
    );
  }
  const count = named[2] === undefined ? undefined : wholeNumber(`--images ${named[1]}:count`, 1)(named[2]);
  return named[1] === 'photos' ? photos({ crops: count, seed }) : cifar10({ count, seed });
}

/** Pixels from a file; images have as many tokens as their height and width make. */
export async function pixelSource(path: string, model: ImageModel): Promise<ExampleSource & { readonly n: number }> {
  const { openPixels } = await import('../data/index.js');
  const { tokenCount } = await import('../models/networks/architecture.js');
  const file = await openPixels(path);
  const [count, , height, width] = file.shape;
  const { patchSize } = model.config;
  if (height < patchSize || width < patchSize) {
    await file.close();
    throw new InputError(
      `--pixels expects [T, 3, H, W] for ${model.name}, H and W at least ${patchSize}, the side of a patch, got ` +
        `[${file.shape.join(', ')}] in '${path}'`,
    );
  }
  const size = 3 * height * width;
  return {
    name: path,
    count,
    n: tokenCount(model.config, height, width),
    async read(indices, precision) {
      const values = (await file.read(indices[0], indices[0] + indices.length)) as Float32Array | Float64Array;
      const bad = values.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) {
        throw new InputError(
          `'${path}': expected finite pixels, got ${values[bad]} in example ${indices[0] + Math.floor(bad / size)}`,
        );
      }
      const data = precision === 'float64' ? Float64Array.from(values) : Float32Array.from(values);
      return { data, shape: [indices.length, 3, height, width] };
    },
    close: () => file.close(),
  };
}
