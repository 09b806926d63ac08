import { cacheFolder } from '../../data';
import type { TextModel } from '../model';
import { shapesOf } from '../networks/architecture';
import { GPT2, gpt2, gpt2Initialisation } from '../networks/gpt2';
import { randomWeights } from '../weights/random';

/** GPT-2 as Hugging Face initialises it, every tensor drawn from its own stream of `seed`. */
export function randomGPT2(seed: number): TextModel {
  const source = randomWeights(seed, 'random-gpt2-small', shapesOf(gpt2, GPT2), gpt2Initialisation(GPT2));
  let words: ReturnType<typeof source.read> | null = null;
  return {
    name: 'random-gpt2',
    title: 'random GPT-2',
    architecture: gpt2,
    config: GPT2,
    // GPT-2's own vocabulary, which set-up fetches.
    tokenizerFolder: () => cacheFolder('language', 'gpt2-tokenizer'),
    provenance: { model: 'random GPT-2', weights: "random, Hugging Face's initialisation", seed },
    weights: () =>
      Promise.resolve({
        ...source,
        // The embeddings of all words take longer to draw than the rest of what is looked at, and are kept for the next time.
        read: (tensor) => (tensor === 'wte.weight' ? (words ??= source.read(tensor)) : source.read(tensor)),
      }),
  };
}
