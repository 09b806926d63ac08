/** Language models under the paper's tests: its appendix takes gpt2-large and bert-large-uncased. */
import { testAssumptions, type AssumptionOptions, type AssumptionResult } from '../assumptions/measure';
import { kruskalCurves, type CurveOptions, type LayerCurve } from '../curve/measure';
import { readTokenizer, speeches, type PassageSet, type Tokenizer } from '../../data';
import {
  huggingFaceTextModel,
  layerOf,
  localCheckpoint,
  randomGPT2,
  trainedMiniLM,
  type FeatureLayer,
  type TextModel,
} from '../../models';

/** One model, the layers under test, and the passages that go through them. */
export interface LanguageSystem {
  readonly model: TextModel;
  /** Tokens of a passage. */
  readonly n: number;
  /** The embeddings and the first blocks. */
  readonly layers: readonly FeatureLayer[];
  /** The first `count` passages: fewer are the beginning of more. */
  passages(count: number): Promise<PassageSet>;
}

export interface LanguageOptions {
  /** Tokens of a passage, at most: fewer where a model has fewer positions, or n would not be below d. */
  readonly tokens: number;
  /** The most blocks of a trained model that are tested, from the first on. */
  readonly depth: number;
  /** The same for the random one. */
  readonly randomDepth: number;
  /** Of the random weights. */
  readonly seed: number;
}

/** The paper's own models, by their names on the Hugging Face hub. */
const PAPER_MODELS = ['openai-community/gpt2-large', 'google-bert/bert-large-uncased'] as const;

/**
 * A trained MiniLM and a random GPT-2, and the paper's own gpt2-large and bert-large-uncased where they are in a hub cache
 * of this machine (or a folder below data/cache/models).
 *
 * @throws InputError when a file that set-up fetches is missing or damaged.
 */
export async function languageSystems(options: LanguageOptions): Promise<LanguageSystem[]> {
  const { tokens, depth, randomDepth, seed } = options;
  const random = randomGPT2(seed);
  const models = [await trainedMiniLM(), random];
  for (const name of PAPER_MODELS) {
    const folder = localCheckpoint(name) ?? localCheckpoint(name.split('/')[1]);
    if (folder !== null) models.push(huggingFaceTextModel(folder, name.split('/')[1]));
  }
  return Promise.all(
    models.map(async (model) => {
      const n = contextSize(model, tokens);
      const blocks = Math.min(model === random ? randomDepth : depth, model.config.depth);
      const layers = Array.from({ length: blocks + 1 }, (_, layer) => layerOf(model, layer, { n }));
      const tokenizer = await readTokenizer(model.tokenizerFolder());
      return { model, n, layers, passages: passageReader(tokenizer, n) };
    }),
  );
}

/** The largest power of two below d that `tokens` and the positions allow: 512 of bert-large, 1024 of gpt2-large. */
function contextSize({ config }: TextModel, tokens: number): number {
  return Math.min(tokens, config.positions, 2 ** Math.ceil(Math.log2(config.hiddenSize) - 1));
}

/** Reads the first passages of the speeches, seed 0; the same number of them is read and cut once. */
function passageReader(tokenizer: Tokenizer, n: number): (count: number) => Promise<PassageSet> {
  const read = new Map<number, Promise<PassageSet>>();
  return (count) => {
    const passages = read.get(count) ?? speeches({ tokenizer, n, count, seed: 0 });
    read.set(count, passages);
    return passages;
  };
}

/** At least d + 16 passages, whatever number was chosen: k = d needs more than d vectors. */
function passagesOf(system: LanguageSystem, chosen: number): Promise<PassageSet> {
  return system.passages(Math.max(chosen, system.model.config.hiddenSize + 16));
}

/** The paper's statements for every layer of every system; all layers of a system come from one pass over its passages. */
export async function testLanguage(
  systems: readonly LanguageSystem[],
  { passages, ...options }: AssumptionOptions & { readonly passages: number },
): Promise<AssumptionResult[]> {
  const results: AssumptionResult[] = [];
  for (const system of systems) {
    results.push(...(await testAssumptions(system.layers, await passagesOf(system, passages), options)));
  }
  return results;
}

/** The share of independent k-subsets of the query vectors for every k: of the first block, and of the last looked at. */
export async function languageCurves(
  systems: readonly LanguageSystem[],
  { passages, ...options }: CurveOptions & { readonly passages: number },
): Promise<LayerCurve[]> {
  const curves: LayerCurve[] = [];
  for (const system of systems) {
    const ends = system.layers.filter((_, layer) => layer === 1 || (layer > 1 && layer === system.layers.length - 1));
    curves.push(...(await kruskalCurves(ends, await passagesOf(system, passages), options)));
  }
  return curves;
}
