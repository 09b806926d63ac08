/** Installs node_modules as package-lock.json describes it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './places.mjs';
import { bar } from './progress.mjs';
import { environment, mustRun } from './run.mjs';

/** The packages that the lock file requires on every machine: [folder, entry]. */
function locked() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages).filter(([folder, entry]) => folder.includes('node_modules/') && !entry.optional);
}

/** Whether each locked package is installed in its version, according to npm's own record. */
export function nodePackagesPresent() {
  let installed;
  try {
    installed = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages;
  } catch {
    return false;
  }
  return locked().every(
    ([folder, { version, integrity, link }]) =>
      existsSync(join(root, folder, 'package.json')) &&
      (link || (installed[folder]?.version === version && installed[folder].integrity === integrity)),
  );
}

/** Runs `npm ci` with a progress bar, which counts the folders of packages. */
export async function installNodePackages() {
  const folders = locked().map(([folder]) => join(root, folder, 'package.json'));
  const progress = bar('Node packages', folders.length, (count) => `${count} packages`);
  const watch = setInterval(() => progress.update(folders.filter((file) => existsSync(file)).length), 400);
  try {
    await mustRun('npm ci', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      env: { ...environment(), npm_config_ignore_scripts: 'true' },
    });
  } catch (error) {
    progress.clear();
    throw error;
  } finally {
    clearInterval(watch);
  }
  progress.end();
}
