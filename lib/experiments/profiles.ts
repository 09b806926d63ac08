import { InputError } from '../input-error';

/**
 * The sizes of every notebook, in one place. `quick` is what `npm start` runs, `paper` the full sizes, `test` just enough
 * to see that every cell works, on images whose features `quick` keeps too. Choose with ATTENTION_PROFILE; override a single
 * size with ATTENTION_<NAME>, for instance ATTENTION_DRAWS=500.
 */
const profiles = {
  /**
   * 01-assumptions: photographs' crops, how many of them have their contexts tested, random subsets; the same of CIFAR-10. The
   * paper's table keeps its full sizes in every profile that reports figures.
   */
  assumptions: {
    test: { photos: 800, photoContexts: 400, draws: 8, cifar10: 2000, cifar10Contexts: 400, cifar10Draws: 4 },
    quick: { photos: 2000, photoContexts: 2000, draws: 5000, cifar10: 2000, cifar10Contexts: 400, cifar10Draws: 1000 },
    paper: { photos: 2000, photoContexts: 2000, draws: 5000, cifar10: 2000, cifar10Contexts: 2000, cifar10Draws: 5000 },
  },
  /** 02-kruskal-curve: random permutations behind each curve. */
  curve: {
    test: { photos: 800, permutations: 6 },
    quick: { photos: 2000, permutations: 100 },
    paper: { photos: 2000, permutations: 5000 },
  },
  /**
   * 03-precision: subsets whose whole spectrum is computed; draws of every other check, the images and the weight seeds of
   * the sceptic's; rows computed in double-double arithmetic (a second each, d of a layer at most); images of the small copies.
   */
  precision: {
    test: { photos: 800, spectra: 1, draws: 4, sceptics: 800, seeds: 1, rows: 1, smallImages: 9 },
    quick: { photos: 2000, spectra: 2, draws: 10, sceptics: 800, seeds: 1, rows: 2, smallImages: 14 },
    paper: { photos: 2000, spectra: 20, draws: 1000, sceptics: 2000, seeds: 5, rows: 768, smallImages: 16 },
  },
  /**
   * 04-depth: images and blocks of the trained network, and of the random one; random subsets at each place, and of how many
   * of them the singular values are computed. k = d can be tested where there are more images than d (384 and 768).
   */
  depth: {
    test: {
      ...{ trainedPhotos: 400, trainedPhotosFloat64: 400, trainedBlocks: 1, trainedBlocksFloat64: 1 },
      ...{ randomPhotos: 200, randomPhotosFloat64: 200, randomBlocks: 1, draws: 3, sigmaDraws: 2 },
    },
    quick: {
      ...{ trainedPhotos: 400, trainedPhotosFloat64: 400, trainedBlocks: 12, trainedBlocksFloat64: 3 },
      ...{ randomPhotos: 400, randomPhotosFloat64: 400, randomBlocks: 1, draws: 20, sigmaDraws: 3 },
    },
    paper: {
      ...{ trainedPhotos: 2000, trainedPhotosFloat64: 400, trainedBlocks: 12, trainedBlocksFloat64: 12 },
      ...{ randomPhotos: 2000, randomPhotosFloat64: 800, randomBlocks: 12, draws: 100, sigmaDraws: 5 },
    },
  },
  /** 09-design: the budget in parameters, examples, length and seeds of each training. */
  design: {
    test: { budget: 2500, examples: 150, draws: 10, steps: 20, seeds: 1 },
    quick: { budget: 6000, examples: 1500, draws: 500, steps: 1000, seeds: 2 },
    paper: { budget: 6000, examples: 1500, draws: 5000, steps: 10_000, seeds: 3 },
  },
  /**
   * 08-language: passages in float32 and in float64 (d + 16 where that is more), how many of them have their contexts tested,
   * their tokens, blocks of a trained and of the random network that are looked at, random subsets, permutations behind a
   * curve. `paper` takes gpt2-large and bert-large, where they are there, through all their blocks: hours on a few cores.
   */
  language: {
    test: {
      ...{ passages: 400, passages64: 400, contexts: 100, tokens: 16, depth: 1, randomDepth: 1 },
      ...{ draws: 10, permutations: 4 },
    },
    quick: {
      ...{ passages: 800, passages64: 400, contexts: 400, tokens: 128, depth: 6, randomDepth: 1 },
      ...{ draws: 60, permutations: 40 },
    },
    paper: {
      ...{ passages: 2000, passages64: 800, contexts: 2000, tokens: 1024, depth: 36, randomDepth: 1 },
      ...{ draws: 1000, permutations: 1000 },
    },
  },
  /** 10-your-features: what is done with a matrix of your own; photos behind the example that stands in for one. */
  yourFeatures: {
    test: { photos: 800, draws: 20, permutations: 6, searchOperations: 2e8 },
    quick: { photos: 2000, draws: 500, permutations: 50, searchOperations: 3e9 },
    paper: { photos: 2000, draws: 5000, permutations: 5000, searchOperations: 1e11 },
  },
} as const;

export type ProfileName = 'test' | 'quick' | 'paper';
export type NotebookName = keyof typeof profiles;
/** The sizes of one notebook: a positive whole number under each name. */
export type Sizes<N extends NotebookName> = { readonly profile: ProfileName } & {
  readonly [K in keyof (typeof profiles)[N]['quick']]: number;
};

/** The profile that ATTENTION_PROFILE names, `quick` unless it is set. Throws InputError when there is none of that name. */
export function profileName(): ProfileName {
  const profile = process.env.ATTENTION_PROFILE ?? 'quick';
  if (profile === 'test' || profile === 'quick' || profile === 'paper') return profile;
  throw new InputError(`ATTENTION_PROFILE is '${profile}'; it must be test, quick or paper.`);
}

/**
 * The sizes that a notebook runs with.
 *
 * @throws InputError when ATTENTION_PROFILE names no profile, or an override is no positive whole number.
 */
export function sizes<N extends NotebookName>(notebook: N): Sizes<N> {
  const profile = profileName();
  const chosen: Record<string, number | string> = { profile };
  for (const [name, value] of Object.entries(profiles[notebook][profile])) {
    chosen[name] = override(name) ?? value;
  }
  return chosen as Sizes<N>;
}

function override(name: string): number | undefined {
  const variable = `ATTENTION_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
  const text = process.env[variable];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InputError(`${variable} is '${text}'; it must be a positive whole number.`);
  }
  return value;
}
