/** The EXIF orientation of an image file, and images turned by it. */
import type { RgbImage } from './image';

/** How the stored pixels are to be turned: 1 (as they are) to 8; 1 as well if the file does not say. */
export function exifOrientation(bytes: Uint8Array): number {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    const tiff = file[0] === 0xff ? inJpeg(file) : inPng(file);
    return tiff === null ? 1 : orientation(tiff);
  } catch (error) {
    if (error instanceof RangeError) return 1; // cut off, or lengths that lead nowhere
    throw error;
  }
}

/** The APP1 segment that begins with `Exif`. */
function inJpeg(file: Buffer): Buffer | null {
  for (let at = 2; file[at] === 0xff && file[at + 1] !== 0xda;) {
    const length = file.readUInt16BE(at + 2);
    if (file[at + 1] === 0xe1 && file.toString('latin1', at + 4, at + 10) === 'Exif\0\0') {
      return file.subarray(at + 10, at + 2 + length);
    }
    at += 2 + length;
  }
  return null;
}

function inPng(file: Buffer): Buffer | null {
  for (let at = 8; at + 12 <= file.length;) {
    const length = file.readUInt32BE(at);
    if (file.toString('latin1', at + 4, at + 8) === 'eXIf') return file.subarray(at + 8, at + 8 + length);
    at += 12 + length;
  }
  return null;
}

/** Tag 0x0112 of the first directory of a TIFF. */
function orientation(tiff: Buffer): number {
  const little = tiff.toString('latin1', 0, 2) === 'II';
  const short = (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const first = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  for (let entry = 0; entry < short(first); entry++) {
    const at = first + 2 + 12 * entry;
    if (short(at) === 0x0112) return short(at + 8) >= 1 && short(at + 8) <= 8 ? short(at + 8) : 1;
  }
  return 1;
}

/**
 * The image turned and mirrored as an orientation from 1 to 8 says, as Pillow's `ImageOps.exif_transpose` does. From 5 on, rows
 * become columns.
 */
export function oriented(image: RgbImage, orientation: number): RgbImage {
  if (orientation === 1) return image;
  const swapped = orientation >= 5;
  const [width, height] = swapped ? [image.height, image.width] : [image.width, image.height];
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const fromBottom = [3, 4, 6, 7].includes(orientation);
  const data = new Uint8Array(image.data.length);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at += 3) {
      const [across, down] = swapped ? [row, column] : [column, row];
      const x = fromRight ? image.width - 1 - across : across;
      const y = fromBottom ? image.height - 1 - down : down;
      const from = (y * image.width + x) * 3;
      data[at] = image.data[from];
      data[at + 1] = image.data[from + 1];
      data[at + 2] = image.data[from + 2];
    }
  }
  return { width, height, data };
}
