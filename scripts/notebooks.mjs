/**
 * Runs notebooks from top to bottom, each into `reports/<name>.ipynb`:
 *
 *     node scripts/notebooks.mjs [notebooks/01-assumptions.ipynb …]
 *
 * The sizes come from ATTENTION_PROFILE (lib/profiles.ts). Exit status 1 when a cell fails.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism, cpus, platform, totalmem } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { jupyterEnvironment } from './notebooks-environment.mjs';
import { SetupFailure, isMain, runScript } from './setup/failure.mjs';
import { python, root } from './setup/places.mjs';

export const reports = join(root, 'reports');

/** The notebooks of the project, in reading order, or those that are named. */
export function findNotebooks(named = []) {
  if (named.length === 0) {
    const folder = join(root, 'notebooks');
    return readdirSync(folder)
      .filter((name) => name.endsWith('.ipynb'))
      .sort()
      .map((name) => join(folder, name));
  }
  return named.map((name) => {
    const candidates = [resolve(name), join(root, 'notebooks', name), join(root, 'notebooks', `${name}.ipynb`)];
    const found = candidates.find((path) => path.endsWith('.ipynb') && existsSync(path));
    if (!found) throw new SetupFailure(`there is no notebook '${name}': name a file, or one of ${names().join(', ')}`);
    return found;
  });
}

/** Executes one notebook. Gives `{output, failed}`; what happens is told to `listener`. */
export async function executeNotebook(
  notebook,
  { output, allowErrors = false, listener = terminalListener(notebook) },
) {
  const run = { profile: process.env.ATTENTION_PROFILE ?? 'quick', machine: machine() };
  const args = [join(root, 'scripts', 'notebooks.py'), notebook, output, '--run', JSON.stringify(run)];
  if (allowErrors) args.push('--allow-errors');
  const child = spawn(python, args, { env: jupyterEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  const complaints = [];
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
  let died = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line);
    died ||= event.error?.name === 'DeadKernel';
    listener.event(event);
  });
  const status = await new Promise((done) => child.on('close', (code) => done(code ?? 1)));
  // A kernel that dies has said its last words on its standard error.
  if (died) process.stderr.write(`${complaints.slice(-30).join('\n')}\n`);
  listener.end(status);
  if (status !== 0 && status !== 1)
    throw new SetupFailure(`${basename(notebook)} did not run: ${complaints.slice(-5).join('\n')}`, 1);
  if (status === 1 && complaints.some((line) => line.startsWith('Traceback')))
    throw new SetupFailure(`${basename(notebook)} did not run:\n${complaints.join('\n')}`, 1);
  return { output, failed: status === 1 };
}

/** Executes `notebooks` one after the other into `reports/`; true when every cell of every one succeeded. */
export async function executeNotebooks(notebooks) {
  let allPassed = true;
  for (const notebook of notebooks) {
    const { failed } = await executeNotebook(notebook, { output: join(reports, basename(notebook)) });
    allPassed &&= !failed;
  }
  return allPassed;
}

/** What the run was made on, in words: no names of machines or people. */
function machine() {
  const model = cpus()[0]?.model.trim() || process.arch;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${availableParallelism()} cores of ${model}, ${memory}, ${platform()}, Node ${process.versions.node}`;
}

/** Shows on standard error which cell runs and how far it is: a line that moves on a terminal, one line each in a log. */
function terminalListener(notebook) {
  const name = basename(notebook, '.ipynb');
  const terminal = process.stderr.isTTY === true;
  const began = Date.now();
  let cell = '';
  let drawn = 0;
  const draw = (line) =>
    process.stderr.write(terminal ? `\r\x1b[K${line.slice(0, process.stderr.columns - 1)}` : `${line}\n`);
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  if (!terminal) draw(`${name}: running`);
  return {
    event({ cell: number, cells, progress, error }) {
      if (error) {
        if (terminal) draw('');
        const place = error.cell === null ? 'after the last cell' : `code cell ${error.cell} (${error.source})`;
        process.stderr.write(
          `${relative(process.cwd(), notebook)}, ${place}:\n${error.traceback.join('\n') || error.message}\n`,
        );
        return;
      }
      if (number) cell = `cell ${number} of ${cells}`;
      const work = progress
        ?.map(({ label, done, total }) => `${label} ${Math.round((100 * done) / total)} %`)
        .join(', ');
      // A log is not a place for things that move: one line a minute is enough.
      if (!terminal && Date.now() - drawn < 60_000) return;
      drawn = Date.now();
      draw(`${name}: ${cell}, ${seconds()}${work ? `  ${work}` : ''}`);
    },
    end(status) {
      if (terminal) draw('');
      process.stderr.write(`${name}: ${status === 0 ? 'done' : 'failed'} in ${seconds()}\n`);
    },
  };
}

function names() {
  return findNotebooks().map((path) => basename(path, '.ipynb'));
}

if (isMain(import.meta.url)) {
  await runScript(async () => {
    const { positionals } = parseArgs({ allowPositionals: true });
    if (!(await executeNotebooks(findNotebooks(positionals)))) process.exitCode = 1;
  });
}
