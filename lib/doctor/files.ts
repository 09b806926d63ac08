import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { cacheFolder, projectRoot } from '../data/project-root';
import { sourceFiles, type SourceFile } from '../data/sources';
import type { Finding } from './report';

const part = 'Files';
/** Enough for the features of 2000 images in both precisions, the reports and the builds. */
const ROOM_BYTES = 2e9;

/** Fetched data and weights, compared with their checksums, and the free disk space. */
export async function examineFiles(): Promise<Finding[]> {
  const uses = {
    photos: 'photographs',
    cifar10: 'CIFAR-10',
    weights: 'trained weights',
    language: 'language model and vocabularies',
    text: 'speeches',
  };
  const sets = await Promise.all(
    Object.entries(uses).map(async ([use, name]) => setFinding(name, await sourceFiles(use))),
  );
  return [...sets, await freeDisk()];
}

async function setFinding(name: string, files: readonly SourceFile[]): Promise<Finding> {
  const states = await Promise.all(files.map(stateOf));
  const bad = files.filter((_, index) => states[index] !== 'right');
  const size = `${Math.ceil(files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6)} MB`;
  if (bad.length === 0)
    return { part, name, ok: true, found: `${files.length} of ${files.length} files, ${size}, checksums match` };
  const first = `${bad[0].file} is ${states[files.indexOf(bad[0])]}`;
  return {
    part,
    name,
    ok: false,
    found: `${files.length - bad.length} of ${files.length} files; ${first}`,
    remedy: states.includes('damaged') ? 'npm run setup -- --fresh' : 'npm run setup',
  };
}

async function stateOf({ file, bytes, sha256 }: SourceFile): Promise<'right' | 'missing' | 'damaged'> {
  const path = cacheFolder(...file.split('/'));
  if (!existsSync(path)) return 'missing';
  if ((await stat(path)).size !== bytes) return 'damaged';
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex') === sha256 ? 'right' : 'damaged';
}

async function freeDisk(): Promise<Finding> {
  const folder = existsSync(cacheFolder()) ? cacheFolder() : projectRoot();
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  return {
    part,
    name: 'free disk',
    ok: free >= ROOM_BYTES,
    found: `${(free / 1e9).toFixed(1)} GB`,
    remedy: `free at least ${ROOM_BYTES / 1e9} GB, or put the cache on another disk with ATTENTION_CACHE`,
  };
}
