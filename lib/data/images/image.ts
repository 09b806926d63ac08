/** A colour image: red, green and blue, 8 bits per channel. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** `[height, width, 3]`, row by row. */
  readonly data: Uint8Array;
}

/** The part of an image that begins at column `left` and row `top`; it must be inside the image. */
export function crop(image: RgbImage, left: number, top: number, width: number, height: number): RgbImage {
  if (left < 0 || top < 0 || left + width > image.width || top + height > image.height) {
    throw new RangeError(
      `crop: expected a part of ${image.width} x ${image.height} pixels, got ${width} x ${height} at (${left}, ${top})`,
    );
  }
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * image.width + left) * 3;
    data.set(image.data.subarray(start, start + width * 3), row * width * 3);
  }
  return { width, height, data };
}

/** The middle of an image, as Hugging Face's `center_crop`: half of the margin, rounded down, is above and to the left. */
export function centerCrop(image: RgbImage, width: number, height: number): RgbImage {
  return crop(image, Math.floor((image.width - width) / 2), Math.floor((image.height - height) / 2), width, height);
}
