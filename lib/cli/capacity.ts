import type { Command } from 'commander';
import type { Capacity } from '../memorization/capacity/capacity';
import { settingOf, withSettingOptions, type SettingArguments } from './memorization-options';
import { print, printJson } from './output';

/** `attention-capacity capacity`. */
export function register(program: Command): void {
  const command = program
    .command('capacity')
    .description('what a layer with random attention weights can memorize, by one factorization and no training');
  withSettingOptions(command).action(capacity);
}

async function capacity(options: SettingArguments & { json?: true }): Promise<void> {
  const setting = settingOf(options);
  const library = await import('../memorization/capacity/capacity.js');
  const { showProgress } = await import('../report/progress.js');
  showProgress();
  const found = await library.capacity(setting);
  if (options.json) printJson(found);
  else print(text(found));
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
