import { inPrecision, tf } from '../../tensor';
import type { RgbImage } from './image';
import { freeMemory, inBytes } from '../files/memory';

/** Thrown for a file that holds no usable colour image; the message is the reason, for a list of skipped files. */
export class UnusableImage extends Error {
  override readonly name = 'UnusableImage';
}

/**
 * Decodes a JPEG or PNG file to the pixels that Pillow gives for it, to the last bit (the JPEG transform is libjpeg's
 * accurate integer one; TensorFlow's default differs in most images).
 *
 * Only images with three colour channels of 8 bits are taken. Grey, CMYK, palette, alpha and 16 bits are refused: the
 * paper's experiments, too, leave out what is not in Pillow's mode `RGB`. With `convert`, grey, palettes and alpha are taken as
 * Pillow's `convert('RGB')` does: grey thrice, alpha left out. Colour profiles and the EXIF orientation are not applied.
 *
 * @throws UnusableImage for everything else.
 */
export function decodeImage(bytes: Uint8Array, convert = false): RgbImage {
  const { format, width, height } = inspect(bytes, convert);
  // TensorFlow's bytes, their copy as int32, and our bytes.
  const needed = width * height * 3 * 6;
  if (needed > freeMemory()) {
    const free = inBytes(freeMemory());
    throw new UnusableImage(`${width} x ${height} pixels need ${inBytes(needed)} of memory, ${free} are free`);
  }
  // The decoders need the float32 backend; pixels are whole numbers in either.
  return inPrecision('float32', () => {
    let pixels: tf.Tensor | undefined;
    try {
      pixels =
        format === 'png'
          ? tf.node.decodePng(bytes, 3)
          : tf.node.decodeJpeg(bytes, 3, 1, true, false, 1, 'INTEGER_ACCURATE');
      return { width, height, data: new Uint8Array(pixels.dataSync()) };
    } catch (error) {
      if (!INVALID_ARGUMENT.test((error as Error).message)) throw error;
      throw new UnusableImage(`broken ${format === 'png' ? 'PNG' : 'JPEG'} data: truncated or damaged`);
    } finally {
      pixels?.dispose();
    }
  });
}

/** TensorFlow's message for data that it cannot decode. */
const INVALID_ARGUMENT = /TF_Status: 3\b/;

interface Inspected {
  readonly format: 'jpeg' | 'png';
  readonly width: number;
  readonly height: number;
}

/** Reads the file's header. */
function inspect(bytes: Uint8Array, convert: boolean): Inspected {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length === 0) throw new UnusableImage('an empty file');
  if (buffer.subarray(0, 8).equals(PNG_SIGNATURE)) return inspectPng(buffer, convert);
  if (buffer.length > 2 && buffer[0] === 0xff && buffer[1] === 0xd8) return inspectJpeg(buffer, convert);
  throw new UnusableImage('neither JPEG nor PNG');
}

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const PNG_COLOURS: Readonly<Record<number, string>> = {
  0: 'grey',
  2: 'colour',
  3: 'a palette',
  4: 'grey with alpha',
  6: 'colour with alpha',
};

function inspectPng(buffer: Buffer, convert: boolean): Inspected {
  if (buffer.length < 33 || buffer.toString('latin1', 12, 16) !== 'IHDR') {
    throw new UnusableImage('broken PNG data: no header');
  }
  const [width, height] = [buffer.readUInt32BE(16), buffer.readUInt32BE(20)];
  const [bits, type] = [buffer[24], buffer[25]];
  const converted = convert && type in PNG_COLOURS;
  if (type !== 2 && !converted) {
    throw new UnusableImage(`${PNG_COLOURS[type] ?? 'an unknown kind of colour'}, not RGB`);
  }
  // Grey levels and palettes of fewer bits are widened.
  if (bits !== 8 && !(converted && bits < 8)) throw new UnusableImage(`${bits} bits a channel, not 8`);
  return { format: 'png', width, height };
}

/** Follows the segments to the frame header. */
function inspectJpeg(buffer: Buffer, convert: boolean): Inspected {
  for (let at = 2; at + 9 < buffer.length;) {
    if (buffer[at] !== 0xff) break;
    const marker = buffer[at + 1];
    // A marker may follow any number of 0xff.
    if (marker === 0xff) {
      at++;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) {
      const bits = buffer[at + 4];
      const [height, width, channels] = [buffer.readUInt16BE(at + 5), buffer.readUInt16BE(at + 7), buffer[at + 9]];
      if (channels !== 3 && !(convert && channels === 1)) {
        const kind = channels === 1 ? 'grey' : channels === 4 ? 'CMYK' : `${channels} channels`;
        throw new UnusableImage(`${kind}, not RGB`);
      }
      if (bits !== 8) throw new UnusableImage(`${bits} bits a channel, not 8`);
      return { format: 'jpeg', width, height };
    }
    at += 2 + buffer.readUInt16BE(at + 2);
  }
  throw new UnusableImage('broken JPEG data: no frame header');
}
