/**
 * The command `attention-capacity`: thin, the same calls that a notebook makes. Each command is a file in `cli/` that
 * registers itself and loads what it needs only when it runs, so that a mistyped option is answered at once.
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
    'How much can attention memorize? Ranks of query vectors and context matrices, and what follows from them.',
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
