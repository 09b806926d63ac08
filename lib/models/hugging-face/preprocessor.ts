/**
 * preprocessor_config.json: how an image becomes pixels. What its keys mean, and what they are where it leaves them out, depends on
 * the class of the processor, as transformers has it.
 */
import type { Preprocessing } from '../../data';
import { InputError } from '../../input-error';
import { Configuration } from '../configuration';

/** What a class of processors does where nothing else is said. */
interface Processor {
  /** Whether a `size` of one number is both sides; if not, it is the shorter one. */
  readonly square: boolean;
  readonly size: unknown;
  readonly crop: boolean;
  readonly resample: 2 | 3;
  readonly mean: [number, number, number];
  readonly std: [number, number, number];
}

type Colours = Pick<Processor, 'mean' | 'std'>;
const HALF: Colours = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const IMAGENET: Colours = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const OPENAI: Colours = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};
const SQUARE = { height: 224, width: 224 };
const bit: Processor = { square: false, size: { shortest_edge: 224 }, crop: true, resample: 3, ...OPENAI };

/** The classes, by their names without `ImageProcessor`, by transformers 5. */
const PROCESSORS: Readonly<Record<string, Processor>> = {
  Beit: { square: true, size: SQUARE, crop: false, resample: 3, ...HALF },
  Bit: bit,
  CLIP: bit,
  ConvNext: { square: false, size: { shortest_edge: 384 }, crop: false, resample: 3, ...HALF },
  DeiT: { square: true, size: { height: 256, width: 256 }, crop: true, resample: 3, ...HALF },
  DINOv3ViT: { square: true, size: SQUARE, crop: false, resample: 2, ...IMAGENET },
  Siglip: { square: false, size: SQUARE, crop: false, resample: 3, ...HALF },
  ViT: { square: true, size: SQUARE, crop: false, resample: 2, ...HALF },
};

/** The class of an architecture's processor, by its `model_type`, for files that do not name theirs. */
const OF_MODEL: Readonly<Record<string, keyof typeof PROCESSORS>> = {
  beit: 'Beit',
  clip: 'CLIP',
  clip_vision_model: 'CLIP',
  deit: 'DeiT',
  dinov2: 'Bit',
  dinov2_with_registers: 'Bit',
  dinov3_vit: 'DINOv3ViT',
  siglip: 'Siglip',
  siglip_vision_model: 'Siglip',
};

/** Pillow's numbers of the two filters. */
const RESAMPLE: Readonly<Record<number, Preprocessing['resample']>> = { 2: 'bilinear', 3: 'bicubic' };

/** Steps of other processors, off in all of these. */
const OFF = ['do_pad', 'do_flip_channel_order', 'do_grayscale', 'do_thumbnail', 'use_square_size', 'rescale_offset'];

/**
 * Reads a preprocessor_config.json of a network of `modelType`.
 *
 * @throws InputError for a class of processors that is not known, and for steps that this project does not take.
 */
export function readPreprocessing(config: Configuration, modelType: string): Preprocessing {
  const name = classOf(config, modelType);
  const processor = PROCESSORS[name];
  for (const step of ['do_resize', 'do_normalize', 'do_rescale']) {
    if (!config.boolean(step, true)) throw new InputError(`${config.origin}: expected ${step} to be true, got false`);
  }
  for (const step of OFF) config.only(step, false);
  const filter = config.count('resample', processor.resample);
  if (!(filter in RESAMPLE)) {
    throw new InputError(`${config.origin}: expected resample 2 (bilinear) or 3 (bicubic), got ${filter}`);
  }
  const cropped = config.boolean('do_center_crop', processor.crop);
  const asked = sizeOf(config, 'size', processor.size, processor.square);
  const { resize, crop } =
    name === 'ConvNext'
      ? convNext(config, asked)
      : { resize: asked, crop: cropped ? rectangle(config, sizeOf(config, 'crop_size', SQUARE, true)) : undefined };
  if (name === 'DINOv3ViT' && (crop !== undefined || 'shortestEdge' in resize)) {
    throw new InputError(
      `${config.origin}: expected size to have height and width, and no do_center_crop, for ${name}`,
    );
  }
  return {
    resize,
    resample: RESAMPLE[filter],
    ...(crop && { crop }),
    ...(name === 'DINOv3ViT' && { rescaledFirst: true as const }),
    rescale: config.number('rescale_factor', 1 / 255),
    mean: config.triple('image_mean', processor.mean),
    std: config.triple('image_std', processor.std),
  };
}

function classOf(config: Configuration, modelType: string): string {
  const named = config.get('image_processor_type', config.get('feature_extractor_type', null));
  if (named === null) return OF_MODEL[modelType] ?? 'ViT';
  const name = (typeof named === 'string' ? named : '').replace(/(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/, '');
  if (Object.hasOwn(PROCESSORS, name)) return name;
  const known = Object.keys(PROCESSORS).map((each) => `${each}ImageProcessor`);
  throw new InputError(
    `${config.origin}: expected an image_processor_type among ${known.join(', ')}, got ${JSON.stringify(named)}; ` +
      `make the pixels with it, and give --pixels`,
  );
}

/** `{height, width}`, `{shortest_edge}`, `[height, width]`, or one number. */
function sizeOf(config: Configuration, key: string, fallback: unknown, square: boolean): Preprocessing['resize'] {
  const value = config.get(key, fallback);
  if (typeof value === 'number') {
    const side = config.with(key, value).count(key);
    return square ? { height: side, width: side } : { shortestEdge: side };
  }
  const given =
    Array.isArray(value) && value.length === 2 ? { height: value[0] as unknown, width: value[1] as unknown } : value;
  const size = new Configuration(`${config.origin}: ${key}`, given);
  const keys = Object.keys(given as object).filter((each) => size.get(each, null) !== null);
  if (String(keys) === 'shortest_edge') return { shortestEdge: size.count('shortest_edge') };
  if (String(keys.sort()) === 'height,width') return { height: size.count('height'), width: size.count('width') };
  throw new InputError(
    `${config.origin}: expected ${key} to have height and width, or shortest_edge alone, got ${JSON.stringify(value)}`,
  );
}

function rectangle(config: Configuration, size: Preprocessing['resize']): { height: number; width: number } {
  if (!('shortestEdge' in size)) return size;
  throw new InputError(`${config.origin}: expected crop_size to have height and width, got ${JSON.stringify(size)}`);
}

/** Below 384 pixels the shorter side becomes size / crop_pct, and the middle is kept; from there on, both sides become size. */
function convNext(config: Configuration, size: Preprocessing['resize']): Pick<Preprocessing, 'resize' | 'crop'> {
  config.only('do_center_crop', false);
  if (!('shortestEdge' in size)) {
    throw new InputError(`${config.origin}: expected size to have shortest_edge, got ${JSON.stringify(size)}`);
  }
  const side = { height: size.shortestEdge, width: size.shortestEdge };
  if (size.shortestEdge >= 384) return { resize: side };
  return { resize: { shortestEdge: Math.trunc(size.shortestEdge / config.number('crop_pct', 224 / 256)) }, crop: side };
}

/** The side of the square image that comes out; throws {@link InputError} when it is not one size or not square. */
export function sideOf({ resize, crop }: Preprocessing, origin: string): number {
  const size = crop ?? resize;
  if ('shortestEdge' in size || size.height !== size.width) {
    throw new InputError(`${origin}: expected square images of one size, got ${JSON.stringify(size)}`);
  }
  return size.height;
}
