import { InputError } from '../input-error';

const PROFILES = ['test', 'quick', 'paper'] as const;

/**
 * The sizes of every notebook, in one place, for the profiles `test`, `quick` and `paper`. `quick` is what `npm start` runs,
 * `paper` the full sizes, `test` just enough to see that every cell works, on images whose features `quick` keeps too. Choose
 * with ATTENTION_PROFILE; override a single size with ATTENTION_<NAME>, for instance ATTENTION_DRAWS=500.
 */
const profiles = {
  /**
   * 01-assumptions: photographs' crops, how many of them have their contexts tested in either precision, random subsets; the
   * same of CIFAR-10. General position and Assumption 1 keep their full sizes in every profile that reports figures; `quick`
   * leaves out most contexts in float64, which are five sixths of the work on features.
   */
  assumptions: {
    photos: [800, 2000, 2000],
    photoContexts: [400, 2000, 2000],
    photoContextsFloat64: [400, 400, 2000],
    draws: [8, 5000, 5000],
    cifar10: [2000, 2000, 2000],
    cifar10Contexts: [400, 400, 2000],
    cifar10Draws: [4, 1000, 5000],
  },
  /** 02-kruskal-curve: random permutations behind each curve. */
  curve: { photos: [800, 2000, 2000], permutations: [6, 100, 5000] },
  /**
   * 03-precision: subsets whose whole spectrum is computed; draws of every other check, the images and the weight seeds of
   * the sceptic's; rows computed in double-double arithmetic (a second each, at most d for each layer); images of the small copies.
   */
  precision: {
    photos: [800, 2000, 2000],
    spectra: [1, 2, 20],
    draws: [4, 10, 1000],
    sceptics: [800, 800, 2000],
    seeds: [1, 1, 5],
    rows: [1, 20, 768],
    smallImages: [9, 14, 16],
  },
  /**
   * 04-depth: images and blocks of the trained network, and of the random one; random subsets at each place, and how many
   * of them have their singular values computed. k = d can be tested where there are more images than d (384 and 768).
   */
  depth: {
    trainedPhotos: [400, 400, 2000],
    trainedPhotosFloat64: [400, 400, 400],
    trainedBlocks: [1, 12, 12],
    trainedBlocksFloat64: [1, 3, 12],
    randomPhotos: [200, 400, 2000],
    randomPhotosFloat64: [200, 400, 800],
    randomBlocks: [1, 1, 12],
    draws: [3, 20, 100],
    sigmaDraws: [2, 3, 5],
  },
  /**
   * 05-memorization: the layer that every panel starts from, its seeds, and how exact capacity is searched for: starts,
   * iterations of each, width of an interval in percent of the dimension.
   */
  memorization: {
    heads: [2, 4, 8],
    context: [3, 4, 8],
    headSize: [3, 4, 8],
    width: [4, 8, 16],
    classes: [3, 3, 10],
    seeds: [2, 5, 10],
    starts: [1, 2, 4],
    iterations: [60, 250, 1000],
    resolution: [40, 10, 2],
  },
  /**
   * 08-language: passages in float32 and in float64 (d + 16 where that is more), how many of them have their contexts tested,
   * their tokens, blocks of a trained and of the random network that are looked at, random subsets, permutations behind a
   * curve. `paper` takes gpt2-large and bert-large, where they are present, through all their blocks: hours on a few cores.
   */
  language: {
    passages: [400, 800, 2000],
    passages64: [400, 400, 800],
    contexts: [100, 400, 2000],
    tokens: [16, 128, 1024],
    depth: [1, 6, 36],
    randomDepth: [1, 1, 1],
    draws: [10, 60, 1000],
    permutations: [4, 40, 1000],
  },
  /**
   * 09-design: the small layers' width and budget in weights; the search for exact capacity, as in 05; crops of photographs
   * whose query vectors are looked at.
   */
  design: {
    width: [4, 8, 12],
    weights: [150, 400, 1200],
    starts: [1, 2, 4],
    iterations: [60, 300, 1000],
    resolution: [40, 7, 2],
    photos: [800, 2000, 2000],
  },
  /** 10-your-features: what is done with a matrix of your own; photos behind the example that stands in for one. */
  yourFeatures: {
    photos: [800, 2000, 2000],
    draws: [20, 500, 5000],
    permutations: [6, 50, 5000],
    searchOperations: [2e8, 3e9, 1e11],
  },
} as const;

export type ProfileName = (typeof PROFILES)[number];
export type NotebookName = keyof typeof profiles;
/** The sizes of one notebook: a positive whole number under each name. */
export type Sizes<N extends NotebookName> = { readonly profile: ProfileName } & {
  readonly [K in keyof (typeof profiles)[N]]: number;
};

/** The profile that ATTENTION_PROFILE names, `quick` unless it is set. Throws InputError for any other name. */
export function profileName(): ProfileName {
  const named = process.env.ATTENTION_PROFILE ?? 'quick';
  const profile = PROFILES.find((one) => one === named);
  if (profile !== undefined) return profile;
  throw new InputError(`ATTENTION_PROFILE is '${named}'; it must be test, quick or paper.`);
}

/**
 * The sizes that a notebook runs with.
 *
 * @throws InputError when ATTENTION_PROFILE names no profile, or an override is not a positive whole number.
 */
export function sizes<N extends NotebookName>(notebook: N): Sizes<N> {
  const profile = profileName();
  const chosen: Record<string, number | string> = { profile };
  for (const [name, values] of Object.entries<readonly number[]>(profiles[notebook])) {
    chosen[name] = override(name) ?? values[PROFILES.indexOf(profile)];
  }
  const words = Object.entries(chosen)
    .filter(([name]) => name !== 'profile')
    .map(([name, value]) => `${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${value}`)
    .join(', ');
  // The convention of Deno's Jupyter kernel, which ours follows: as the last line of a cell the sizes are a sentence.
  return Object.defineProperty(chosen as Sizes<N>, Symbol.for('Jupyter.display'), {
    value: () => ({
      'text/markdown': `Sizes of the profile \`${profile}\`: ${words}.`,
      'text/plain': `Sizes of the profile '${profile}': ${words}.`,
    }),
  });
}

/** @throws InputError when ATTENTION_PROFILE or an override of a size is not one, whichever notebook it is meant for. */
export function checkSizes(): void {
  for (const notebook of Object.keys(profiles) as NotebookName[]) sizes(notebook);
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
