/** preprocessor_config.json: how an image becomes pixels. Keys that it leaves out have transformers' defaults. */
import type { Preprocessing } from '../../data';
import { InputError } from '../../input-error';
import { Configuration } from '../configuration';

/** Pillow's numbers of the two filters. */
const RESAMPLE: Readonly<Record<number, Preprocessing['resample']>> = { 2: 'bilinear', 3: 'bicubic' };

/** Reads a preprocessor_config.json; throws {@link InputError} for steps that this project does not take. */
export function readPreprocessing(config: Configuration): Preprocessing {
  for (const step of ['do_resize', 'do_normalize', 'do_rescale']) {
    if (!config.boolean(step, true)) throw new InputError(`${config.origin}: expected ${step} to be true, got false`);
  }
  const filter = config.count('resample', 2);
  if (!(filter in RESAMPLE)) {
    throw new InputError(`${config.origin}: expected resample 2 (bilinear) or 3 (bicubic), got ${filter}`);
  }
  const crop = config.boolean('do_center_crop', false) ? rectangle(config, 'crop_size') : null;
  return {
    resize: resizeOf(config),
    resample: RESAMPLE[filter],
    ...(crop && { crop }),
    rescale: config.number('rescale_factor', 1 / 255),
    mean: config.triple('image_mean', [0.5, 0.5, 0.5]),
    std: config.triple('image_std', [0.5, 0.5, 0.5]),
  };
}

/** `{height, width}`, `{shortest_edge}`, or a number: both sides for a ViT's processor, the shorter one for DINOv2's. */
function resizeOf(config: Configuration): Preprocessing['resize'] {
  const size = config.get('size', { height: 224, width: 224 });
  const processor = config.get('image_processor_type', config.get('feature_extractor_type', 'ViTImageProcessor'));
  if (typeof size === 'number' && !String(processor).startsWith('ViT')) return { shortestEdge: config.count('size') };
  if (typeof size === 'object' && size !== null && 'shortest_edge' in size) {
    return { shortestEdge: new Configuration(`${config.origin}: size`, size).count('shortest_edge') };
  }
  return rectangle(config, 'size');
}

function rectangle(config: Configuration, key: string): { height: number; width: number } {
  const value = config.get(key, { height: 224, width: 224 });
  if (typeof value === 'number') return { height: config.count(key), width: config.count(key) };
  const size = new Configuration(`${config.origin}: ${key}`, value);
  return { height: size.count('height'), width: size.count('width') };
}

/** The side of the square image that comes out; throws {@link InputError} when it is not one size or not square. */
export function sideOf({ resize, crop }: Preprocessing, origin: string): number {
  const size = crop ?? resize;
  if ('shortestEdge' in size || size.height !== size.width) {
    throw new InputError(`${origin}: expected square images of one size, got ${JSON.stringify(size)}`);
  }
  return size.height;
}
