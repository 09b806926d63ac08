/** Where checkpoints of the Hugging Face hub lie on this machine. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../../data';

/** A model's name on the hub: `owner/name`, or, as some old ones have it, `name` alone. */
const HUB_NAME = /^(?:[\w-][\w.-]*\/)?[\w-][\w.-]*$/;

export function isHubName(text: string): boolean {
  return HUB_NAME.test(text);
}

/** The hub cache that the user has named: HF_HUB_CACHE, or `hub` in HF_HOME. */
function namedCache(): string | null {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME } = process.env;
  return HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || (HF_HOME ? join(HF_HOME, 'hub') : null);
}

/** Where downloads go: the cache that the user has named, or one in the project; nowhere else unless asked to. */
export function downloadCache(): string {
  return namedCache() ?? cacheFolder('hub');
}

/** The caches that are looked into. Without one that the user has named, the usual one in the home folder counts too. */
function caches(): string[] {
  const named = namedCache();
  if (named !== null) return [named];
  const home = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return [cacheFolder('hub'), join(home, 'huggingface', 'hub')];
}

/** A plain folder for a model that was brought by hand. */
export function folderByHand(name: string): string {
  return cacheFolder('models', ...name.split('/'));
}

/** The folder of one model in a hub cache, as huggingface_hub names it. */
export function repositoryFolder(cache: string, name: string): string {
  return join(cache, `models--${name.replaceAll('/', '--')}`);
}

/** Whether a folder has a configuration and weights. */
export function isComplete(folder: string): boolean {
  if (!existsSync(join(folder, 'config.json'))) return false;
  if (existsSync(join(folder, 'model.safetensors'))) return true;
  const index = join(folder, 'model.safetensors.index.json');
  if (!existsSync(index)) return false;
  try {
    const { weight_map: map } = JSON.parse(readFileSync(index, 'utf8')) as { weight_map: Record<string, string> };
    return Object.values(map).every((shard) => existsSync(join(folder, shard)));
  } catch {
    return true; // a broken index is told where it is read
  }
}

/**
 * The folder of a model that is on this machine: a plain one, or the snapshot that `refs/main` names in a hub cache. An old
 * name without an owner finds the model under any owner. Null when there is none with all its weights.
 */
export function localCheckpoint(name: string): string | null {
  const folders = [folderByHand(name)];
  for (const cache of caches()) {
    for (const repository of repositories(cache, name)) folders.push(...snapshots(repository));
  }
  return folders.find(isComplete) ?? null;
}

function repositories(cache: string, name: string): string[] {
  const exact = repositoryFolder(cache, name);
  if (name.includes('/') || existsSync(exact)) return [exact];
  const ending = `--${name}`;
  return list(cache)
    .filter((folder) => folder.startsWith('models--') && folder.endsWith(ending))
    .map((folder) => join(cache, folder));
}

/** The snapshot of `main`; where no `refs/main` says which it is, all of them. */
function snapshots(repository: string): string[] {
  const reference = join(repository, 'refs', 'main');
  const commits = existsSync(reference)
    ? [readFileSync(reference, 'utf8').trim()]
    : list(join(repository, 'snapshots')).sort();
  return commits.map((commit) => join(repository, 'snapshots', commit));
}

const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
