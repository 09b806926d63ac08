/** A colour image: 8 bits a channel, red, green, blue. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** `[height, width, 3]`, row by row. */
  readonly data: Uint8Array;
}

/** The part of an image that starts at column `left` and row `top`; it must lie inside. */
export function crop(image: RgbImage, left: number, top: number, width: number, height: number): RgbImage {
  if (left < 0 || top < 0 || left + width > image.width || top + height > image.height) {
    throw new RangeError(
      `a crop of ${width} x ${height} at (${left}, ${top}) does not lie inside ${image.width} x ${image.height} pixels`,
    );
  }
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * image.width + left) * 3;
    data.set(image.data.subarray(start, start + width * 3), row * width * 3);
  }
  return { width, height, data };
}

/** The middle of an image, as Hugging Face's `center_crop`: half of what is left over, rounded down, goes above and to the left. */
export function centerCrop(image: RgbImage, width: number, height: number): RgbImage {
  return crop(image, Math.floor((image.width - width) / 2), Math.floor((image.height - height) / 2), width, height);
}
