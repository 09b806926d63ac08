import { cacheFolder } from '../data';
import { GPT2, GPT2_LARGE, gpt2Initialisation, gpt2Shapes } from './gpt2';
import type { LanguageModel } from './language-model';
import { randomWeights } from './weights/random';

/** GPT-2 in one of its sizes as Hugging Face initialises it, every tensor drawn from its own stream of `seed`. */
export function randomGPT2(seed: number, size: 'small' | 'large' = 'small'): LanguageModel {
  const config = size === 'small' ? GPT2 : GPT2_LARGE;
  const source = randomWeights(seed, `random-gpt2-${size}`, gpt2Shapes(config), gpt2Initialisation(config));
  let words: ReturnType<typeof source.read> | null = null;
  const [name, title] =
    size === 'small' ? ['random-gpt2', 'random GPT-2'] : ['random-gpt2-large', 'random GPT-2 large'];
  return {
    name,
    title,
    config,
    // GPT-2's own vocabulary, which set-up fetches.
    tokenizerFolder: () => cacheFolder('language', 'gpt2-tokenizer'),
    provenance: { model: title, weights: "random, Hugging Face's initialisation", seed },
    weights: () =>
      Promise.resolve({
        ...source,
        // The embeddings of all words take longer to draw than the rest of what is looked at, and are kept for the next time.
        read: (tensor) => (tensor === 'wte.weight' ? (words ??= source.read(tensor)) : source.read(tensor)),
      }),
  };
}
