import { statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { ImageSet } from '../data';
import { inBytes } from '../data/memory';
import { InputError } from '../input-error';
import type { LayerOutput } from '../models';
import type { ViTModel } from '../models/vit-model';
import type { Precision } from '../tensor';
import { oneOf, wholeNumber } from './arguments';
import type { Extracted, ExampleSource } from './extract';
import { noteLater, print, printJson } from './output';

interface FeatureArguments {
  readonly model: string;
  readonly layer: LayerOutput;
  readonly out: string;
  readonly images?: string;
  readonly pixels?: string;
  readonly precision: Precision;
  readonly contexts?: string;
  readonly contextRanks?: string;
  readonly seed: number;
  readonly json?: true;
}

/** Networks that are known by a name; any other --model is a folder. */
const NAMED = ['random-vit-b16', 'trained-vit-s'] as const;

/** `attention-capacity features`. */
export function register(program: Command): void {
  program
    .command('features')
    .description('query vectors and context matrices of one layer of a network, as .npy files')
    .requiredOption('--model <name>', `${NAMED.join(', ')}, or a Hugging Face folder (config.json, model.safetensors)`)
    .requiredOption('--layer <layer>', '0 = embeddings, L = output of block L, attention = random attention', layer)
    .requiredOption('--out <file>', 'query vectors [T, d], .npy', npyName('--out'))
    .addOption(new Option('--images <set>', 'a folder, photos[:count] or cifar10[:count]').conflicts('pixels'))
    .addOption(new Option('--pixels <file>', 'normalised pixels [T, 3, H, W], float32 .npy'))
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
    .action(features);
}

async function features(options: FeatureArguments): Promise<void> {
  checkOptions(options);
  const { showProgress } = await import('../report/progress.js');
  const { vitLayer } = await import('../models/index.js');
  const { extractFeatures } = await import('./extract.js');
  const model = await modelNamed(options.model, options.seed);
  const chosen = vitLayer(model, options.layer);
  showProgress();
  const source =
    options.pixels === undefined ? await imageSource(options, model) : await pixelSource(options.pixels, model);
  try {
    const { precision, out, contexts, contextRanks } = options;
    const extracted = await extractFeatures(chosen, source, { precision, queries: out, contexts, contextRanks });
    tell(options, source, extracted);
  } finally {
    await source.close();
  }
}

function layer(text: string): LayerOutput {
  if (text === 'attention') return text;
  if (/^\d+$/.test(text)) return Number(text);
  throw new InputError(`--layer expects a whole number from 0 up or 'attention', and '${text}' came`);
}

function npyName(option: string): (text: string) => string {
  return (text) => {
    if (text.toLowerCase().endsWith('.npy')) return text;
    throw new InputError(`${option} expects the name of a .npy file, and '${text}' came`);
  };
}

function checkOptions({ images, pixels, out, contexts, contextRanks }: FeatureArguments): void {
  if (images === undefined && pixels === undefined) {
    throw new InputError('features expects --images (a folder, photos or cifar10) or --pixels, and neither came');
  }
  const written = [out, contexts, contextRanks].filter((name) => name !== undefined);
  const twice = written.find((name, i) => written.indexOf(name) !== i);
  if (twice !== undefined)
    throw new InputError(`--out, --contexts and --context-ranks expect files of their own, and '${twice}' came twice`);
}

async function modelNamed(name: string, seed: number): Promise<ViTModel> {
  const { huggingFaceViT, randomViTB16, trainedViTS } = await import('../models/index.js');
  if (name === 'random-vit-b16') return randomViTB16(seed);
  if (name === 'trained-vit-s') return trainedViTS();
  if (!statSync(name, { throwIfNoEntry: false })?.isDirectory()) {
    throw new InputError(`--model expects ${NAMED.join(', ')} or a Hugging Face folder, and '${name}' is neither`);
  }
  const model = huggingFaceViT(name);
  for (const text of model.notes) noteLater(text);
  return model;
}

async function imageSource({ images, seed }: FeatureArguments, model: ViTModel): Promise<ExampleSource> {
  const { pixelBatch } = await import('../data/index.js');
  const preprocessing = model.preprocessing();
  const set = await imageSet(images!, seed);
  if (set.skipped.length > 0) {
    const reasons = set.skipped.map(({ file, reason }) => `${file} (${reason})`);
    const shown = reasons.slice(0, 10).join(', ') + (reasons.length > 10 ? ', …' : '');
    noteLater(`${set.skipped.length} of ${set.skipped.length + set.count} files skipped: ${shown}`);
  }
  return {
    name: images!,
    count: set.count,
    files: set.files,
    skipped: set.skipped.length,
    read: (indices, precision) => Promise.resolve(pixelBatch(set, indices, preprocessing, precision)),
    close: () => Promise.resolve(),
  };
}

async function imageSet(text: string, seed: number): Promise<ImageSet> {
  const { cifar10, imageFolder, photos } = await import('../data/index.js');
  const named = /^(photos|cifar10)(?::(.*))?$/.exec(text);
  if (named === null) return imageFolder(text);
  const count = named[2] === undefined ? undefined : wholeNumber(`--images ${named[1]}:count`, 1)(named[2]);
  return named[1] === 'photos' ? photos({ crops: count, seed }) : cifar10({ count, seed });
}

async function pixelSource(path: string, model: ViTModel): Promise<ExampleSource> {
  const { openPixels } = await import('../data/index.js');
  const file = await openPixels(path);
  const [count, , height, width] = file.shape;
  if (height !== model.inputSize || width !== model.inputSize) {
    await file.close();
    const side = model.inputSize;
    throw new InputError(
      `--pixels expects [T, 3, ${side}, ${side}] for ${model.name}, and '${path}' has the shape [${file.shape.join(', ')}]`,
    );
  }
  const size = 3 * height * width;
  return {
    name: path,
    count,
    async read(indices, precision) {
      const values = (await file.read(indices[0], indices[0] + indices.length)) as Float32Array | Float64Array;
      const bad = values.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) {
        throw new InputError(
          `'${path}' expects finite pixels, and example ${indices[0] + Math.floor(bad / size)} holds ${values[bad]}`,
        );
      }
      const data = precision === 'float64' ? Float64Array.from(values) : Float32Array.from(values);
      return { data, shape: [indices.length, 3, height, width] };
    },
    close: () => file.close(),
  };
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
      ...(source.files && { files: source.files, skipped: source.skipped }),
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
