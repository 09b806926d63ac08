/** Runs npm, the installed one or, if that is too old, a pinned one, and checks its results instead of its exit status. */
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { failureOf, environment, run } from './run.mjs';
import { cache, sources } from './places.mjs';
import { say } from './progress.mjs';

/** Debian's and Ubuntu's npm 9.2 does not understand overrides that refer to a dependency of the root (`$name`). */
const OLDEST_FOR_OVERRIDES = [9, 3];

export const pinnedNpm = sources.find(({ use }) => use === 'npm');
const pinned = join(cache, pinnedNpm.folder, 'package', 'bin', 'npm-cli.js');

/** Major and minor version of the npm on PATH; undefined if there is none that runs. */
async function installedVersion() {
  const { status, output } = await run('npm', ['--version']);
  const version = /^(\d+)\.(\d+)\.\d+/m.exec(output);
  return status === 0 && version ? [Number(version[1]), Number(version[2])] : undefined;
}

/** `{problem}` if npm is missing or too old to fetch another one, or `{old}`: whether the pinned one is needed. */
export async function lookAtNpm() {
  const version = await installedVersion();
  if (version && version[0] >= 9)
    return { old: version[0] === OLDEST_FOR_OVERRIDES[0] && version[1] < OLDEST_FOR_OVERRIDES[1] };
  const found = version ? `this is ${version.join('.')}` : 'none was found';
  return {
    problem: `npm 9 or newer is needed; ${found}. It comes with Node; Debian has a separate package (apt install npm).`,
  };
}

/** Whether the pinned npm is in the cache. */
export const pinnedNpmPresent = () => existsSync(pinned);

/** npm's environment: no install scripts, and a cache in ours if its own is not writable. */
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
 * Runs npm with `args` and checks the result: `missing` returns in words what is missing, or nothing. npm 10.8 exits with 0 when the
 * registry does not answer, and all versions do when they cannot write a package's files. `onCache` gets the folder of npm's cache.
 */
export async function runNpm(doing, args, { usePinned = false, missing, onCache = () => {} }) {
  const { env, folder } = await npmEnvironment();
  onCache(folder);
  const [command, ...before] = usePinned ? [process.execPath, pinned] : ['npm'];
  const { status, output } = await run(command, [...before, ...args, '--loglevel=warn'], { env });
  if (status !== 0) throw failureOf(doing, output, `npm ended with status ${status}`);
  if (/TAR_ENTRY_ERROR/.test(output)) throw failureOf(doing, output, 'npm could not write every file');
  const absent = missing();
  if (absent) throw failureOf(doing, output, `npm reported success, but ${absent}`);
}
