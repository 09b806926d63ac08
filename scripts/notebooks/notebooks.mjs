/**
 * Runs notebooks from top to bottom, each into `reports/<name>.ipynb`:
 *
 *     node scripts/notebooks/notebooks.mjs [notebooks/01-assumptions.ipynb …]
 *
 * The first alone, with all cores; the others two at a time if the machine has the cores and the memory; ATTENTION_JOBS sets
 * another number. ATTENTION_PROFILE sets the
 * sizes (lib/experiments/profiles.ts). The exit status is 1 when a cell fails.
 */
import { EventEmitter, once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { availableParallelism, cpus, platform, totalmem } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { coresFor } from './cores.mjs';
import { jupyterEnvironment } from './environment.mjs';
import { provenance } from './provenance.mjs';
import { start } from '../setup/children.mjs';
import { SetupFailure, isMain, runScript } from '../setup/failure.mjs';
import { python, root } from '../setup/places.mjs';
import { fitted, inColour } from '../setup/progress.mjs';

const folder = join(root, 'notebooks');
export const reports = join(root, 'reports');

/** A notebook keeps one to two cores busy and uses up to 2 GiB: two of them leave no core idle. */
const AT_ONCE = 2;
const MEMORY_OF_TWO = 12 * 2 ** 30;

/** The named notebooks, each given by its file or the beginning of its name (`07`), or all notebooks in reading order. */
export function findNotebooks(named = []) {
  const all = readdirSync(folder)
    .filter((name) => name.endsWith('.ipynb'))
    .sort();
  if (named.length === 0) return all.map((name) => join(folder, name));
  const found = named.map((name) => {
    if (name.endsWith('.ipynb') && existsSync(name)) return resolve(name);
    const meant = all.filter((file) => file === name || file === `${name}.ipynb`);
    const [first, ...others] = meant.length > 0 ? meant : all.filter((file) => file.startsWith(name));
    if (first !== undefined && others.length === 0) return join(folder, first);
    const names = all.map((file) => basename(file, '.ipynb')).join(', ');
    throw new SetupFailure(
      `expected a notebook's file, or one of ${names} or the beginning of its name, got '${name}'`,
    );
  });
  return [...new Set(found)];
}

/**
 * Executes one notebook and returns `{output, failed}`. `listener` is told what happens, `onCell` the id of each finished
 * cell. `threads` is how many it computes with, by default one per core; TF_NUM_INTRAOP_THREADS overrides it.
 */
export async function executeNotebook(
  notebook,
  { output, threads, allowErrors = false, listener = createBoard().listener(notebook), onCell = () => {} },
) {
  const run = { profile: process.env.ATTENTION_PROFILE ?? 'quick', machine: machine(), ...provenance() };
  const args = [join(root, 'scripts', 'notebooks', 'notebooks.py'), notebook, output, '--run', JSON.stringify(run)];
  if (allowErrors) args.push('--allow-errors');
  const env = { ...(threads && { TF_NUM_INTRAOP_THREADS: String(threads) }), ...jupyterEnvironment() };
  const child = start(python, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const complaints = [];
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
  let died = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line);
    died ||= event.error?.name === 'DeadKernel';
    if (event.done) onCell(event.done);
    else listener.event(event);
  });
  const status = await new Promise((done) => child.on('close', (code) => done(code ?? 1)));
  // The standard error of a kernel may say why it died.
  if (died) process.stderr.write(`${complaints.slice(-30).join('\n')}\n`);
  listener.end(status);
  if (status !== 0 && status !== 1)
    throw new SetupFailure(`${basename(notebook)} did not run: ${complaints.slice(-5).join('\n')}`, 1);
  if (status === 1 && complaints.some((line) => line.startsWith('Traceback')))
    throw new SetupFailure(`${basename(notebook)} did not run:\n${complaints.join('\n')}`, 1);
  return { output, failed: status === 1 };
}

/**
 * Executes `notebooks` into `folder`, in their order. In its metadata, `attention_capacity` says what a notebook asks for:
 * `after` names what it waits for, `"<notebook>"`, or `"<notebook>#<id of a cell>"` if it need not wait for the rest; with
 * `alone` it has all cores for itself; with `early` it comes before those of its kind that stand before it. `onEnd` is
 * told the name of each notebook that has ended, failed or not; what it returns is printed. Returns whether every cell of
 * every notebook succeeded.
 */
export async function executeNotebooks(notebooks, { folder = reports, onEnd = async () => undefined } = {}) {
  const jobs = Math.min(jobsAtOnce(), notebooks.length);
  const board = createBoard();
  const all = notebooks.map((path) => ({ path, name: basename(path, '.ipynb'), after: [], ...wishes(path) }));
  const rank = ({ alone, early }) => (alone ? 0 : early ? 1 : 2);
  const waiting = all.toSorted((a, b) => rank(a) - rank(b));
  const running = new Map();
  const doneCells = new Set();
  const news = new EventEmitter();
  let change = once(news, 'news');
  let allPassed = true;
  while (waiting.length > 0 || running.size > 0) {
    const open = new Set([...waiting, ...running.values()].map(({ name }) => name));
    const isOpen = (place) => open.has(place.split('#')[0]) && !doneCells.has(place);
    const next = waiting.findIndex(({ after }) => !after.some(isOpen));
    const isAlone = running.size === 0 && (waiting.length === 1 || waiting[next]?.alone === true);
    const hasRoom = running.size < jobs && ![...running.values()].some(({ alone }) => alone);
    if (next >= 0 && hasRoom && (isAlone || !waiting[next].alone)) {
      const [{ path, name, alone }] = waiting.splice(next, 1);
      const entry = { name, alone };
      const lookAgain = () => {
        news.emit('news');
        change = once(news, 'news');
      };
      const onCell = (id) => {
        doneCells.add(`${name}#${id}`);
        lookAgain();
      };
      const options = {
        output: join(folder, `${name}.ipynb`),
        threads: coresFor(isAlone ? 1 : jobs),
        listener: board.listener(path),
        onCell,
      };
      entry.ended = executeNotebook(path, options).then(async ({ failed }) => {
        allPassed &&= !failed;
        // While its report is made, others may begin.
        entry.alone = false;
        lookAgain();
        const told = await onEnd(name);
        if (told) board.say(told);
        running.delete(path);
      });
      running.set(path, entry);
    } else if (running.size > 0) {
      await Promise.race([change, ...[...running.values()].map(({ ended }) => ended)]);
    } else {
      const names = waiting.map(({ name }) => name).join(', ');
      throw new SetupFailure(`the notebooks ${names} wait for each other: correct 'after' in their metadata`, 1);
    }
  }
  return allPassed;
}

/** What a notebook asks for: `after`, `alone`, `early`. */
function wishes(notebook) {
  return JSON.parse(readFileSync(notebook, 'utf8')).metadata?.attention_capacity ?? {};
}

function jobsAtOnce() {
  const text = process.env.ATTENTION_JOBS;
  if (text === undefined) return availableParallelism() > 1 && totalmem() >= MEMORY_OF_TWO ? AT_ONCE : 1;
  const jobs = Number(text);
  if (!Number.isSafeInteger(jobs) || jobs < 1)
    throw new SetupFailure(
      `ATTENTION_JOBS: expected a positive whole number, the notebooks that run at once, got '${text}'`,
    );
  return jobs;
}

/** Describes the machine, without names of machines or people. */
function machine() {
  const model = cpus()[0]?.model.trim() || process.arch;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${availableParallelism()} cores of ${model}, ${memory}, ${platform()}, Node ${process.versions.node}`;
}

/**
 * Shows on standard error which cells run, and their progress: on a terminal in one line that is redrawn, in a log by one line
 * per minute for each notebook.
 */
function createBoard() {
  const terminal = process.stderr.isTTY === true;
  const lines = new Map();
  const draw = () => {
    const line = [...lines.values()].join(' | ');
    process.stderr.write(`\r\x1b[K${fitted(line)}`);
  };
  /** Prints a line that stays, above the line that is redrawn. */
  const say = (text) => {
    process.stderr.write(`${terminal ? '\r\x1b[K' : ''}${inColour(text)}\n`);
    if (terminal) draw();
  };
  return {
    say,
    listener(notebook) {
      const name = basename(notebook, '.ipynb');
      const began = Date.now();
      let cell = '';
      let told = 0;
      const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
      if (!terminal) say(`${name}: running`);
      return {
        event({ cell: number, cells, progress, error }) {
          if (error) {
            const place = error.cell === null ? 'after the last cell' : `code cell ${error.cell} (${error.source})`;
            say(`${relative(process.cwd(), notebook)}, ${place}:\n${error.traceback.join('\n') || error.message}`);
            return;
          }
          if (number) cell = `cell ${number} of ${cells}`;
          const work = progress
            ?.map(({ label, done, total }) => `${label} ${Math.round((100 * done) / total)} %`)
            .join(', ');
          lines.set(name, `${name}: ${cell}, ${seconds()}${work ? `  ${work}` : ''}`);
          if (terminal) draw();
          else if (Date.now() - told >= 60_000) {
            told = Date.now();
            say(lines.get(name));
          }
        },
        end(status) {
          lines.delete(name);
          say(`${name}: ${status === 0 ? 'done' : 'failed'} in ${seconds()}`);
        },
      };
    },
  };
}

if (isMain(import.meta.url)) {
  await runScript(async () => {
    const { positionals } = parseArgs({ allowPositionals: true });
    if (!(await executeNotebooks(findNotebooks(positionals)))) process.exitCode = 1;
  });
}
