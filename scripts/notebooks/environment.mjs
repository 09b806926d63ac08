/** Jupyter's environment: everything that it reads and writes is in the checkout. */
import { mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { cache, root } from '../setup/places.mjs';

/** The environment for Jupyter, nbclient and the kernels that they start. */
export function jupyterEnvironment() {
  const home = join(root, '.jupyter');
  const temporary = join(cache, 'tmp');
  mkdirSync(temporary, { recursive: true });
  return {
    ...process.env,
    JUPYTER_CONFIG_DIR: join(home, 'config'),
    JUPYTER_DATA_DIR: join(home, 'data'),
    JUPYTER_RUNTIME_DIR: join(home, 'runtime'),
    JUPYTERLAB_SETTINGS_DIR: join(home, 'lab', 'user-settings'),
    JUPYTERLAB_WORKSPACES_DIR: join(home, 'lab', 'workspaces'),
    IPYTHONDIR: join(home, 'ipython'),
    // Our kernelspec and templates, and no others.
    JUPYTER_PATH: join(root, 'jupyter'),
    JUPYTER_CONFIG_PATH: join(root, 'jupyter', 'config'),
    TMPDIR: temporary,
    PYTHONNOUSERSITE: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    // The kernel runs in the Node that runs this script.
    PATH: dirname(process.execPath) + delimiter + (process.env.PATH ?? ''),
    // A kernel runs in its notebook's folder, where a relative name would mean another folder.
    ...(process.env.ATTENTION_CACHE && { ATTENTION_CACHE: cache }),
  };
}
