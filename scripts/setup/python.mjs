/** The virtual environment that has Jupyter. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, python, venv } from './places.mjs';
import { bar } from './progress.mjs';
import { mustRun } from './run.mjs';

const requirements = join(root, 'scripts', 'requirements.txt');
/** Lies inside the environment, so that it goes when the environment goes; it says what was installed, and for which path. */
const stamp = join(venv, 'installed-requirements.txt');
const installed = () => `# for ${venv}\n${readFileSync(requirements, 'utf8')}`;

/** Whether .venv holds the pinned packages; an environment that was moved, or whose Python went away, does not count. */
export function pythonPackagesPresent() {
  return existsSync(python) && existsSync(stamp) && readFileSync(stamp, 'utf8') === installed();
}

/** Makes .venv anew with `interpreter`. Every package is a wheel that must have the hash in requirements.txt. */
export async function installPythonPackages(interpreter) {
  rmSync(venv, { recursive: true, force: true });
  await mustRun('making the Python environment .venv', interpreter, ['-m', 'venv', venv]);
  await pipInstall('Python packages (Jupyter)', requirements);
  await mustRun('starting Jupyter', python, ['-c', 'import jupyterlab, nbconvert, nbclient, nbformat, plotly, zmq']);
  writeFileSync(stamp, installed());
}

/** `pip install` of a file of pinned requirements, with a bar: a package counts when pip turns to it. */
export async function pipInstall(label, file, options = []) {
  const count = readFileSync(file, 'utf8').match(/^[\w.-]+==/gm).length;
  const progress = bar(label, count, (packages) => `${packages} packages`);
  let collected = 0;
  try {
    const install = [
      '-m',
      'pip',
      'install',
      '--no-deps',
      '--require-hashes',
      '--only-binary=:all:',
      '--progress-bar=off',
      '--requirement',
      file,
      ...options,
    ];
    await mustRun(`installing ${label}`, python, install, {
      onLine: (line) => line.startsWith('Collecting ') && progress.update(++collected),
    });
  } catch (error) {
    progress.clear();
    throw error;
  }
  progress.end();
}
