import { InputError } from '../../input-error';
import type { Precision } from '../../tensor';
import { centerCrop, type RgbImage } from './image';
import type { ImageSet } from './image-set';
import { resize, type Resample } from './resize';
import { resizeGrid } from './resize-grid';

/** How an image becomes a network's input, in the terms of a Hugging Face `preprocessor_config.json`. */
export interface Preprocessing {
  /** Size after resizing, in pixels: both sides, or the shorter side at unchanged proportions. */
  readonly resize: { readonly height: number; readonly width: number } | { readonly shortestEdge: number };
  readonly resample: Resample;
  /** The middle part that is kept after resizing; default: everything. */
  readonly crop?: { readonly height: number; readonly width: number };
  /** Whether an image is rescaled before it is resized, which then rounds to no 8 bits, as DINOv3's processor does. */
  readonly rescaledFirst?: true;
  /** The factor of the 8-bit values, usually 1/255. */
  readonly rescale: number;
  /** Subtracted from red, green and blue after rescaling. */
  readonly mean: readonly [number, number, number];
  /** The divisors of red, green and blue after that. */
  readonly std: readonly [number, number, number];
}

/** Pixels of several images: `[B, 3, H, W]`, in the requested precision. */
export interface PixelBatch {
  readonly data: Float32Array | Float64Array;
  readonly shape: [images: number, channels: 3, height: number, width: number];
}

/**
 * Resizes and crops in 8 bits, as Pillow does, then rescales and normalises in `precision`:
 * `(pixel * rescale - mean) / std`, every step rounded to the precision, as transformers' processors do in numpy.
 *
 * @returns `[3, H, W]`: channels first.
 */
export function preprocess(image: RgbImage, preprocessing: Preprocessing, precision: Precision): PixelBatch['data'] {
  const { width, height, write } = fitted(
    () => image,
    preprocessing,
    () => fit(image, preprocessing),
  );
  const out = floats(3 * height * width, precision);
  write(out, 0);
  return out;
}

/** Images of one set after resizing and cropping: most of the work, and the same in both precisions. */
export type ResizedImages = Map<string, RgbImage>;

/** Bytes of resized images that are kept: 2000 of 224 x 224 pixels. */
const KEPT_BYTES = 2000 * 224 * 224 * 3;

/** The preprocessed images at `indices` of a set. What is in `kept` is not resized again; what is new is added, as far as it fits. */
export function pixelBatch(
  images: ImageSet,
  indices: ArrayLike<number>,
  preprocessing: Preprocessing,
  precision: Precision,
  kept?: ResizedImages,
): PixelBatch {
  const { resize: size, resample, crop } = preprocessing;
  const how = JSON.stringify([size, resample, crop]);
  const resized = (b: number, load: () => RgbImage) => {
    const key = `${indices[b]} ${how}`;
    const image = kept?.get(key) ?? fit(load(), preprocessing);
    if (kept && (kept.size + 1) * image.data.length <= KEPT_BYTES) kept.set(key, image);
    return image;
  };
  let batch: PixelBatch | undefined;
  for (let b = 0; b < indices.length; b++) {
    const load = () => images.load(indices[b]);
    const { width, height, write } = fitted(load, preprocessing, () => resized(b, load));
    batch ??= {
      data: floats(indices.length * 3 * height * width, precision),
      shape: [indices.length, 3, height, width],
    };
    if (height !== batch.shape[2] || width !== batch.shape[3]) {
      throw new InputError(
        `expected images of one size after preprocessing, got ${batch.shape[3]} x ${batch.shape[2]} pixels and, for image ` +
          `${indices[b]}, ${width} x ${height}; give both sides of 'resize', or a 'crop'`,
      );
    }
    write(batch.data, b * 3 * height * width);
  }
  return batch ?? { data: floats(0, precision), shape: [0, 3, 0, 0] };
}

/** An image at its new size; `write` puts its pixels `[3, height, width]` into a batch. */
interface Fitted {
  readonly width: number;
  readonly height: number;
  write(out: PixelBatch['data'], offset: number): void;
}

function fitted(load: () => RgbImage, preprocessing: Preprocessing, resized: () => RgbImage): Fitted {
  if (preprocessing.rescaledFirst) return resizedAsNumbers(load(), preprocessing);
  const { data, width, height } = resized();
  return { width, height, write: (out, offset) => normalise(data, preprocessing, out, offset) };
}

/** Rescaled, then resized with an antialiased filter as torchvision does, then normalised. */
function resizedAsNumbers(image: RgbImage, preprocessing: Preprocessing): Fitted {
  const { resize: size, resample, crop, rescale, mean, std } = preprocessing;
  if (crop || 'shortestEdge' in size) throw new Error('rescaledFirst: expected both sides of resize and no crop');
  const { width, height } = size;
  const isSame = width === image.width && height === image.height;
  return {
    width,
    height,
    write(out, offset) {
      const round = out instanceof Float32Array ? Math.fround : (value: number) => value;
      const scaled = Float64Array.from(image.data, (level) => round(level * rescale));
      const from = [image.height, image.width] as const;
      const values = isSame ? scaled : resizeGrid(scaled, from, [height, width], 3, `${resample} antialiased`);
      for (let i = 0; i < values.length; i++) {
        const channel = i % 3;
        const value = round(round(round(values[i]) - round(mean[channel])) / round(std[channel]));
        out[offset + channel * width * height + Math.floor(i / 3)] = value;
      }
    },
  };
}

/** Resized and cropped, still 8 bits per channel. */
function fit(image: RgbImage, { resize: size, resample, crop }: Preprocessing): RgbImage {
  const { width, height } = 'shortestEdge' in size ? withShortestEdge(image, size.shortestEdge) : size;
  const resized = resize(image, width, height, resample);
  if (!crop) return resized;
  if (crop.width > width || crop.height > height) {
    throw new InputError(
      `expected a crop of at most the resized image, ${width} x ${height} pixels, got ${crop.width} x ${crop.height}; ` +
        'make the resize larger or the crop smaller',
    );
  }
  return centerCrop(resized, crop.width, crop.height);
}

/** The longer side is rounded down, as in transformers' `get_resize_output_image_size`. */
function withShortestEdge(image: RgbImage, edge: number): { width: number; height: number } {
  const longer = (long: number, short: number) => Math.trunc((edge * long) / short);
  return image.width <= image.height
    ? { width: edge, height: longer(image.height, image.width) }
    : { width: longer(image.width, image.height), height: edge };
}

/** Writes `[H, W, 3]` bytes as `[3, H, W]` numbers to `out`, starting at `offset`. */
function normalise(data: Uint8Array, preprocessing: Preprocessing, out: PixelBatch['data'], offset: number): void {
  const plane = data.length / 3;
  for (let channel = 0; channel < 3; channel++) {
    const values = levels(preprocessing, channel, out instanceof Float32Array ? Math.fround : (value) => value);
    const first = offset + channel * plane;
    for (let i = 0; i < plane; i++) out[first + i] = values[data[i * 3 + channel]];
  }
}

/** The pixel that each of the 256 values of a channel becomes. */
function levels(
  { rescale, mean, std }: Preprocessing,
  channel: number,
  round: (value: number) => number,
): Float64Array {
  const [m, s] = [round(mean[channel]), round(std[channel])];
  // A float32 division in float64, rounded to float32, is the float32 division, because 53 >= 2 * 24 + 2 bits.
  return Float64Array.from({ length: 256 }, (_, level) => round(round(round(level * rescale) - m) / s));
}

const floats = (length: number, precision: Precision) =>
  precision === 'float32' ? new Float32Array(length) : new Float64Array(length);
