import type { ImageSet } from '../images/image-set';

/** Passages of text in a fixed order, as token numbers of one tokenizer. */
export interface PassageSet {
  /** `speeches`, or the file's name. */
  readonly name: string;
  readonly count: number;
  /** SHA-256 of all that determines the tokens: the sources, the tokenizer and every option. */
  readonly hash: string;
  /** Tokens per passage, special ones included. */
  readonly n: number;
  /** Token numbers of the passage at `index`, from 0: `[n]`. */
  tokens(index: number): Int32Array;
}

/** Examples that can go through a network. */
export type ExampleSet = ImageSet | PassageSet;
