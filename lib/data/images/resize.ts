import type { RgbImage } from './image';

/**
 * How an image is resized. The result agrees to the last bit with Pillow's, which Hugging Face's image processors use.
 * (TensorFlow's `resizeBilinear` neither widens its filter when shrinking nor rounds to 8 bits.)
 *
 * Follows Pillow's `src/libImaging/Resample.c`: two passes, one along the rows and one along the columns. Each output pixel
 * is a weighted sum of the input pixels around its centre; the filter is widened by the scale when shrinking; weights are
 * 22-bit fixed point, and each pass rounds and clips to 8 bits.
 */
export type Resample = 'bilinear' | 'bicubic';

/** A filter: half its width, in pixels of the coarser grid, and its value at distance x. */
interface Filter {
  readonly support: number;
  at(x: number): number;
}

const FILTERS: Readonly<Record<Resample, Filter>> = {
  bilinear: {
    support: 1,
    at: (x) => Math.max(0, 1 - Math.abs(x)),
  },
  // Keys' cubic convolution with a = -1/2.
  bicubic: {
    support: 2,
    at(x) {
      const distance = Math.abs(x);
      if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
      if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * -0.5;
      return 0;
    },
  },
};

/** Fraction bits of the weights: 32, minus 8 for the pixel and 2 for sums above 1 and below 0. */
const FRACTION_BITS = 22;
const HALF = 1 << (FRACTION_BITS - 1);

/** The weights of one pass: for output position i, those of `length[i]` input positions from `start[i]` on. */
interface Weights {
  /** First input position, `[size]`. */
  readonly start: Int32Array;
  /** Number of input positions, `[size]`. */
  readonly length: Int32Array;
  /** `[size, taps]` in fixed point; entries beyond `length` are 0. */
  readonly values: Int32Array;
  readonly taps: number;
}

/**
 * Resizes to `width` x `height` pixels. A side that keeps its length needs no pass; if both do, the same image is returned.
 *
 * Both passes round, so their order affects the last bit. The rows come first, except when the height loses more than twice
 * the pixels that the width loses (since Pillow 13).
 */
export function resize(image: RgbImage, width: number, height: number, resample: Resample): RgbImage {
  const fewerRows = image.height - height;
  const columnsFirst = fewerRows > 0 && fewerRows > 2 * (image.width - width);
  return columnsFirst
    ? resizeWidth(resizeHeight(image, height, resample), width, resample)
    : resizeHeight(resizeWidth(image, width, resample), height, resample);
}

/** The pass along the rows: `[height, width, 3]` to `[height, to, 3]`. */
function resizeWidth(image: RgbImage, to: number, resample: Resample): RgbImage {
  const { data: source, width: from, height } = image;
  if (to === from) return image;
  const { start, length, values, taps } = weightsFor(from, to, resample);
  // Stores clip to 0..255.
  const target = new Uint8ClampedArray(height * to * 3);
  let out = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < to; column++) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let pixel = (row * from + start[column]) * 3;
      const first = column * taps;
      const end = first + length[column];
      for (let tap = first; tap < end; tap++) {
        const weight = values[tap];
        red = (red + Math.imul(source[pixel], weight)) | 0;
        green = (green + Math.imul(source[pixel + 1], weight)) | 0;
        blue = (blue + Math.imul(source[pixel + 2], weight)) | 0;
        pixel += 3;
      }
      target[out++] = red >> FRACTION_BITS;
      target[out++] = green >> FRACTION_BITS;
      target[out++] = blue >> FRACTION_BITS;
    }
  }
  return { width: to, height, data: new Uint8Array(target.buffer) };
}

/** The pass along the columns: `[height, width, 3]` to `[to, width, 3]`. */
function resizeHeight(image: RgbImage, to: number, resample: Resample): RgbImage {
  const { data: source, width, height: from } = image;
  if (to === from) return image;
  const { start, length, values, taps } = weightsFor(from, to, resample);
  const rowBytes = width * 3;
  const target = new Uint8ClampedArray(to * rowBytes);
  // Whole rows at a time, not column by column, so that memory is read in order.
  const sums = new Int32Array(rowBytes);
  for (let row = 0; row < to; row++) {
    sums.fill(HALF);
    for (let tap = 0; tap < length[row]; tap++) {
      const weight = values[row * taps + tap];
      const first = (start[row] + tap) * rowBytes;
      for (let i = 0; i < rowBytes; i++) sums[i] += Math.imul(source[first + i], weight);
    }
    const first = row * rowBytes;
    for (let i = 0; i < rowBytes; i++) target[first + i] = sums[i] >> FRACTION_BITS;
  }
  return { width, height: to, data: new Uint8Array(target.buffer) };
}

/** The weights of recent resizes: a set of images has few different sizes. */
const known = new Map<string, Weights>();
const KNOWN_AT_MOST = 256;

function weightsFor(from: number, to: number, resample: Resample): Weights {
  const key = `${from} ${to} ${resample}`;
  let weights = known.get(key);
  if (!weights) {
    if (known.size >= KNOWN_AT_MOST) known.clear();
    known.set(key, (weights = computeWeights(from, to, FILTERS[resample])));
  }
  return weights;
}

function computeWeights(from: number, to: number, filter: Filter): Weights {
  const scale = from / to;
  const widening = Math.max(scale, 1);
  const support = filter.support * widening;
  const taps = Math.ceil(support) * 2 + 1;
  const start = new Int32Array(to);
  const length = new Int32Array(to);
  const values = new Int32Array(to * taps);
  const exact = new Float64Array(taps);
  const narrowing = 1 / widening;
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(from, Math.trunc(centre + support + 0.5)) - first;
    let sum = 0;
    for (let tap = 0; tap < count; tap++) {
      exact[tap] = filter.at((tap + first - centre + 0.5) * narrowing);
      sum += exact[tap];
    }
    start[i] = first;
    length[i] = count;
    for (let tap = 0; tap < count; tap++) {
      const value = (sum === 0 ? exact[tap] : exact[tap] / sum) * (1 << FRACTION_BITS);
      // Rounds halves away from zero.
      values[i * taps + tap] = value < 0 ? Math.trunc(value - 0.5) : Math.trunc(value + 0.5);
    }
  }
  return { start, length, values, taps };
}
