import type { Command } from 'commander';
import type { Capacity } from '../memorization/capacity/capacity';
import type { FunctionalDimension } from '../memorization/capacity/dimension';
import { oneOf } from './arguments';
import { settingOf, withSettingOptions, type SettingArguments } from './memorization-options';
import { print, printJson } from './output';

interface CapacityArguments extends SettingArguments {
  readonly trainable: 'readout' | 'all';
  readonly json?: true;
}

/** `attention-capacity capacity`. */
export function register(program: Command): void {
  const command = program
    .command('capacity')
    .description('what a layer with random attention weights can memorize, by one factorization and no training');
  withSettingOptions(command, 'regression')
    .option(
      '--trainable <weights>',
      'readout, or all: also the dimension of what all weights compute',
      oneOf('--trainable', ['readout', 'all'] as const),
      'readout',
    )
    .action(capacity);
}

async function capacity(options: CapacityArguments): Promise<void> {
  const setting = settingOf(options);
  const library = await import('../memorization/capacity/capacity.js');
  const { showProgress } = await import('../report/progress.js');
  showProgress();
  const { functionalDimension } = await import('../memorization/capacity/dimension.js');
  // First what may be refused for its size.
  const all = options.trainable === 'all' ? functionalDimension(setting) : null;
  const found = await library.capacity(setting);
  if (options.json) {
    printJson(all ? { ...found, functionalDimension: all.dimension, dimensionFormula: all.formula } : found);
  } else print([text(found), ...(all ? [dimensionText(all)] : [])].join('\n'));
}

function text(found: Capacity): string {
  const { config, theoremLowerBound, sharedUpperBound, featureRank, memorized, maxResidual, rtol } = found;
  const lower = theoremLowerBound === null ? 'nothing (n > d)' : `at least ${theoremLowerBound}`;
  const upper = sharedUpperBound === null ? '' : `; a shared context allows at most ${sharedUpperBound}`;
  const fitted = maxResidual === null ? 'no finite weights fit them' : `largest error ${maxResidual.toExponential(1)}`;
  return [
    `Theorem 1 promises ${lower} examples${upper}`,
    `rank of the feature matrix of ${config.examples} examples: ${featureRank} (float64, rtol ${rtol.toExponential(1)})`,
    `their labels ${memorized ? 'were memorized by one linear solve' : 'were not all memorized'}: ${fitted}`,
  ].join('\n');
}

function dimensionText({ dimension, formula, parameters, examples, rtol }: FunctionalDimension): string {
  return (
    `dimension of what all ${parameters} weights compute: ${dimension}, the rank of their Jacobian over ${examples} ` +
    `examples (float64, rtol ${rtol.toExponential(1)}); closed form: ${formula ?? 'none'}`
  );
}
