/** Names on the Hugging Face hub: the caches of this machine, and a hub of the test's own to download from. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, request as requestHttp, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { InputError } from 'attention-capacity/input-error';
import { hubCheckpoint, hubName, huggingFaceModel, isHubName, localCheckpoint } from 'attention-capacity/models';
import { GOLDEN } from '../golden';

const root = mkdtempSync(join(tmpdir(), 'hub-'));
const SHA = '0123456789abcdef0123456789abcdef01234567';
const CHECKPOINT = join(GOLDEN, 'checkpoint-gpt2-sharded');
const VARIABLES = [
  'HF_HOME',
  'HF_HUB_CACHE',
  'HUGGINGFACE_HUB_CACHE',
  'HF_HUB_OFFLINE',
  'HF_ENDPOINT',
  'HF_TOKEN',
  'HUGGING_FACE_HUB_TOKEN',
  'HF_TOKEN_PATH',
  'HF_HUB_DISABLE_IMPLICIT_TOKEN',
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
  'XDG_CACHE_HOME',
  'ATTENTION_CACHE',
];
const before = new Map(VARIABLES.map((name) => [name, process.env[name]]));

let folders = 0;
/** Nothing of this machine's own caches is seen. */
function fresh(settings: Record<string, string> = {}): string {
  const folder = join(root, String(folders++));
  for (const name of VARIABLES) delete process.env[name];
  Object.assign(process.env, {
    XDG_CACHE_HOME: join(folder, 'home'),
    ATTENTION_CACHE: join(folder, 'cache'),
    ...settings,
  });
  return folder;
}
afterEach(() =>
  before.forEach((value, name) => (value === undefined ? delete process.env[name] : (process.env[name] = value))),
);
after(() => rmSync(root, { recursive: true }));

/** A snapshot as huggingface_hub lays it out. */
function snapshot(cache: string, repository: string, { main = true } = {}): string {
  const folder = join(cache, repository, 'snapshots', SHA);
  cpSync(CHECKPOINT, folder, { recursive: true });
  if (main) {
    mkdirSync(join(cache, repository, 'refs'));
    writeFileSync(join(cache, repository, 'refs', 'main'), SHA);
  }
  return folder;
}

const refused =
  (...patterns: RegExp[]) =>
  (error: Error) =>
    error instanceof InputError &&
    !error.message.includes('\n') &&
    patterns.every((pattern) => pattern.test(error.message));

test('names on the hub are told from paths', () => {
  const names = ['gpt2-large', 'openai-community/gpt2-large', 'google/vit-base-patch16-224-in21k', 'a/b.c_d'];
  assert.deepEqual(names.filter(isHubName), names);
  assert.deepEqual(['./gpt2', '../x', 'a/b/c', '/tmp/x', 'no such', '', 'a/', '.hidden', 'a/..'].filter(isHubName), []);
});

test('checkpoints are found in the cache that is named, or in the usual ones', () => {
  const name = 'owner/model';
  let folder = fresh();
  assert.equal(localCheckpoint(name), null);
  const home = snapshot(join(folder, 'home', 'huggingface', 'hub'), 'models--owner--model');
  assert.equal(localCheckpoint(name), home);
  const own = snapshot(join(folder, 'cache', 'hub'), 'models--owner--model', { main: false });
  assert.equal(localCheckpoint(name), own);
  const byHand = join(folder, 'cache', 'models', 'owner', 'model');
  cpSync(CHECKPOINT, byHand, { recursive: true });
  assert.equal(localCheckpoint(name), byHand);
  assert.equal(localCheckpoint('model'), own, 'an old name without its owner');
  assert.equal(localCheckpoint('other'), null);

  folder = fresh({ HF_HOME: join(root, 'named') });
  const named = snapshot(join(root, 'named', 'hub'), 'models--owner--model');
  snapshot(join(folder, 'home', 'huggingface', 'hub'), 'models--owner--another');
  assert.equal(localCheckpoint(name), named);
  assert.equal(localCheckpoint('owner/another'), null, 'only the cache that is named counts');
  process.env.HF_HUB_CACHE = join(folder, 'home', 'huggingface', 'hub');
  assert.ok(localCheckpoint('owner/another'));
  assert.equal(localCheckpoint(name), null);
});

test('a snapshot without all its weights does not count', () => {
  const folder = fresh();
  const place = snapshot(join(folder, 'cache', 'hub'), 'models--owner--model');
  assert.equal(localCheckpoint('owner/model'), place);
  rmSync(join(place, 'model-00002-of-00004.safetensors'));
  assert.equal(localCheckpoint('owner/model'), null);
});

test('offline, or without a hub that answers, one sentence says which files to put where', async () => {
  const files = [/config\.json, model\.safetensors/, /preprocessor_config\.json/, /tokenizer\.json/];
  let folder = fresh({ HF_HUB_OFFLINE: '1' });
  const place = () => new RegExp(join(folder, 'cache', 'models', 'owner', 'model').replaceAll('.', '\\.'));
  await assert.rejects(hubCheckpoint('owner/model'), refused(/HF_HUB_OFFLINE forbids/, place(), ...files));
  folder = fresh({ HF_ENDPOINT: 'http://127.0.0.1:9' });
  await assert.rejects(hubCheckpoint('owner/model'), refused(/the hub cannot be reached \(.+\)/, place(), ...files));
  cpSync(CHECKPOINT, join(folder, 'cache', 'models', 'owner', 'model'), { recursive: true });
  assert.match(await hubCheckpoint('owner/model'), place());
});

/** A hub with one model; `ranges` gathers which bytes were asked for. `spoil` may change what is sent, or
 * cut it off behind 5000 bytes, as soon as `cut` says that they have come through. */
async function withHub(
  spoil: (path: string, bytes: Buffer) => { bytes: Buffer; cut?: () => boolean },
  use: (ranges: string[]) => Promise<void>,
): Promise<void> {
  const ranges: string[] = [];
  const files = readdirSync(CHECKPOINT).map((path) => ({ path, content: readFileSync(join(CHECKPOINT, path)) }));
  files.push({ path: 'pytorch_model.bin', content: Buffer.from('not wanted') });
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const gitHash = (bytes: Buffer) => createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  const server: Server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://hub');
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    };
    if (pathname.startsWith('/api/models/owner/model/revision/'))
      return send(200, { _id: 'x', id: 'owner/model', sha: SHA });
    if (pathname === `/api/models/owner/model/tree/${SHA}`) {
      return send(
        200,
        files.map(({ path, content }) => ({
          type: 'file',
          path,
          size: content.length,
          oid: gitHash(content),
          ...(path.endsWith('.safetensors') && {
            lfs: { oid: sha256(content), size: content.length, pointerSize: 130 },
          }),
        })),
      );
    }
    const path = pathname.replace(`/owner/model/resolve/${SHA}/`, '');
    const file = files.find((candidate) => candidate.path === path);
    if (!file) return send(404, { error: 'Repository not found' });
    const { bytes, cut } = spoil(path, file.content);
    const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '');
    const start = range ? Number(range[1]) : 0;
    const end = range?.[2] ? Number(range[2]) + 1 : bytes.length;
    const isProbe = start === 0 && end === 1;
    if (!isProbe) ranges.push(`${path} ${start}-${end}`);
    response.writeHead(range ? 206 : 200, {
      ETag: `"${gitHash(file.content)}"`,
      'Content-Length': end - start,
      ...(range && { 'Content-Range': `bytes ${start}-${end - 1}/${bytes.length}` }),
    });
    if (!cut || isProbe) return response.end(bytes.subarray(start, end));
    response.write(bytes.subarray(start, start + 5000));
    const timer = setInterval(() => {
      if (!cut()) return;
      clearInterval(timer);
      response.destroy();
    }, 10);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  process.env.HF_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    await use(ranges);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

const whole = (_: string, bytes: Buffer) => ({ bytes });

test('a download: only what is wanted, verified, in the layout of the hub cache, into the project', async () => {
  const folder = fresh();
  await withHub(whole, async (ranges) => {
    const place = await hubCheckpoint('owner/model');
    const repository = join(folder, 'cache', 'hub', 'models--owner--model');
    assert.equal(place, join(repository, 'snapshots', SHA));
    assert.equal(readFileSync(join(repository, 'refs', 'main'), 'utf8'), SHA);
    for (const name of readdirSync(CHECKPOINT).filter((file) => file !== 'generation_config.json')) {
      assert.deepEqual(readFileSync(join(place, name)), readFileSync(join(CHECKPOINT, name)), name);
      assert.match(realpathSync(join(place, name)), /\/blobs\/[0-9a-f]{40,64}$/);
    }
    assert.ok(!existsSync(join(place, 'pytorch_model.bin')));
    assert.ok(!existsSync(join(folder, 'home')));
    assert.equal(huggingFaceModel(place, 'model').config.depth, 2);
    const asked = ranges.length;
    assert.equal(await hubCheckpoint('owner/model'), place);
    assert.equal(ranges.length, asked, 'nothing is asked for twice');
  });
  assert.ok(localCheckpoint('owner/model'), 'found without the hub');
  fresh({ HF_HUB_CACHE: join(folder, 'elsewhere') });
  await withHub(whole, async () => {
    assert.match(await hubCheckpoint('owner/model'), /elsewhere\/models--owner--model\/snapshots/);
  });
});

/** Bytes of the file that is being downloaded. */
function partialBytes(folder: string): number {
  const blobs = join(folder, 'cache', 'hub', 'models--owner--model', 'blobs');
  const partial = existsSync(blobs) && readdirSync(blobs).find((name) => name.endsWith('.incomplete'));
  return partial ? statSync(join(blobs, partial)).size : 0;
}

test('a download that was cut off goes on where it stopped; a damaged one is thrown away', async () => {
  const folder = fresh();
  const shard = 'model-00001-of-00004.safetensors';
  await withHub(
    (path, bytes) => (path === shard ? { bytes, cut: () => partialBytes(folder) >= 5000 } : { bytes }),
    () => assert.rejects(hubCheckpoint('owner/model'), refused(/the hub cannot be reached/)),
  );
  assert.equal(localCheckpoint('owner/model'), null);
  await withHub(whole, async (ranges) => {
    await hubCheckpoint('owner/model');
    const size = readFileSync(join(CHECKPOINT, shard)).length;
    assert.deepEqual(
      ranges.filter((range) => range.startsWith(shard)),
      [`${shard} 5000-${size}`],
    );
  });
  rmSync(join(folder, 'cache'), { recursive: true });
  const damage = (path: string, bytes: Buffer) => {
    if (path !== shard) return { bytes };
    const changed = Buffer.from(bytes);
    changed[9000] ^= 1;
    return { bytes: changed };
  };
  await withHub(damage, () => assert.rejects(hubCheckpoint('owner/model'), /came out damaged .* start it again/));
  assert.equal(localCheckpoint('owner/model'), null);
  const blobs = join(folder, 'cache', 'hub', 'models--owner--model', 'blobs');
  assert.deepEqual(
    readdirSync(blobs).filter((name) => name.endsWith('.incomplete')),
    [],
  );
});

test('a model that the hub does not have is an InputError', async () => {
  fresh();
  await withHub(whole, () => assert.rejects(hubCheckpoint('owner/none'), refused(/the hub has no model owner\/none/)));
});

test('names with a revision, and addresses on the hub', () => {
  const cases: Record<string, [string, string]> = {
    'owner/name': ['owner/name', 'main'],
    'gpt2@v1.0': ['gpt2', 'v1.0'],
    'owner/name@refs/pr/3': ['owner/name', 'refs/pr/3'],
    'https://huggingface.co/owner/name': ['owner/name', 'main'],
    'https://huggingface.co/owner/name/': ['owner/name', 'main'],
    'https://huggingface.co/owner/name/tree/v1.0': ['owner/name', 'v1.0'],
    'https://huggingface.co/owner/name/blob/main/config.json?x=1': ['owner/name', 'main'],
    'https://hf.co/owner/name/tree/refs%2Fpr%2F3': ['owner/name', 'refs/pr/3'],
    'https://huggingface.co/gpt2': ['gpt2', 'main'],
    'hf://owner/name': ['owner/name', 'main'],
  };
  for (const [text, [name, revision]] of Object.entries(cases))
    assert.deepEqual(hubName(text), { name, revision }, text);
  const others = ['owner/name@', 'owner/name@../x', 'https://huggingface.co/', 'https://example.org/owner/name'];
  const paths = ['https://huggingface.co/owner/name/tree/..%2F..%2Fx', 'https://huggingface.co/owner/name/x'];
  assert.deepEqual([...others, ...paths].filter(isHubName), []);
});

test('a revision is kept under its own name, and found by it or by its commit', async () => {
  const folder = fresh();
  await withHub(whole, async () => {
    const place = await hubCheckpoint('owner/model@v1.0');
    const refs = join(folder, 'cache', 'hub', 'models--owner--model', 'refs');
    assert.deepEqual(readdirSync(refs), ['v1.0']);
    assert.equal(localCheckpoint('owner/model@v1.0'), place);
    assert.equal(localCheckpoint(`owner/model@${SHA}`), place);
    assert.equal(localCheckpoint(`owner/model@${SHA.slice(0, 8)}`), place);
    assert.equal(localCheckpoint('owner/model@v2.0'), null);
  });
});

/** A hub that answers everything alike, `status`; what it was asked with. */
async function withAnswer(status: number, use: (asked: IncomingMessage[]) => Promise<void>, files?: object[]) {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    const isTree = request.url!.includes('/tree/');
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(status === 200 ? (isTree ? files : { _id: 'x', id: 'owner/model', sha: SHA }) : {}));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  process.env.HF_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await use(asked);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

test('what the hub answers is told as what it is, with what to do', async () => {
  const cases: [number, Record<string, string>, RegExp][] = [
    [401, {}, /no model owner\/model that is open to everybody; .* set HF_TOKEN, or log in .* \(.* status 401\)/],
    [401, { HF_TOKEN: 'hf_abc' }, /the token of HF_TOKEN or of `hf auth login` does not open it/],
    [403, {}, /owner\/model is gated: accept its conditions .* status 403/],
    [404, {}, /the hub has no model owner\/model; is the name right\?/],
    [429, {}, /too many requests from here; wait some minutes, or set HF_TOKEN/],
    [429, { HF_TOKEN: 'hf_abc' }, /wait some minutes \(/],
    [500, {}, /the hub cannot be reached \(it answers with status 500\)/],
  ];
  for (const [status, settings, message] of cases) {
    fresh(settings);
    await withAnswer(status, () => assert.rejects(hubCheckpoint('owner/model'), refused(message)));
  }
  fresh();
  await withAnswer(404, () =>
    assert.rejects(hubCheckpoint('owner/model@v9'), refused(/no model owner\/model with a revision v9;/)),
  );
});

test('the token is that of HF_TOKEN, or of the file that a login writes', async () => {
  const folder = fresh();
  const home = join(folder, 'home', 'huggingface');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'token'), 'hf_of_the_file\n');
  const sent = async () => {
    let authorization: string | undefined;
    await withAnswer(404, async (asked) => {
      await assert.rejects(hubCheckpoint('owner/model'));
      ({ authorization } = asked[0].headers);
    });
    return authorization;
  };
  assert.equal(await sent(), 'Bearer hf_of_the_file');
  process.env.HF_TOKEN = 'another-kind';
  assert.equal(await sent(), 'Bearer another-kind');
  process.env.HF_HUB_DISABLE_IMPLICIT_TOKEN = '1';
  assert.equal(await sent(), undefined);
});

test('weights that are pickled only, and links to files that are gone, are told as that', async () => {
  const files = ['config.json', 'pytorch_model.bin'].map((path) => ({ type: 'file', path, size: 3, oid: 'a1' }));
  fresh();
  const pickled = /has its weights as pytorch_model\.bin and not as model\.safetensors, which alone is read; in Python/;
  await withAnswer(200, () => assert.rejects(hubCheckpoint('owner/model'), refused(pickled)), files);
  const folder = fresh({ HF_HUB_OFFLINE: '1' });
  const place = snapshot(join(folder, 'cache', 'hub'), 'models--owner--model');
  for (const file of readdirSync(place).filter((name) => name.includes('safetensors'))) rmSync(join(place, file));
  writeFileSync(join(place, 'pytorch_model.bin'), 'x');
  await assert.rejects(hubCheckpoint('owner/model'), refused(pickled));
  symlinkSync(join('..', '..', 'blobs', 'gone'), join(place, 'model.safetensors'));
  await assert.rejects(
    hubCheckpoint('owner/model'),
    refused(/model\.safetensors is a link to a file that is not there/),
  );
});

test('a proxy of the environment is used, except for hosts of NO_PROXY', async () => {
  const folder = fresh();
  const through: string[] = [];
  const proxy = createServer((request, response) => {
    through.push(`${request.method} ${request.headers['proxy-authorization']}`);
    const onward = requestHttp(request.url!, { headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.end();
  });
  proxy.on('connect', (request, socket) => {
    through.push(`CONNECT ${request.url}`);
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  const port = (proxy.address() as AddressInfo).port;
  try {
    process.env.HTTP_PROXY = `http://user:secret@127.0.0.1:${port}`;
    await withHub(whole, async () => {
      const place = await hubCheckpoint('owner/model');
      for (const name of ['config.json', 'model-00001-of-00004.safetensors']) {
        assert.deepEqual(readFileSync(join(place, name)), readFileSync(join(CHECKPOINT, name)));
      }
    });
    assert.ok(through.length > 5);
    const credentials = Buffer.from('user:secret').toString('base64');
    assert.ok(through.every((line) => line === `GET Basic ${credentials}`));
    rmSync(join(folder, 'cache'), { recursive: true });
    through.length = 0;
    process.env.NO_PROXY = 'example.org, 127.0.0.1';
    await withHub(whole, async () => assert.ok(await hubCheckpoint('owner/model')));
    assert.deepEqual(through, []);
    rmSync(join(folder, 'cache'), { recursive: true });
    process.env.https_proxy = `127.0.0.1:${port}`;
    process.env.HF_ENDPOINT = 'https://hub.example.com';
    await assert.rejects(
      hubCheckpoint('owner/model'),
      refused(new RegExp(`the proxy 127\\.0\\.0\\.1:${port} answers with status 407`)),
    );
    assert.deepEqual(through, ['CONNECT hub.example.com:443']);
  } finally {
    proxy.closeAllConnections();
    await new Promise((done) => proxy.close(done));
  }
});
