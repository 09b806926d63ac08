import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Command, Option } from 'commander';
import { inBytes } from '../data/files/memory';
import { InputError } from '../input-error';
import type { FeatureLayer, Model } from '../models';
import type * as Registry from '../models/hugging-face/registry';
import type { Precision } from '../tensor';
import { oneOf, wholeNumber } from './arguments';
import type { Extracted, ExampleSource } from './extract';
import { noteLater, print, printJson } from './output';

interface FeatureArguments {
  readonly model: string;
  readonly layer: number | 'attention';
  readonly out: string;
  readonly images?: string;
  readonly convertRgb?: true;
  readonly pixels?: string;
  readonly text?: string;
  readonly tokens?: string;
  readonly precision: Precision;
  readonly contexts?: string;
  readonly contextRanks?: string;
  readonly seed: number;
  readonly json?: true;
}

/** Networks that are known by a name; any other --model is a folder, or a name on the Hugging Face hub. */
const NAMED = ['random-vit-b16', 'trained-vit-s', 'random-gpt2', 'trained-minilm'] as const;

/** `attention-capacity features`. */
export function register(program: Command): void {
  program
    .command('features')
    .description('query vectors and context matrices of one layer of a network, as .npy files')
    .requiredOption(
      '--model <name>',
      `${NAMED.join(', ')}, a Hugging Face folder, or a name on its hub (owner/name[@revision]) or address`,
    )
    .requiredOption('--layer <layer>', '0 = embeddings, L = output of block L, attention = random attention', layer)
    .requiredOption('--out <file>', 'query vectors [T, d], .npy', npyName('--out'))
    .addOption(
      new Option('--images <set>', 'a folder, photos[:count] or cifar10[:count]').conflicts([
        'pixels',
        'text',
        'tokens',
      ]),
    )
    .option('--convert-rgb', "take grey, palette and alpha images of a folder too, as Pillow's convert('RGB') does")
    .addOption(
      new Option('--pixels <file>', 'normalised pixels [T, 3, H, W], float32 .npy').conflicts(['text', 'tokens']),
    )
    .addOption(new Option('--text <file>', 'passages of text, one per line').conflicts('tokens'))
    .addOption(new Option('--tokens <file>', 'token numbers [T, n], int32 or int64 .npy'))
    .option(
      '--precision <precision>',
      'float32 or float64',
      oneOf('--precision', ['float32', 'float64'] as const),
      'float32',
    )
    .option('--contexts <file>', 'context matrices [T, n, d], .npy', npyName('--contexts'))
    .option('--context-ranks <file>', 'their ranks [T] at the precision, int32 .npy', npyName('--context-ranks'))
    .option('--seed <number>', 'of random weights and of photos and cifar10', wholeNumber('--seed', 0), 0)
    .option('--json', 'print one JSON document')
    .addHelpText('after', architecturesRead)
    .action(features);
}

/** Read from the registry only when help is asked for: it loads TensorFlow. */
function architecturesRead(): string {
  const { architectures } = createRequire(__filename)('../models/hugging-face/registry.js') as typeof Registry;
  const types = (input: 'images' | 'tokens') =>
    Object.keys(architectures).filter((type) => architectures[type].input === input);
  return [
    '',
    'Architectures that are read from a Hugging Face folder, by the model_type of its config.json:',
    `  text: ${types('tokens').join(', ')}`,
    `  images: ${types('images').join(', ')}`,
  ].join('\n');
}

async function features(options: FeatureArguments): Promise<void> {
  checkOptions(options);
  const { showProgress } = await import('../report/progress.js');
  const { extractFeatures } = await import('./extract.js');
  showProgress();
  const model = await modelNamed(options.model, options.seed);
  const { chosen, source } = await exampleSource(options, model);
  try {
    const { precision, out, contexts, contextRanks } = options;
    const extracted = await extractFeatures(chosen, source, { precision, queries: out, contexts, contextRanks });
    tell(options, source, extracted);
  } finally {
    await source.close();
  }
}

/** The layer, and the examples that go through it; the layer is made first, since a wrong one is soon refused. */
async function exampleSource(
  { layer, images, convertRgb, pixels, text, tokens, seed }: FeatureArguments,
  model: Model,
): Promise<{ chosen: FeatureLayer; source: ExampleSource }> {
  const { isTextModel, layerOf, randomAttention } = await import('../models/index.js');
  const isText = text !== undefined || tokens !== undefined;
  if (isTextModel(model)) {
    if (layer === 'attention') {
      throw new InputError(`--layer attention expects a network that takes images, and ${model.name} takes text`);
    }
    layerOf(model, layer);
    if (!isText) throw new InputError(`${model.name} takes text: it expects --text or --tokens, not images`);
    const { textSource, tokenSource } = await import('./text-sources.js');
    const source = text === undefined ? await tokenSource(tokens!, model) : await textSource(text, model);
    return { chosen: layerOf(model, layer, { n: source.n }), source };
  }
  if (isText) throw new InputError(`${model.name} takes images: it expects --images or --pixels, not text`);
  const { imageSource, pixelSource } = await import('./image-sources.js');
  const chosenOf = (n?: number) =>
    layer === 'attention' ? randomAttention(model, seed, undefined, n) : layerOf(model, layer, { n });
  if (pixels !== undefined) {
    chosenOf(1);
    const source = await pixelSource(pixels, model);
    return { chosen: chosenOf(source.n), source };
  }
  const chosen = chosenOf();
  return { chosen, source: await imageSource(images!, { seed, convertRgb }, model) };
}

function layer(text: string): number | 'attention' {
  if (text === 'attention') return text;
  if (/^\d+$/.test(text)) return Number(text);
  throw new InputError(`--layer expects a whole number from 0 up or 'attention', got '${text}'`);
}

function npyName(option: string): (text: string) => string {
  return (text) => {
    if (text.toLowerCase().endsWith('.npy')) return text;
    throw new InputError(`${option} expects the name of a .npy file, got '${text}'`);
  };
}

function checkOptions({ images, pixels, text, tokens, out, contexts, contextRanks }: FeatureArguments): void {
  if ([images, pixels, text, tokens].every((input) => input === undefined)) {
    throw new InputError(
      'features expects --images (a folder, photos or cifar10), --pixels, --text or --tokens; give one of them',
    );
  }
  const written = [out, contexts, contextRanks].filter((name) => name !== undefined);
  const twice = written.find((name, i) => written.indexOf(name) !== i);
  if (twice !== undefined)
    throw new InputError(`--out, --contexts and --context-ranks expect different files, got '${twice}' twice`);
}

async function modelNamed(name: string, seed: number): Promise<Model> {
  const models = await import('../models/index.js');
  if (name === 'random-vit-b16') return models.randomViTB16(seed);
  if (name === 'trained-vit-s') return models.trainedViTS();
  if (name === 'random-gpt2') return models.randomGPT2(seed);
  if (name === 'trained-minilm') return models.trainedMiniLM();
  let folder = name;
  if (!statSync(name, { throwIfNoEntry: false })?.isDirectory()) {
    if (!models.isHubName(name)) {
      throw new InputError(
        `--model expects ${NAMED.join(', ')}, a Hugging Face folder or a name on its hub, got '${name}'`,
      );
    }
    folder = await models.hubCheckpoint(name).catch((error: unknown) => {
      // A mistyped name looks like one of the hub's.
      if (!(error instanceof InputError) || name.includes('/')) throw error;
      throw new InputError(
        `--model ${name}: the built-in models are ${NAMED.join(', ')}; as a name on the hub: ${error.message}`,
      );
    });
  }
  const onHub = folder === name ? null : models.hubName(name);
  const called = onHub && onHub.name.replace('/', '--') + (onHub.revision === 'main' ? '' : `@${onHub.revision}`);
  const model = models.huggingFaceModel(folder, called ?? undefined);
  for (const text of model.notes) noteLater(text);
  return model;
}

function tell(options: FeatureArguments, source: ExampleSource, { queries, contexts, contextRanks }: Extracted): void {
  const { model, layer, precision, out } = options;
  if (options.json) {
    printJson({
      model,
      layer,
      input: source.name,
      precision,
      queries: { file: out, shape: queries },
      ...(contexts && { contexts: { file: options.contexts, shape: contexts } }),
      ...(contextRanks && { contextRanks: { file: options.contextRanks, ranks: contextRanks } }),
      ...(source.files && {
        files: source.files,
        skipped: source.skipped?.length,
        skippedFiles: source.skipped,
        exifApplied: source.turned,
      }),
    });
    return;
  }
  const bytes = (shape: readonly number[]) =>
    inBytes(shape.reduce((product, length) => product * length, precision === 'float64' ? 8 : 4));
  print(`${out}: ${queries.join(' x ')} query vectors, ${precision}, ${bytes(queries)}`);
  if (contexts)
    print(`${options.contexts}: ${contexts.join(' x ')} context matrices, ${precision}, ${bytes(contexts)}`);
  if (contextRanks) {
    const ranks = Object.entries(contextRanks).map(([rank, count]) => `${count} of rank ${rank}`);
    print(`${options.contextRanks}: ${ranks.join(', ')}`);
  }
}
