/** The EXIF orientation of an image file. */

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
    if (short(at) === 0x0112) return short(at + 8);
  }
  return 1;
}
