/**
 * The command `attention-capacity`, which makes the same calls as a notebook. Each subcommand is a file in `cli/` that
 * registers itself. It loads the library only when it runs, so that a mistyped option is reported at once.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import * as capacity from './capacity';
import * as doctor from './doctor';
import * as features from './features';
import * as memorize from './memorize';
import { runProgram } from './outcome';
import * as rank from './rank';
import * as report from './report';
import * as sweep from './sweep';

const { version } = JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')) as {
  version: string;
};

const program = new Command('attention-capacity')
  .description(
    'How much can attention memorize? Measures ranks of query vectors and context matrices, and memorization.',
  )
  .version(version, '--version')
  .helpCommand(false)
  .showSuggestionAfterError(false)
  .exitOverride()
  .configureOutput({ writeErr: () => undefined });

/** In the order in which the help lists them. */
const commands = [rank, features, memorize, capacity, sweep, report, doctor];
for (const command of commands) command.register(program);

void runProgram(program, process.argv);
