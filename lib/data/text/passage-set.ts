import type { ImageSet } from '../images/image-set';

/** Passages of text in a fixed order, as token numbers of one tokenizer. */
export interface PassageSet {
  /** `speeches`, or the file's name. */
  readonly name: string;
  readonly count: number;
  /** What the tokens of each passage follow from, given its index (sha256 of the sources, the tokenizer and every choice made). */
  readonly hash: string;
  /** n, the tokens of every passage, special ones included. */
  readonly n: number;
  /** Token numbers of the passage at `index`, from 0: `[n]`. */
  tokens(index: number): Int32Array;
}

/** What goes through a network. */
export type ExampleSet = ImageSet | PassageSet;
