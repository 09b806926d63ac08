/** Where checkpoints of the Hugging Face hub lie on this machine. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../../data';

/** A model's name on the hub: `owner/name`, or, as some old ones have it, `name` alone; then `@` and a branch, a tag or a commit. */
const HUB_NAME = /^((?:[\w-][\w.-]*\/)?[\w-][\w.-]*)(?:@([\w-][\w.-]*(?:\/[\w-][\w.-]*)*))?$/;
/** Its page, or one of its files or folders; `hf://` too. */
const HUB_ADDRESS =
  /^(?:https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co)\/|hf:\/\/(?:models\/)?)([\w-][\w.-]*(?:\/[\w-][\w.-]*)?)(?:\/(?:tree|blob|resolve|raw|commit)\/([^/?#]+)[^?#]*)?\/?(?:[?#].*)?$/;

export interface HubName {
  readonly name: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

/** The model that `owner/name`, `owner/name@revision` or an address on the hub names; null for other text. */
export function hubName(text: string): HubName | null {
  const [, name, revision = 'main'] = HUB_NAME.exec(text) ?? HUB_ADDRESS.exec(text) ?? [];
  const decoded = revision.replaceAll(/%2f/gi, '/');
  return name === undefined || !HUB_NAME.test(`a@${decoded}`) ? null : { name, revision: decoded };
}

export function isHubName(text: string): boolean {
  return hubName(text) !== null;
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
 * The folder of a model that is on this machine: a plain one, or the snapshot that `refs/main` (or another revision) names in a hub
 * cache. An old name without an owner finds the model under any owner. Null when there is none with all its weights.
 */
export function localCheckpoint(text: string): string | null {
  return candidates(text).find(isComplete) ?? null;
}

/** What is amiss with a snapshot that is here and does not serve, as an end of a sentence; null where there is none. */
export function troubleOfLocal(text: string): string | null {
  for (const folder of candidates(text).filter((each) => existsSync(each))) {
    const files = readdirSync(folder);
    const broken = files.find((file) => !existsSync(join(folder, file)));
    if (broken !== undefined) return `${join(folder, broken)} is a link to a file that is not there; download it again`;
    const pickled = files.find((file) => /\.(bin|pt|pth|h5|msgpack|ckpt)$/.test(file));
    if (files.includes('config.json') && pickled !== undefined) return onlyPickled(folder, pickled);
  }
  return null;
}

/** Weights that only Python reads. */
export function onlyPickled(place: string, file: string): string {
  return (
    `${place} has its weights as ${file} and not as model.safetensors, which alone is read; in Python, ` +
    `AutoModel.from_pretrained(…).save_pretrained(folder) writes it`
  );
}

/** Where it would lie; a plain folder is of no revision. */
function candidates(text: string): string[] {
  const { name, revision } = hubName(text) ?? { name: text, revision: 'main' };
  const folders = revision === 'main' ? [folderByHand(name)] : [];
  for (const cache of caches()) {
    for (const repository of repositories(cache, name)) folders.push(...snapshots(repository, revision));
  }
  return folders;
}

function repositories(cache: string, name: string): string[] {
  const exact = repositoryFolder(cache, name);
  if (name.includes('/') || existsSync(exact)) return [exact];
  const ending = `--${name}`;
  return list(cache)
    .filter((folder) => folder.startsWith('models--') && folder.endsWith(ending))
    .map((folder) => join(cache, folder));
}

/** The snapshot of a revision: by its reference, or a commit itself; where no `refs/main` says which that is, all of them. */
function snapshots(repository: string, revision: string): string[] {
  const reference = join(repository, 'refs', revision);
  const present = () => list(join(repository, 'snapshots')).sort();
  const commits = existsSync(reference)
    ? [readFileSync(reference, 'utf8').trim()]
    : present().filter((commit) => revision === 'main' || (revision.length >= 7 && commit.startsWith(revision)));
  return commits.map((commit) => join(repository, 'snapshots', commit));
}

const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
