/** npm: the one that is installed, or a pinned one where that is too old for this project; what it says is not believed. */
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { failureOf, environment, run } from './run.mjs';
import { cache, sources } from './places.mjs';
import { say } from './progress.mjs';

/** Debian's and Ubuntu's 9.2 refuses overrides that name a package of the root (`$name`). */
const OLDEST_FOR_OVERRIDES = [9, 3];

export const pinnedNpm = sources.find(({ use }) => use === 'npm');
const pinned = join(cache, pinnedNpm.folder, 'package', 'bin', 'npm-cli.js');

/** Of the npm on PATH, e.g. [10, 9, 2]; undefined where there is none that runs. */
async function installedVersion() {
  const { status, output } = await run('npm', ['--version']);
  const version = /^(\d+)\.(\d+)\.\d+/m.exec(output);
  return status === 0 && version ? [Number(version[1]), Number(version[2])] : undefined;
}

/** `{problem}` when npm is missing or too old to fetch another one, else `{old}`: whether it needs the pinned one. */
export async function lookAtNpm() {
  const version = await installedVersion();
  if (version && version[0] >= 9)
    return { old: version[0] === OLDEST_FOR_OVERRIDES[0] && version[1] < OLDEST_FOR_OVERRIDES[1] };
  const found = version ? `this is ${version.join('.')}` : 'none was found';
  return {
    problem: `npm 9 or newer is needed; ${found}. It comes with Node; on Debian it is a package of its own (apt install npm).`,
  };
}

/** Whether the pinned npm is in the cache. */
export const pinnedNpmPresent = () => existsSync(pinned);

/** npm's own environment: its cache is ours where its own may not be written, and no package's script runs. */
async function npmEnvironment() {
  const env = { ...environment(), npm_config_ignore_scripts: 'true', NO_COLOR: '1' };
  const { output } = await run('npm', ['config', 'get', 'cache'], { env });
  const folder = output.trim().split('\n').pop();
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch {
    env.npm_config_cache = join(cache, 'npm-cache');
    if (!told) say(`npm's cache ${folder} is not writable: ${env.npm_config_cache} is used instead`);
    told = true;
  }
  return { env, folder: env.npm_config_cache ?? folder };
}
let told = false;

/**
 * Runs npm with `args` and looks at the result: `missing` gives what is not there although it should be, in words, or nothing.
 * npm 10.8 ends with 0 when a registry does not answer, and every npm does when it could not write the files of a package.
 * `onCache` is told where npm's cache is.
 */
export async function runNpm(doing, args, { usePinned = false, missing, onCache = () => {} }) {
  const { env, folder } = await npmEnvironment();
  onCache(folder);
  const [command, ...before] = usePinned ? [process.execPath, pinned] : ['npm'];
  const { status, output } = await run(command, [...before, ...args, '--loglevel=warn'], { env });
  if (status !== 0) throw failureOf(doing, output, `npm ended with status ${status}`);
  if (/TAR_ENTRY_ERROR/.test(output)) throw failureOf(doing, output, 'npm could not write every file');
  const absent = missing();
  if (absent) throw failureOf(doing, output, `npm ended as if all were well, but ${absent}`);
}
