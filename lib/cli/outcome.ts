/** How a command ends: its exit status, and one line on standard error that gives the reason. */
import { constants } from 'node:os';
import { type Command, CommanderError } from 'commander';
import { InputError } from '../input-error';
import { Interrupted, interruptWork } from '../work';
import { printNotes } from './output';

const STATUS = { failed: 1, badInput: 2, interrupted: 130 } as const;

/** Ends a command that has already reported why. */
export class Failed extends Error {
  override readonly name = 'Failed';
  constructor(readonly status: number = STATUS.failed) {
    super();
  }
}

/** Runs the command that `argv` names and sets the exit status: 0 done, 1 failed, 2 bad arguments or input, 130 Ctrl-C, 143 SIGTERM. */
export async function runProgram(program: Command, argv: readonly string[]): Promise<void> {
  stopOnSignals();
  leaveQuietlyWhenNobodyReads();
  try {
    if (argv.length <= 2) {
      const names = program.commands.map((command) => command.name()).join(', ');
      throw new InputError(`expected a command (${names}), got none; see attention-capacity --help`);
    }
    await program.parseAsync(argv);
    printNotes();
  } catch (error) {
    process.exitCode = statusOf(error, program, argv);
    if (process.exitCode === STATUS.failed) printNotes();
  }
}

function statusOf(error: unknown, program: Command, argv: readonly string[]): number {
  if (error instanceof Failed) return error.status;
  if (error instanceof CommanderError) {
    // Help and version are errors to commander, with status 0.
    if (error.exitCode === 0) return 0;
    complain(sentenceOf(error, program, argv));
    return STATUS.badInput;
  }
  complain(error instanceof Error ? error.message : String(error));
  if (error instanceof InputError) return STATUS.badInput;
  if (error instanceof Interrupted) return status;
  if (process.env.DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return STATUS.failed;
}

/** Prints one line, even if a file's name or content puts line ends into the message. */
function complain(message: string): void {
  process.stderr.write(`attention-capacity: ${message.replace(/\s*[\r\n]+\s*/g, ' ').trim()}\n`);
}

/** Commander's message; where it says only what it got, what was expected is added. */
function sentenceOf(error: CommanderError, program: Command, argv: readonly string[]): string {
  const message = error.message.replace(/^error: /, '').replace(/\.$/, '');
  const command = program.commands.find((candidate) => candidate.name() === argv[2]);
  const help = `attention-capacity ${command ? `${command.name()} ` : ''}--help`;
  switch (error.code) {
    case 'commander.unknownCommand':
      return `${message}; the commands are ${program.commands.map((known) => known.name()).join(', ')}`;
    case 'commander.unknownOption': {
      const options = (command ?? program).createHelp().visibleOptions(command ?? program);
      const names = options.map((option) => option.long ?? option.short);
      return `${message}; ${command ? command.name() : 'attention-capacity'} knows ${names.join(', ')}`;
    }
    default:
      return `${message}; see ${help}`;
  }
}

/** Ctrl-C; `docker stop` and Slurm; a terminal that was closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
let status: number = STATUS.interrupted;

/** A signal stops running work at its next step. A second one, or one while no work runs, ends the process. */
function stopOnSignals(): void {
  let asked = false;
  for (const name of SIGNALS) {
    process.on(name, () => {
      status = 128 + constants.signals[name];
      // work.ts listens while work runs.
      const working = process.listenerCount('SIGINT') > 1;
      if (asked || !working) {
        complain('interrupted');
        process.exit(status);
      }
      asked = true;
      interruptWork();
    });
  }
}

/** `attention-capacity rank x.npy | head -1` closes the pipe before everything is written. */
function leaveQuietlyWhenNobodyReads(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit();
    });
  }
}
