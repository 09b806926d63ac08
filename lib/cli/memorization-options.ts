/** The options that `memorize` and `capacity` share: the layer, and what it is to memorize. */
import { type Command } from 'commander';
import { InputError } from '../input-error';
import { BAG_SIZE, type SettingOptions } from '../memorization/config';
import { oneOf, wholeNumber } from './arguments';

/** What commander makes of {@link withSettingOptions}. */
export interface SettingArguments {
  readonly heads: number;
  readonly context: number;
  readonly headSize: number;
  readonly examples: number;
  readonly contexts: 'shared' | 'random' | 'perm';
  readonly task: 'classification' | 'regression';
  readonly classes?: number;
  readonly width: number;
  readonly seed: number;
  readonly embedding: 'trained' | 'fixed';
}

/** @param defaultTask of the command; without one it must be given. */
export function withSettingOptions(command: Command, defaultTask?: SettingArguments['task']): Command {
  const contexts = oneOf('--contexts', ['shared', 'random', 'perm'] as const);
  const task = oneOf('--task', ['classification', 'regression'] as const);
  const embedding = oneOf('--embedding', ['trained', 'fixed'] as const);
  return command
    .requiredOption('--heads <H>', 'attention heads', wholeNumber('--heads', 1))
    .requiredOption('--context <n>', 'tokens of a context', wholeNumber('--context', 1))
    .requiredOption('--head-size <d_h>', 'size of queries and keys, at most the width', wholeNumber('--head-size', 1))
    .requiredOption('--examples <T>', 'examples to memorize', wholeNumber('--examples', 1))
    .requiredOption('--contexts <kind>', `shared, random or perm (rows of a bag of ${BAG_SIZE})`, contexts)
    .addOption(
      command
        .createOption('--task <kind>', 'classification or regression')
        .argParser(task)
        .default(defaultTask)
        .makeOptionMandatory(),
    )
    .option('--classes <C>', 'labels of a classification (default: 100)', wholeNumber('--classes', 2))
    .option('--width <d>', 'size of a token', wholeNumber('--width', 2), 64)
    .option('--embedding <kind>', 'trained, or fixed: the tokens as they are, positions added', embedding, 'trained')
    .option('--seed <number>', 'of task, weights and batches', wholeNumber('--seed', 0), 0)
    .option('--json', 'print one JSON document');
}

/** The checks that need two options. */
export function settingOf(options: SettingArguments): SettingOptions {
  const { heads, context, headSize, examples, contexts, task, classes, width, embedding, seed } = options;
  if (width % 2 !== 0)
    throw new InputError(`--width expects an even number (positions are sines and cosines), got ${width}`);
  if (headSize > width) throw new InputError(`--head-size expects at most the width, ${width}, got ${headSize}`);
  if (contexts === 'perm' && context > BAG_SIZE) {
    throw new InputError(`--context expects at most the ${BAG_SIZE} rows of the bag of perm contexts, got ${context}`);
  }
  if (task === 'regression' && classes !== undefined) {
    throw new InputError(`--classes expects --task classification, got ${classes} with regression`);
  }
  return { heads, context, headSize, examples, contexts, task, width, embedding, seed, ...(classes && { classes }) };
}
