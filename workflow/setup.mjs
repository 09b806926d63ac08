/**
 * Makes the workflow's own Python environment, `data/cache/snakemake`, with the Snakemake that requirements.txt pins; once.
 * Needs Python 3.11 or newer and, that first time, a package index.
 *
 *     node workflow/setup.mjs
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const requirements = path.join(here, 'requirements.txt');
const environment = path.join(here, '..', 'data', 'cache', 'snakemake');
/** Written last: an environment without it was cut short and is made anew. */
const stamp = path.join(environment, 'requirements.sha256');

/** The program that the environment holds. */
export const snakemake = path.join(environment, 'bin', 'snakemake');

/** Whether the environment is there, whole, and holds what requirements.txt asks for. */
export function isReady() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted();
}

/** Makes the environment unless it is ready. */
export function setUp() {
  if (isReady()) return;
  const python = findPython();
  rmSync(environment, { recursive: true, force: true });
  run(python, ['-m', 'venv', environment]);
  const pip = ['-m', 'pip', '--disable-pip-version-check', 'install', '--quiet', '--no-input'];
  run(path.join(environment, 'bin', 'python'), [...pip, '-r', requirements]);
  writeFileSync(stamp, wanted());
}

function wanted() {
  return createHash('sha256').update(readFileSync(requirements)).digest('hex');
}

function findPython() {
  const candidates = [process.env.PYTHON, 'python3', 'python3.13', 'python3.12', 'python3.11'].filter(Boolean);
  const found = candidates.find((python) => {
    const isNew = 'import sys; sys.exit(sys.version_info < (3, 11))';
    return spawnSync(python, ['-c', isNew], { stdio: 'ignore' }).status === 0;
  });
  if (found) return found;
  throw new Error('Snakemake needs Python 3.11 or newer; put it on the PATH, or name it by the variable PYTHON.');
}

function run(program, args) {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw error ?? new Error(`${program} ${args.join(' ')} ended with status ${status}.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    setUp();
    process.stdout.write(`${snakemake}\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
