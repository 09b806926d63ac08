import type { Command } from 'commander';
import type { MemorizationResult } from '../memorization/training/trainer';
import { wholeNumber } from './arguments';
import { settingOf, withSettingOptions, type SettingArguments } from './memorization-options';
import { print, printJson } from './output';

interface MemorizeArguments extends SettingArguments {
  readonly steps?: number;
  readonly json?: true;
}

/** `attention-capacity memorize`. */
export function register(program: Command): void {
  const command = program
    .command('memorize')
    .description("train one attention layer to memorize a random task, with the reference's recipe");
  withSettingOptions(command)
    .option('--steps <count>', 'training steps (default: max(500 T / 256, 50000))', wholeNumber('--steps', 1))
    .action(memorize);
}

async function memorize(options: MemorizeArguments): Promise<void> {
  const setting = settingOf(options);
  const trainer = await import('../memorization/training/trainer.js');
  const { showProgress } = await import('../report/progress.js');
  showProgress();
  const result = await trainer.memorize({ ...setting, ...(options.steps !== undefined && { steps: options.steps }) });
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
