import type { RgbImage } from './image';

/** A file that was left out, and why. */
export interface SkippedFile {
  readonly file: string;
  readonly reason: string;
}

/** Images in a fixed order, each made when it is asked for. */
export interface ImageSet {
  /** `photos`, `cifar10`, or the folder's name. */
  readonly name: string;
  readonly count: number;
  /**
   * What the pixels of each image follow from, given its index (sha256 of the sources and of every choice made), in
   * hexadecimal. Sets that begin with the same images may have one hash: features of the first serve them all.
   */
  readonly hash: string;
  /** Files that are no usable colour image; they are not counted. */
  readonly skipped: readonly SkippedFile[];
  /** Sorted names, one an image, where every image is a file of its own. */
  readonly files?: readonly string[];
  /** The image at `index`, from 0. */
  load(index: number): RgbImage;
}
