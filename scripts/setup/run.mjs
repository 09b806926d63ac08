/** Runs other programs in an environment that keeps them inside the checkout; their output is kept, in case they fail. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { start } from './children.mjs';
import { SetupFailure, knownCause } from './failure.mjs';
import { cache, root } from './places.mjs';

/** The folder for temporary files of this process and of the programs it runs, in the cache; deleted when the process ends. */
export function temporaryFolder() {
  if (!existsSync(temporary)) {
    mkdirSync(temporary, { recursive: true });
    process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));
    for (const name of readdirSync(dirname(temporary))) {
      const [, pid] = /^setup-(\d+)$/.exec(name) ?? [];
      // A killed process left it.
      if (pid && !existsSync(`/proc/${pid}`)) rmSync(join(dirname(temporary), name), { recursive: true, force: true });
    }
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
    const child = start(command, args, { cwd, env, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
    const lines = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        onLine(line);
      });
    }
    child.on('error', (error) => resolve({ status: 127, output: error.message }));
    child.on('close', (status, signal) =>
      resolve({ status: status ?? 128, output: lines.join('\n') + (signal ? `\n${signal}` : '') }),
    );
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
  throw failureOf(doing, output, `${command} ended with status ${status}`);
}

/** The failure of a program: the known cause found in its output, or else `what` happened and the telling lines of the output. */
export function failureOf(doing, output, what) {
  const said = output.trim() ? `; its output:\n  ${tellingLines(output).join('\n  ')}` : ' without output';
  return knownCause(doing, output) ?? new SetupFailure(`${doing} failed: ${what}${said}`, 1);
}

/** npm's first errors, or the end of other programs' output. */
function tellingLines(output) {
  const lines = output.trim().split('\n');
  const errors = lines.filter((line) => /^npm (?:ERR!|error) \S/.test(line) && !/A complete log/.test(line));
  return errors.length > 0 ? errors.slice(0, 8) : lines.slice(-15);
}
