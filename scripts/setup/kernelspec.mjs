/**
 * Installs the kernel's specification in the Python environment, where VS Code, `jupyter lab`, nbconvert, papermill and jupytext
 * find it from any folder. Unlike the one in jupyter/kernels it has the path of the Node that set-up runs in, because graphical
 * programs do not know the shell's PATH.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { cache, root, venv } from './places.mjs';

const NAME = join('kernels', 'attention-capacity');
const tracked = join(root, 'jupyter', NAME);
const installed = join(venv, 'share', 'jupyter', NAME, 'kernel.json');

/** Writes the specification unless it is up to date. */
export function installKernelspec() {
  const { argv, ...spec } = JSON.parse(readFileSync(join(tracked, 'kernel.json'), 'utf8'));
  const [, ...args] = argv.map((part) => part.replace(/^\{resource_dir\}(.*)$/, (_, path) => resolve(tracked + path)));
  // Graphical programs do not know the shell's ATTENTION_CACHE either.
  const env = process.env.ATTENTION_CACHE && { ATTENTION_CACHE: cache };
  const text = `${JSON.stringify({ argv: [process.execPath, ...args], ...spec, ...(env && { env }) }, null, 2)}\n`;
  if (readOrNothing(installed) === text) return;
  mkdirSync(dirname(installed), { recursive: true });
  writeFileSync(`${installed}.partial`, text);
  renameSync(`${installed}.partial`, installed);
}

function readOrNothing(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
