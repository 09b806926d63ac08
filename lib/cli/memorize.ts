import type { Command } from 'commander';
import { InputError } from '../input-error';
import type { ExactResult } from '../memorization/capacity/memorize-exactly';
import type { MemorizationResult } from '../memorization/training/trainer';
import { oneOf, wholeNumber } from './arguments';
import { settingOf, withSettingOptions, type SettingArguments } from './memorization-options';
import { print, printJson } from './output';

interface MemorizeArguments extends SettingArguments {
  readonly method: 'adam' | 'exact';
  readonly steps?: number;
  readonly starts?: number;
  readonly json?: true;
}

/** `attention-capacity memorize`. */
export function register(program: Command): void {
  const command = program
    .command('memorize')
    .description(
      "train one attention layer to memorize a random task, with the reference's recipe or by Levenberg-Marquardt",
    );
  withSettingOptions(command)
    .option(
      '--method <name>',
      "adam, the reference's recipe; or exact, Levenberg-Marquardt in float64",
      oneOf('--method', ['adam', 'exact'] as const),
      'adam',
    )
    .option('--steps <count>', 'training steps (default: max(500 T / 256, 50000))', wholeNumber('--steps', 1))
    .option('--starts <count>', 'initial weights that exact tries at most (default: 4)', wholeNumber('--starts', 1))
    .action(memorize);
}

async function memorize(options: MemorizeArguments): Promise<void> {
  const setting = settingOf(options);
  const { method, steps, starts } = options;
  if (method === 'adam' && starts !== undefined) {
    throw new InputError(`--starts expects --method exact, got ${starts} with adam`);
  }
  if (method === 'exact' && steps !== undefined) {
    throw new InputError(`--steps expects --method adam, got ${steps} with exact`);
  }
  if (method === 'exact') {
    const { memorizeExactly } = await import('../memorization/capacity/memorize-exactly.js');
    const { showProgress } = await import('../report/progress.js');
    showProgress();
    const result = await memorizeExactly(setting, { starts });
    if (options.json) printJson(result);
    else print(exactText(result));
    return;
  }
  const trainer = await import('../memorization/training/trainer.js');
  const { showProgress } = await import('../report/progress.js');
  showProgress();
  const result = await trainer.memorize({ ...setting, steps });
  if (options.json) {
    const { config, parameters, steps, seconds, loss, accuracy, saturation } = result;
    printJson({ config, parameters, steps, seconds, loss, accuracy, saturation });
  } else {
    print(text(result));
  }
}

function text({ config, parameters, steps, seconds, loss, accuracy, saturation }: MemorizationResult): string {
  const known = accuracy === null ? '' : `, ${(accuracy * 100).toFixed(2)} % of the examples right`;
  return [
    `${config.heads} heads of size ${config.headSize}, ${config.context} tokens, ${config.contexts} contexts: ${parameters} parameters`,
    `loss ${loss.toPrecision(6)}${known} (${config.examples} examples, ${steps} steps, ${seconds.toFixed(1)} s)`,
    `${saturation.meanSaturatedHeads.toFixed(2)} of ${config.heads} heads saturated per example (largest weight above ${saturation.threshold})`,
  ].join('\n');
}

function exactText({ config, memorized, maxResidual, iterations, starts, seconds }: ExactResult): string {
  const effort = `${iterations} iterations from ${starts === 1 ? 'one start' : `${starts} starts`}, ${seconds.toFixed(1)} s`;
  const targets = config.task === 'regression' ? 'labels' : 'logits (1 for the class, 0 for the others)';
  return memorized
    ? `all ${config.examples} examples memorized: largest error of the ${targets} ${maxResidual.toExponential(1)} (${effort})`
    : `not memorized: largest error of the ${targets} ${maxResidual.toExponential(1)} (${effort}); this is no proof that no weights fit them`;
}
