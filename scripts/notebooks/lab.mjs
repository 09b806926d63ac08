/**
 * Opens JupyterLab on `notebooks/` with the TypeScript kernel, after setting up what is missing:
 *
 *     npm run lab [-- --no-browser --port 8889 …]      (JupyterLab's own options)
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { jupyterEnvironment } from './environment.mjs';
import { isMain, runScript } from '../setup/failure.mjs';
import { python, root } from '../setup/places.mjs';
import { prepare } from '../setup/setup.mjs';

/** Starts JupyterLab on `folder`, which must be in the checkout, where the kernel finds the library. Returns the process. */
export function spawnLab({ folder = join(root, 'notebooks'), options = [], stdio = 'inherit', environment = {} } = {}) {
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
  return spawn(python, ['-m', 'jupyterlab', ...settings, ...options], {
    cwd: root,
    env: { ...jupyterEnvironment(), ...environment },
    stdio,
  });
}

if (isMain(import.meta.url)) {
  await runScript(async () => {
    await prepare();
    const lab = spawnLab({ options: process.argv.slice(2) });
    // Ctrl-C reaches JupyterLab too, which asks for confirmation.
    process.removeAllListeners('SIGINT');
    process.on('SIGINT', () => {});
    process.exitCode = await new Promise((done) => lab.on('close', (status) => done(status ?? 0)));
  });
}
