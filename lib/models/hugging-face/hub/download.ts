/** Downloads a checkpoint from the Hugging Face hub into a hub cache: resumable, each file verified before it gets its name. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, statSync } from 'node:fs';
import { lstat, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { InputError } from '../../../input-error';
import { begin, Interrupted } from '../../../work';
import { isComplete, onlyPickled, repositoryFolder } from './places';
import { fetchThroughProxy, proxyFor } from './proxy';
import { accessToken } from './token';

/** Besides the weights, what a model's folder may need. */
const WANTED = [
  'config.json',
  'preprocessor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'model.safetensors.index.json',
];

interface HubFile {
  readonly path: string;
  readonly size: number;
  /** What the cache names its content by: the sha256 of a large file, git's own hash of a small one. */
  readonly etag: string;
  readonly isSha256: boolean;
}

/**
 * Downloads what a revision of `name` holds of configuration, weights (safetensors) and tokenizer. A download that was cut
 * off resumes. Returns the folder.
 *
 * @throws Unreachable when the hub does not answer; InputError when it has no such model, or not with safetensors.
 */
export async function downloadCheckpoint(name: string, revision: string, cache: string): Promise<string> {
  const hub = await import('@huggingface/hub');
  const hubUrl = process.env.HF_ENDPOINT?.replace(/\/+$/, '') || hub.HUB_URL;
  const token = accessToken();
  const asked = { hubUrl, fetch: fetchWith(token, hubUrl) };
  const repo = { type: 'model', name } as const;
  try {
    const { sha } = await hub.modelInfo({ name, revision, additionalFields: ['sha'], ...asked });
    const files: HubFile[] = [];
    for await (const { type, path, size, lfs, oid } of hub.listFiles({ repo, revision: sha, ...asked })) {
      const etag = lfs?.oid ?? oid;
      if (type === 'file' && etag !== undefined) files.push({ path, size, etag, isSha256: lfs !== undefined });
    }
    const wanted = files.filter(({ path }) => WANTED.includes(path) || isWeights(path, files));
    if (!wanted.some(({ path }) => path.endsWith('.safetensors'))) {
      const pickled = files.find(({ path }) => /^[^/]*\.(bin|pt|pth|h5|msgpack|ckpt)$/.test(path));
      throw new InputError(
        pickled
          ? onlyPickled(`${name}, on the hub,`, pickled.path)
          : `${name}: expected weights as model.safetensors on the hub, found none`,
      );
    }
    const repository = repositoryFolder(cache, name);
    const folder = join(repository, 'snapshots', sha);
    const work = begin(
      `download of ${name}`,
      wanted.reduce((sum, { size }) => sum + size, 0),
    );
    let done = 0;
    try {
      for (const file of wanted) {
        const blob = join(repository, 'blobs', file.etag);
        if (!existsSync(blob)) {
          const content = await hub.downloadFile({ repo, path: file.path, revision: sha, xet: false, ...asked });
          if (content === null) throw new Error(`the hub lists ${file.path} of ${name}, but does not give it`);
          await fetchBlob(file, content, blob, (bytes) => work.advance(done + bytes));
        }
        done += file.size;
        await work.advance(done);
        await link(blob, join(folder, file.path));
      }
    } finally {
      work.end();
    }
    if (!isComplete(folder)) throw new InputError(`${name} lacks some of its weights on the hub`);
    // Last, for its presence says that the snapshot is whole.
    if (revision !== sha) {
      const reference = join(repository, 'refs', revision);
      mkdirSync(dirname(reference), { recursive: true });
      await writeFile(reference, sha);
    }
    return folder;
  } catch (error) {
    if (error instanceof InputError || error instanceof Interrupted) throw error;
    if (error instanceof hub.HubApiError) {
      const { statusCode } = error;
      const why = refusals(name, revision, token !== null)[statusCode];
      if (why === undefined) throw new Unreachable(`it answers with status ${statusCode}`);
      throw new InputError(`${why} (the hub answers with status ${statusCode})`);
    }
    if (isNetworkTrouble(error)) throw new Unreachable(reasonOf(error));
    throw error;
  }
}

/** What the hub's answers mean, and what to do. */
function refusals(name: string, revision: string, withToken: boolean): Readonly<Record<number, string>> {
  const token = withToken
    ? 'the token of HF_TOKEN or of `hf auth login` does not open it'
    : 'set HF_TOKEN, or log in with `hf auth login`';
  const what = revision === 'main' ? `model ${name}` : `model ${name} with a revision ${revision}`;
  return {
    401: `the hub has no ${what} that is open to everybody; is the name right? If it is private or gated, ${token}`,
    403: `${name} is gated: accept its conditions on its page on the hub, with the account of your token; ${token}`,
    404: `the hub has no ${what}; is the name right? If it is private, ${token}`,
    429: `the hub has had too many requests from here; wait some minutes${withToken ? '' : ', or set HF_TOKEN, which raises the limit'}`,
  };
}

/** The hub, or the network, did not answer. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** model.safetensors, or, where there is none, its shards. */
function isWeights(path: string, files: readonly HubFile[]): boolean {
  if (files.some((file) => file.path === 'model.safetensors')) return path === 'model.safetensors';
  return /^model-\d+-of-\d+\.safetensors$/.test(path);
}

async function fetchBlob(
  { path, size, etag, isSha256 }: HubFile,
  content: Blob,
  blob: string,
  advance: (bytes: number) => Promise<void>,
): Promise<void> {
  mkdirSync(dirname(blob), { recursive: true });
  const partial = `${blob}.incomplete`;
  let have = existsSync(partial) ? statSync(partial).size : 0;
  if (have > size) {
    await rm(partial);
    have = 0;
  }
  if (have < size || size === 0) {
    const rest = have === 0 ? content : content.slice(have, size);
    const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
      let bytes = have;
      for await (const chunk of chunks) {
        yield chunk;
        bytes += chunk.length;
        await advance(Math.min(bytes, size));
      }
    };
    const stream = Readable.fromWeb(rest.stream() as ReadableStream<Uint8Array>);
    await pipeline(stream, counted, createWriteStream(partial, { flags: have === 0 ? 'w' : 'a' }));
  }
  const found = await hashOf(partial, isSha256 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`));
  if (found !== etag) {
    await rm(partial);
    throw new Error(
      `the download of ${path} came out damaged (${found.slice(0, 12)}… instead of ${etag.slice(0, 12)}…); start it again`,
    );
  }
  await rename(partial, blob);
}

async function hashOf(path: string, hash: Hash): Promise<string> {
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 22 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** A relative link, as huggingface_hub makes them, or, where a file system has no links, a copy. */
async function link(blob: string, place: string): Promise<void> {
  mkdirSync(dirname(place), { recursive: true });
  if (
    await lstat(place).then(
      () => true,
      () => false,
    )
  )
    return;
  try {
    await symlink(relative(dirname(place), blob), place);
  } catch {
    await writeFile(place, await readFile(blob));
  }
}

/** How long the hub may take to begin its answer. */
const PATIENCE_MS = 20_000;

/**
 * fetch through the user's proxy that gives up when no answer begins; a long body is waited for. The token goes to the hub alone,
 * not to where it keeps large files.
 */
function fetchWith(token: string | null, hubUrl: string): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers);
    if (token !== null && url.origin === new URL(hubUrl).origin) headers.set('Authorization', `Bearer ${token}`);
    const tooLong = new AbortController();
    const timer = setTimeout(() => tooLong.abort(new Error(`no answer in ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
    try {
      const asked = { ...init, headers, signal: tooLong.signal };
      return await (proxyFor(url) ? fetchThroughProxy(url, asked) : fetch(url, asked));
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Whether an error speaks of the network, and not of a file here. */
function isNetworkTrouble(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && /^(EACCES|ENOSPC|EPERM|EROFS|EDQUOT|ENOTDIR)$/.test(code)) return false;
  return (
    /fetch failed|no answer|proxy|terminated|aborted|premature|socket/i.test(message) ||
    /^(E[A-Z]+|UND_\w+)$/.test(code ?? '')
  );
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message ? `${message}: ${cause.message}` : message;
}
