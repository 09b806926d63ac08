import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { runModule, scriptUrl, temporaryFolder, type Ended } from './scripts';

/** A wheel that holds `member`: a zip file with one stored entry and the metadata that pip looks for. */
function wheel(entries: Record<string, string>): Buffer {
  const all = Object.entries({
    ...entries,
    'tiny-1.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n',
    'tiny-1.0.dist-info/WHEEL': 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  });
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of all) {
    const data = Buffer.from(text);
    const common = Buffer.alloc(26); // version to extra length, the same in both kinds of header
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    files.push(Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), data);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, rest, Buffer.from(name));
    offset += 30 + name.length + data.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(all.length, 8);
  end.writeUInt16LE(all.length, 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, index, end]);
}

function crc32(data: Buffer): number {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** An npm package: a gzipped tar file. */
function tarball(entries: Record<string, string>): Buffer {
  const blocks: Buffer[] = [];
  for (const [name, text] of Object.entries(entries)) {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\0' + '0000000\0'.repeat(2), 100);
    header.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write(' '.repeat(8) + '0', 148);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    blocks.push(
      header,
      Buffer.alloc(Math.ceil(text.length / 512) * 512, text.padEnd(Math.ceil(text.length / 512) * 512, '\0')),
    );
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

const hash = (data: Buffer | string, algorithm = 'sha256') => createHash(algorithm).update(data).digest('hex');

const PHOTO = 'not really a photograph';
const WHEEL = wheel({ 'tiny/photo.txt': PHOTO, 'tiny/other.txt': 'left where it is' });
const TARBALL = tarball({ 'package/package.json': '{"name":"tiny","version":"1.0.0"}', 'package/photo.txt': PHOTO });

/** An entry as data/sources.json has them. */
const fromPyPI = {
  name: 'tiny',
  use: 'photos',
  registry: 'pypi',
  package: 'tiny',
  version: '1.0',
  archive: 'tiny-1.0-py3-none-any.whl',
  bytes: WHEEL.length,
  sha256: hash(WHEEL),
  files: [{ member: 'tiny/photo.txt', file: 'photos/photo.txt', bytes: PHOTO.length, sha256: hash(PHOTO) }],
};
const fromNpm = {
  ...fromPyPI,
  registry: 'npm',
  version: '1.0.0',
  archive: 'tiny-1.0.0.tgz',
  bytes: TARBALL.length,
  sha256: hash(TARBALL),
  files: [{ ...fromPyPI.files[0], member: 'package/photo.txt' }],
};

interface Registry {
  readonly env: NodeJS.ProcessEnv;
  /** How often an archive was asked for. */
  readonly requests: () => number;
}

/** Both registries on this machine; `archive` is what they send, cut to `sent` bytes when that is given. */
async function registry(
  t: TestContext,
  archive: { wheel?: Buffer; tarball?: Buffer; sent?: number },
): Promise<Registry> {
  let requests = 0;
  const { wheel = WHEEL, tarball = TARBALL, sent } = archive;
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    const json = (body: unknown) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    const send = (data: Buffer) => {
      requests++;
      response.setHeader('content-length', data.length);
      if (sent === undefined) return response.end(data);
      response.write(data.subarray(0, sent), () => response.destroy());
    };
    if (request.url === '/simple/tiny/') {
      response
        .setHeader('content-type', 'text/html')
        .end(`<!doctype html><a href="/files/${fromPyPI.archive}">${fromPyPI.archive}</a>`);
    } else if (request.url === '/tiny') {
      const dist = { tarball: `http://127.0.0.1:${port}/tiny.tgz`, shasum: hash(tarball, 'sha1') };
      json({
        name: 'tiny',
        'dist-tags': { latest: '1.0.0' },
        versions: { '1.0.0': { name: 'tiny', version: '1.0.0', dist } },
      });
    } else if (request.url?.startsWith('/files/')) send(wheel);
    else if (request.url === '/tiny.tgz') send(tarball);
    else response.writeHead(404).end();
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { env: environment(t, `http://127.0.0.1:${port}`), requests: () => requests };
}

/** Settings that lead pip and npm to `url` and nowhere else. */
function environment(t: TestContext, url: string): NodeJS.ProcessEnv {
  return {
    PIP_CONFIG_FILE: '/dev/null',
    PIP_INDEX_URL: `${url}/simple`,
    PIP_EXTRA_INDEX_URL: '',
    PIP_FIND_LINKS: '',
    PIP_NO_CACHE_DIR: '1',
    PIP_RETRIES: '1',
    PIP_RESUME_RETRIES: '0',
    PIP_DEFAULT_TIMEOUT: '5',
    npm_config_registry: url,
    npm_config_cache: temporaryFolder(t),
    npm_config_fetch_retries: '0',
    ATTENTION_RETRIES: '0',
    NO_PROXY: '127.0.0.1',
    no_proxy: '127.0.0.1',
  };
}

function fetchIt(source: object, cache: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  const program = `const { fetchSource } = await import('${scriptUrl('setup/sources.mjs')}'); await fetchSource(${JSON.stringify(source)});`;
  return runModule(program, cache, env);
}

/** The names of all files below a folder; temporary ones of other programs do not count. */
function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(join(folder, 'tmp')))
    .map((entry) => entry.name)
    .sort();
}

function assertRefused({ status, stderr }: Ended, sentence: RegExp, cache: string): void {
  assert.equal(status, 2, stderr);
  const lines = stderr.trim().split('\n');
  assert.equal(lines.length, 1, stderr);
  assert.match(lines[0], sentence);
  assert.deepEqual(
    filesBelow(cache).filter((name) => name !== 'verified.json'),
    [],
    'nothing is left that could be taken for whole',
  );
}

for (const [name, source, broken] of [
  ['PyPI', fromPyPI, { wheel: wheel({ 'tiny/photo.txt': 'another photograph' }) }],
  ['npm', fromNpm, { tarball: tarball({ 'package/package.json': '{"name":"tiny","version":"1.0.0"}' }) }],
] as const) {
  describe(`a download from ${name}`, () => {
    test('brings the named files, checked, and nothing else', async (t) => {
      const cache = temporaryFolder(t);
      const { status, stderr } = await fetchIt(source, cache, (await registry(t, {})).env);
      assert.equal(status, 0, stderr);
      assert.equal(readFileSync(join(cache, 'photos', 'photo.txt'), 'utf8'), PHOTO);
      assert.deepEqual(filesBelow(cache), ['photo.txt', 'verified.json']);
      assert.match(stderr, /^tiny 1\.0(\.0)?: 1 MB in \d+ s\n$/);
    });

    test('with other content than pinned is refused', async (t) => {
      const cache = temporaryFolder(t);
      assertRefused(
        await fetchIt(source, cache, (await registry(t, broken)).env),
        /^fetching tiny 1\.0(\.0)? failed: .*(does not have the pinned checksum|expected \S+ with \d+ bytes and sha256)/,
        cache,
      );
    });

    test('that breaks off is refused', async (t) => {
      const cache = temporaryFolder(t);
      assertRefused(
        await fetchIt(source, cache, (await registry(t, { sent: 100 })).env),
        /^fetching tiny 1\.0(\.0)? failed: the package registry could not be reached, or the connection broke; /,
        cache,
      );
    });

    test('without a network is refused', async (t) => {
      const cache = temporaryFolder(t);
      assertRefused(
        await fetchIt(source, cache, environment(t, 'http://127.0.0.1:9')),
        /^fetching tiny 1\.0(\.0)? failed: the package registry could not be reached, .*run the same command again$/,
        cache,
      );
    });

    test('an archive that lies in the cache whole is not fetched; a damaged one is', async (t) => {
      const cache = temporaryFolder(t);
      const { env, requests } = await registry(t, {});
      const whole = source === fromPyPI ? WHEEL : TARBALL;
      mkdirSync(join(cache, 'downloads'));
      writeFileSync(join(cache, 'downloads', source.archive), whole);
      assert.equal((await fetchIt(source, cache, env)).status, 0);
      assert.equal(requests(), 0);
      writeFileSync(join(cache, 'downloads', source.archive), whole.subarray(0, -1));
      const { status, stderr } = await fetchIt(source, cache, env);
      assert.equal(status, 0, stderr);
      assert.match(stderr, /tiny-1\.0.* in the cache is damaged: fetching it again/);
      assert.equal(requests(), 1);
    });
  });
}

describe('the files of an archive', () => {
  test('are refused together when one of them is not what its pin says', async (t) => {
    const cache = temporaryFolder(t);
    const second = { member: 'tiny/other.txt', file: 'photos/other.txt', bytes: 16, sha256: hash('something else.') };
    const ended = await fetchIt(
      { ...fromPyPI, files: [...fromPyPI.files, second] },
      cache,
      (await registry(t, {})).env,
    );
    assert.equal(ended.status, 2, ended.stderr);
    assert.match(
      ended.stderr,
      /unpacking tiny-1\.0-py3-none-any\.whl failed: expected tiny\/other\.txt with 16 bytes and sha256 [0-9a-f]{64}, got another file; it was discarded/,
    );
    assert.deepEqual(filesBelow(join(cache, 'photos')), []);
  });

  test('are seen to be damaged afterwards, whatever the damage', async (t) => {
    const cache = temporaryFolder(t);
    mkdirSync(join(cache, 'photos'));
    const file = join(cache, 'photos', 'photo.txt');
    const look = async () => {
      const program = `const { isVerified } = await import('${scriptUrl('setup/verified.mjs')}'); console.log(await isVerified(${JSON.stringify(fromPyPI.files[0])}));`;
      const { stdout, stderr } = await runModule(program, cache);
      assert.equal(stderr, '');
      return stdout.trim();
    };
    assert.equal(await look(), 'false', 'missing');
    writeFileSync(file, PHOTO);
    assert.equal(await look(), 'true');
    writeFileSync(file, PHOTO.slice(1));
    assert.equal(await look(), 'false', 'cut');
    writeFileSync(file, PHOTO.replace('photograph', 'photOgraph'));
    assert.equal(await look(), 'false', 'same size, other content');
    writeFileSync(file, PHOTO);
    assert.equal(await look(), 'true', 'mended');
  });
});
