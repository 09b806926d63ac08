/** Runs other programs in an environment that keeps them inside the checkout; their output is kept, in case they fail. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SetupFailure, knownCause } from './failure.mjs';
import { cache, root } from './places.mjs';

/** The folder for temporary files of this process and of the programs it runs, in the cache; deleted when the process ends. */
export function temporaryFolder() {
  if (!existsSync(temporary)) {
    mkdirSync(temporary, { recursive: true });
    process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));
  }
  return temporary;
}

const temporary = join(cache, 'tmp', `setup-${process.pid}`);

/** The caller's environment, with temporary files in our cache and without variables that would mislead Python. */
export function environment() {
  const env = {
    ...process.env,
    TMPDIR: temporaryFolder(),
    RUSTUP_HOME: join(temporary, 'rustup'), // pip asks rustc for its version, and rustup's rustc writes to the home folder
    PYTHONNOUSERSITE: '1',
    PIP_USER: '0',
    PIP_NO_INPUT: '1',
    PIP_NO_COLOR: '1',
    PIP_ROOT_USER_ACTION: 'ignore',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
  };
  for (const name of ['PYTHONPATH', 'PYTHONHOME', 'PIP_TARGET', 'PIP_PREFIX', 'PIP_REQUIREMENT', 'PIP_CONSTRAINT'])
    delete env[name];
  return env;
}

/**
 * Runs a program and returns `{status, output}`, where output is everything it wrote to both streams. `onLine` gets each
 * line at once, `input` goes to its standard input. The status is 127 if there is no such program.
 */
export function run(command, args, { onLine = () => {}, input, env = environment(), cwd = root } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
    const lines = [];
    const end = () => child.kill();
    process.once('exit', end);
    const finish = (status, output) => {
      process.off('exit', end);
      resolve({ status, output });
    };
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        onLine(line);
      });
    }
    child.on('error', (error) => finish(127, error.message));
    child.on('close', (status, signal) => finish(status ?? 128, lines.join('\n') + (signal ? `\n${signal}` : '')));
    if (input !== undefined) {
      child.stdin.on('error', () => {}); // the program ended first; its status tells why
      child.stdin.end(input);
    }
  });
}

/** As `run`, but any status other than 0 throws a SetupFailure that begins with `doing`. */
export async function mustRun(doing, command, args, options) {
  const { status, output } = await run(command, args, options);
  if (status === 0) return output;
  const cause = knownCause(doing, output);
  if (cause) throw new SetupFailure(cause);
  const end = output.trim().split('\n').slice(-15).join('\n  ');
  throw new SetupFailure(`${doing} failed: ${command} ended with status ${status}; its output ends with:\n  ${end}`, 1);
}
