/** Virtual environments: of Jupyter, of the measurements in bench/, of the workflow. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findPython, spaceProblem } from './prerequisites.mjs';
import { SetupFailure } from './failure.mjs';
import { alone } from './lock.mjs';
import { cache, python, root, venv } from './places.mjs';
import { bar } from './progress.mjs';
import { mustRun } from './run.mjs';

/** The environment of the notebooks. */
export const jupyter = {
  label: 'Python packages (Jupyter)',
  folder: venv,
  requirements: join(root, 'scripts', 'setup', 'requirements.txt'),
  modules: ['jupyterlab', 'nbconvert', 'nbclient', 'nbformat', 'plotly', 'zmq'],
};

/** The environment with PyTorch; only `npm run bench` needs it. */
export const torch = {
  label: 'PyTorch',
  folder: join(cache, 'torch'),
  requirements: join(root, 'bench', 'requirements.txt'),
  modules: ['torch', 'numpy'],
  bytes: 8e9,
};

/** The environment of the workflow, with Snakemake; only `node workflow/run.mjs` needs it. */
export const snakemake = {
  label: 'Snakemake',
  folder: join(cache, 'snakemake'),
  requirements: join(root, 'workflow', 'requirements.txt'),
  modules: ['snakemake'],
  // has no wheel
  fromSource: ['connection-pool'],
  bytes: 0.6e9,
};

/** Inside the environment, so that it is deleted with it. */
const stampOf = ({ folder }) => join(folder, 'installed-requirements.txt');
/** What is installed, and for which path: an environment does not work after it was moved. */
const stampText = ({ folder, requirements }) => `# for ${folder}\n${readFileSync(requirements, 'utf8')}`;

export const pythonOf = ({ folder }) => join(folder, 'bin', 'python');

/** Whether an environment has its Python and its pinned packages. */
export function environmentPresent(environment) {
  const stamp = stampOf(environment);
  return (
    existsSync(pythonOf(environment)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === stampText(environment)
  );
}

/** Makes an environment with `interpreter`. Every package must have its pinned hash, and is a wheel if one exists. */
export async function makeEnvironment(environment, interpreter) {
  const { label, folder, requirements, modules, fromSource = [] } = environment;
  rmSync(folder, { recursive: true, force: true });
  await mustRun(`making the Python environment ${folder}`, interpreter, ['-m', 'venv', folder]);
  const options = fromSource.map((name) => `--no-binary=${name}`);
  try {
    await pipInstall(label, requirements, options, pythonOf(environment));
    await mustRun(`loading ${label}`, pythonOf(environment), ['-c', `import ${modules.join(', ')}`]);
  } catch (error) {
    // Half an environment is of no use: pip's cache has what was fetched.
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  writeFileSync(stampOf(environment), stampText(environment));
}

/** Makes an environment that only some commands need, unless it exists. */
export function ensureEnvironment(environment) {
  return alone(join(dirname(environment.folder), `.${basename(environment.folder)}.lock`), async () => {
    if (environmentPresent(environment)) return;
    const { interpreter, problem } = await findPython();
    const wrong = problem ?? spaceProblem(environment.bytes);
    if (wrong) throw new SetupFailure(wrong);
    await makeEnvironment(environment, interpreter);
  });
}

/** Runs `pip install` on pinned requirements with a progress bar, which counts the packages that pip has begun. */
export async function pipInstall(label, requirements, options = [], interpreter = python) {
  const count = readFileSync(requirements, 'utf8').match(/^[\w.-]+==/gm).length;
  const progress = bar(label, count, (packages) => `${packages} packages`);
  const install = ['-m', 'pip', 'install', '--no-deps', '--require-hashes', '--only-binary=:all:'];
  let collected = 0;
  try {
    await mustRun(
      `installing ${label}`,
      interpreter,
      [...install, '--progress-bar=off', '--requirement', requirements, ...options],
      { onLine: (line) => line.startsWith('Collecting ') && progress.update(++collected) },
    );
  } catch (error) {
    progress.clear();
    throw error;
  }
  progress.end();
}
