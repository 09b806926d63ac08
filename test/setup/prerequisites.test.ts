import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { freshCheckout } from './fresh-checkout';
import { root, runNode, scriptUrl, temporaryFolder } from './scripts';

interface Prerequisites {
  nodeProblem(version: string): string | undefined;
  platformProblem(here: { platform: string; arch: string; glibc?: string; avx?: boolean }): string | undefined;
  findPython(candidates: string[], named?: string): Promise<{ interpreter?: string; problem?: string }>;
  findCompiler(candidates: string[], named?: string): Promise<{ compiler?: string; problem?: string }>;
  writableProblem(folders: string[]): string | undefined;
  spaceProblem(needed: number, folder: string, free: number): string | undefined;
}

const load = async () => (await import(scriptUrl('setup/prerequisites.mjs'))) as Prerequisites;

/** A program that says what it is told to say. */
function fakeProgram(folder: string, name: string, lines: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${lines}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('prerequisites', () => {
  test('Node 20.19, 22.13, 24 and 26 are accepted, what is older, odd or newer is not', async () => {
    const { nodeProblem } = await load();
    for (const version of ['20.19.0', '20.20.2', '22.13.0', '22.23.3', '24.0.0', '24.21.0', '26.0.0', '26.12.1']) {
      assert.equal(nodeProblem(version), undefined, version);
    }
    for (const version of ['18.20.0', '20.18.3', '21.7.3', '22.12.0', '23.1.0', '25.0.0', '27.0.0']) {
      assert.match(
        nodeProblem(version) ?? '',
        new RegExp(`is needed; this is ${version.replaceAll('.', '\\.')}\\. Install`),
      );
    }
  });

  test('a platform without a pinned libtensorflow is named, with the way round it', async () => {
    const { platformProblem } = await load();
    const linux = { platform: 'linux', arch: 'x64', glibc: '2.36', avx: true };
    assert.equal(platformProblem(linux), undefined);
    assert.match(
      platformProblem({ ...linux, platform: 'darwin', arch: 'arm64' }) ?? '',
      /darwin on arm64.*nothing is pinned or tested/,
    );
    assert.match(platformProblem({ ...linux, glibc: undefined }) ?? '', /another C library/);
    assert.match(platformProblem({ ...linux, glibc: '2.17' }) ?? '', /glibc 2\.28 or newer.*glibc 2\.17/);
    assert.match(platformProblem({ ...linux, avx: false }) ?? '', /AVX/);
  });

  test('a Python that is too old or lacks venv is passed over and named', async (t) => {
    const { findPython } = await load();
    const folder = temporaryFolder(t);
    const old = fakeProgram(folder, 'python-old', 'echo 3.9 /usr/bin/python3.9');
    const bare = fakeProgram(
      folder,
      'python-bare',
      'echo 3.12 /usr/bin/python3.12; echo "No module named ensurepip" >&2; exit 1',
    );
    const good = fakeProgram(folder, 'python-good', 'echo 3.13 /usr/bin/python3.13');
    assert.deepEqual(await findPython([join(folder, 'absent'), old, bare, good]), {
      interpreter: '/usr/bin/python3.13',
    });
    const { problem = '' } = await findPython([old, bare]);
    assert.match(
      problem,
      /3\.11 or newer, up to 3\.14, with venv is needed; found: .*python-old is 3\.9, .*python-bare \(3\.12\) lacks venv or ensurepip/,
    );
    assert.match(problem, /apt install python3 python3-venv/);
    assert.match((await findPython([join(folder, 'absent')])).problem ?? '', /none was found/);
  });

  test('of several Pythons one is taken that is neither too old nor too new', async (t) => {
    const { findPython } = await load();
    const folder = temporaryFolder(t);
    const newest = fakeProgram(folder, 'python3', 'echo 3.15 /usr/bin/python3.15');
    const fitting = fakeProgram(folder, 'python3.14', 'echo 3.14 /usr/bin/python3.14');
    assert.deepEqual(await findPython([newest, fitting]), { interpreter: '/usr/bin/python3.14' });
    assert.match(
      (await findPython([newest])).problem ?? '',
      /python3 is 3\.15, for which some packages have no wheels/,
    );
  });

  test('a Python or a compiler that the user has named and that is not usable is named, not passed over', async (t) => {
    const { findPython, findCompiler } = await load();
    const folder = temporaryFolder(t);
    const python = fakeProgram(folder, 'python', 'echo 3.13 /usr/bin/python3.13');
    const old = fakeProgram(folder, 'old', 'echo 3.9 /usr/bin/python3.9');
    const works = fakeProgram(folder, 'works', 'exit 0');
    const broken = fakeProgram(folder, 'broken', 'exit 1');
    const problemOf = async (found: Promise<{ problem?: string }>) => (await found).problem ?? '';
    assert.match(await problemOf(findPython([python], old)), /old is 3\.9\. Name another one in ATTENTION_PYTHON/);
    assert.match(
      await problemOf(findPython([python], join(folder, 'none'))),
      /none does not run as a Python \(.*ENOENT/,
    );
    assert.match(await problemOf(findCompiler([works], broken)), /broken cannot compile.*\. Name another one in CXX/);
    assert.match(
      await problemOf(findCompiler([works], 'ccache g++')),
      /^CXX is 'ccache g\+\+', which is not a program/,
    );
    assert.deepEqual(await findPython([old], python), { interpreter: '/usr/bin/python3.13' });
    assert.deepEqual(await findCompiler([broken], works), { compiler: works });
  });

  test('a compiler counts only when it compiles', async (t) => {
    const { findCompiler } = await load();
    const folder = temporaryFolder(t);
    const broken = fakeProgram(folder, 'broken', 'exit 1');
    const works = fakeProgram(folder, 'works', 'exit 0');
    assert.deepEqual(await findCompiler([join(folder, 'absent'), broken, works]), { compiler: works });
    assert.match((await findCompiler([broken])).problem ?? '', /broken cannot compile a small file\. Install one/);
  });

  test('too little disk space is said in sizes that a person can act on', async (t) => {
    const { spaceProblem } = await load();
    const folder = temporaryFolder(t);
    assert.equal(spaceProblem(3e9, folder, 3e9), undefined);
    assert.match(
      spaceProblem(3e9, folder, 2.9e9) ?? '',
      /^3\.0 GB of free disk space .* has 2\.9 GB\. .*ATTENTION_CACHE/,
    );
  });

  test('a folder that cannot be written is named', async (t) => {
    const { writableProblem } = await load();
    const file = join(temporaryFolder(t), 'a-file');
    writeFileSync(file, '');
    assert.match(writableProblem([join(file, 'below')]) ?? '', /a-file\/below must be writable/);
  });
});

/** What set-up may leave behind when it stops early: its own empty cache. */
function assertNothingInstalled(checkout: string): void {
  assert.ok(!existsSync(join(checkout, '.venv')));
  assert.ok(!existsSync(join(checkout, 'node_modules', '.package-lock.json')));
  assert.deepEqual(
    readdirSync(join(checkout, 'data', 'cache')).filter((name) => name !== 'tmp'),
    [],
  );
  assert.deepEqual(
    readdirSync(checkout).filter((name) => name.includes('lock') && name !== 'package-lock.json'),
    [],
  );
}

describe('set-up as the first command after git clone', () => {
  test('names everything that the machine lacks at once, before any download', async (t) => {
    const checkout = freshCheckout(t);
    const bin = join(checkout, 'bin');
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, 'node'));
    const { status, stderr, stdout } = await runNode(
      [join(checkout, 'scripts', 'setup', 'setup.mjs')],
      { PATH: bin, CXX: '', ATTENTION_PYTHON: '', ATTENTION_CACHE: '' },
      checkout,
    );
    assert.equal(status, 2, stderr);
    assert.equal(stdout, '');
    const [first, ...named] = stderr.trim().split('\n');
    assert.match(first, /^Nothing was downloaded/);
    assert.equal(named.length, 3, stderr);
    for (const [index, what] of ['npm 9 or newer', 'Python 3.11 or newer', 'C++17 compiler'].entries())
      assert.ok(named[index].includes(what), stderr);
    assertNothingInstalled(checkout);
  });

  test('without a network ends with one sentence, status 2 and nothing half installed', async (t) => {
    const checkout = freshCheckout(t);
    const registry = 'http://127.0.0.1:9'; // the discard port: nobody listens
    const env = {
      npm_config_registry: registry,
      npm_config_fetch_retries: '0',
      PIP_INDEX_URL: registry,
      PIP_RETRIES: '0',
      npm_config_cache: join(checkout, 'npm-cache'),
      NO_PROXY: '127.0.0.1',
      ATTENTION_CACHE: '',
      ATTENTION_RETRIES: '0',
    };
    const { status, stderr } = await runNode([join(checkout, 'scripts', 'setup', 'setup.mjs')], env, checkout);
    assert.equal(status, 2, stderr);
    assert.match(
      stderr.trim().split('\n').at(-1) ?? '',
      // Packages and archives are fetched side by side: any of them may be the first to notice.
      /^[^:]+ failed: the package registry could not be reached, .*run the same command again$/,
    );
    assertNothingInstalled(checkout);
  });

  test('an unknown device is refused', async (t) => {
    const checkout = freshCheckout(t);
    const { status, stderr } = await runNode(
      [join(checkout, 'scripts', 'setup', 'setup.mjs')],
      { ATTENTION_DEVICE: 'tpu', ATTENTION_CACHE: '' },
      checkout,
    );
    assert.equal(status, 2, stderr);
    assert.equal(stderr, "ATTENTION_DEVICE: expected cpu or gpu, got 'tpu'\n");
  });
});

test('CI runs the README’s test command and nothing less', () => {
  const lines = readFileSync(join(root, '.ci', 'run'), 'utf8')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'));
  assert.deepEqual(lines, ['cd "$(dirname "$0")/.." && exec npm test']);
});
