import type { RgbImage } from './image';

/** A file that was left out, and why. */
export interface SkippedFile {
  readonly file: string;
  readonly reason: string;
}

/** Images in a fixed order, each made on demand. */
export interface ImageSet {
  /** `photos`, `cifar10`, or the folder's name. */
  readonly name: string;
  readonly count: number;
  /**
   * SHA-256 of all that determines the pixels of the image at each index: the sources and every option, in hexadecimal.
   * Sets that begin with the same images may share a hash: features of the first images serve them all.
   */
  readonly hash: string;
  /** Files that are not usable colour images; they do not count. */
  readonly skipped: readonly SkippedFile[];
  /** Sorted names, one per image, if every image has its own file. */
  readonly files?: readonly string[];
  /** How many images were turned or mirrored, as their EXIF orientation says. */
  readonly turned?: number;
  /** The image at `index`, from 0. */
  load(index: number): RgbImage;
}
