/** Installs node_modules as package-lock.json describes it. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNpm } from './npm.mjs';
import { root } from './places.mjs';
import { bar } from './progress.mjs';
import { persistently } from './repeat.mjs';

/** Exists from the start of npm until its result was checked. */
const unfinished = join(root, '.setup.unfinished');

/** The packages that the lock file requires on every machine: [folder, entry]. */
function locked() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages).filter(([folder, entry]) => folder.includes('node_modules/') && !entry.optional);
}

const manifest = (folder) => join(root, folder, 'package.json');

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** The folders of locked packages that are not installed in their version, according to npm's record and their package.json. */
function missingPackages() {
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages ?? {};
  return locked()
    .filter(([folder, { version, integrity, link }]) => {
      const found = readJson(manifest(folder));
      if (link) return found === undefined;
      const noted = installed[folder];
      return found?.version !== version || noted?.version !== version || noted.integrity !== integrity;
    })
    .map(([folder]) => folder);
}

/** Whether each locked package is installed in its version, and npm's last run was complete. */
export function nodePackagesPresent() {
  return !existsSync(unfinished) && missingPackages().length === 0;
}

/** Runs `npm ci` with a progress bar, which counts the folders of packages. */
export async function installNodePackages(usePinned) {
  const files = locked().map(([folder]) => manifest(folder));
  const progress = bar('Node packages', files.length, (count) => `${count} packages`);
  const watch = setInterval(() => progress.update(files.filter((file) => existsSync(file)).length), 400);
  const missing = () => {
    const [first, ...others] = missingPackages();
    return first && `${others.length + 1} of ${files.length} packages are missing, for example ${first}`;
  };
  writeFileSync(unfinished, 'Node packages\n');
  try {
    await persistently(progress, () => runNpm('npm ci', ['ci', '--no-audit', '--no-fund'], { usePinned, missing }));
  } catch (error) {
    progress.clear();
    throw error;
  } finally {
    clearInterval(watch);
  }
  rmSync(unfinished);
  progress.end();
}
