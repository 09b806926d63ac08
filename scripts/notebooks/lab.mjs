/**
 * Opens JupyterLab on `notebooks/` with the TypeScript kernel, after setting up what is missing:
 *
 *     npm run lab [-- --no-browser --port 8889 …]      (JupyterLab's own options)
 */
import { join } from 'node:path';
import { jupyterEnvironment } from './environment.mjs';
import { handOver, isMain, runScript } from '../setup/failure.mjs';
import { python, root } from '../setup/places.mjs';
import { prepare } from '../setup/setup.mjs';

/** The name of an option: what stands before its value. `--notebook-dir` is an alias of Jupyter's for the root folder. */
const nameOf = (option) => option.split('=')[0].replace(/^--notebook-dir$/, '--ServerApp.root_dir');

/** The command that starts JupyterLab on `folder`, as the arguments of `start` and `handOver`. */
export function labCommand({ folder = join(root, 'notebooks'), options = [], environment = {} } = {}) {
  const settings = [
    `--ServerApp.root_dir=${folder}`,
    // No requests to the network: no news, no extension catalogue.
    '--LabApp.extension_manager=readonly',
    '--LabApp.news_url=None',
    '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate',
    '--KernelSpecManager.allowed_kernelspecs=attention-capacity',
    '--KernelSpecManager.ensure_native_kernel=False',
    '--MultiKernelManager.default_kernel_name=attention-capacity',
  ];
  // JupyterLab refuses to run as root, which is usual in a container.
  if (process.getuid?.() === 0) settings.push('--allow-root');
  // JupyterLab refuses an option that is given twice: yours replaces ours.
  const named = new Set(options.map(nameOf));
  const ours = settings.filter((setting) => !named.has(nameOf(setting)));
  const env = { ...jupyterEnvironment(), ...environment };
  return [python, ['-m', 'jupyterlab', ...ours, ...options], { cwd: root, env }];
}

if (isMain(import.meta.url)) {
  await runScript(async () => {
    await prepare();
    process.exitCode = await handOver(...labCommand({ options: process.argv.slice(2) }));
  });
}
