/** npm as set-up meets it: it ends with 0 where nothing was installed, is too old, cannot write, or loses its network. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { type Ended, runModule, runNode, scriptUrl, temporaryFolder } from './scripts';
import { freshCheckout } from './fresh-checkout';

/** Set-up in a fresh checkout with an npm that says its version, where its cache is, and does `work` for everything else. */
async function setUpWith(
  t: TestContext,
  work: string,
  { version = '10.8.2', npmCache = '', before = (_: string) => {} } = {},
) {
  const checkout = freshCheckout(t);
  const bin = join(checkout, 'bin');
  mkdirSync(bin);
  const cache = npmCache || join(checkout, 'npm-cache');
  // Archives and Python's packages are fetched beside npm's packages; here they wait until those have failed, and then fail too.
  const ended = join(checkout, 'npm-ended');
  const later = `until [ -e "${ended}" ]; do sleep 0.1; done; sleep 5; exit 1`;
  const ci = `trap 'touch "${ended}"' EXIT; ${work}`;
  write(
    join(bin, 'npm'),
    `case "$1" in --version) echo ${version};; config) echo "${cache}";; pack) ${later};; *) ${ci} ;; esac`,
  );
  const python = join(bin, 'python');
  write(python, `case "$1" in -c) echo 3.11 "${python}";; *) ${later};; esac`);
  before(checkout);
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    ATTENTION_CACHE: '',
    ATTENTION_RETRIES: '0',
    ATTENTION_PYTHON: python,
  };
  const result = await runNode([join(checkout, 'scripts', 'setup', 'setup.mjs')], env, checkout);
  return { checkout, ...result, last: lastLine(result) };
}

function write(file: string, program: string): void {
  writeFileSync(file, `#!/bin/sh\n${program}\n`);
  chmodSync(file, 0o755);
}

const lastLine = ({ stderr }: Ended) => stderr.trim().split('\n').at(-1) ?? '';

describe('npm that ends with 0', () => {
  test('without a reason, as 10.8 does where no registry answers, has not installed anything', async (t) => {
    const { status, last, stderr, checkout } = await setUpWith(t, 'echo "npm error Exit handler never called!" >&2');
    assert.equal(status, 2, stderr);
    assert.match(last, /^npm ci failed: the package registry could not be reached, .* run the same command again$/);
    assert.ok(existsSync(join(checkout, '.setup.unfinished')), 'the next run begins with npm again');
  });

  test('without a word has not installed anything either', async (t) => {
    const { status, last } = await setUpWith(t, 'true');
    assert.equal(status, 1);
    assert.match(
      last,
      /^npm ci failed: npm reported success, but \d+ of \d+ packages are missing, for example .*node_modules\//,
    );
  });

  test('although it could not write every file has failed, and for the reason that it gives', async (t) => {
    const warn = (what: string) => `echo "npm warn tar TAR_ENTRY_ERROR ${what}" >&2`;
    const full = await setUpWith(t, warn('ENOSPC: no space left on device, write'));
    assert.deepEqual(
      [full.status, full.last],
      [2, 'npm ci failed: the disk is full; free some space and run the same command again'],
    );
    const other = await setUpWith(t, warn('UNKNOWN: unknown error, write'));
    assert.equal(other.status, 1);
    assert.match(
      other.stderr,
      /npm ci failed: npm could not write every file; its output:\n {2}npm warn tar TAR_ENTRY_ERROR UNKNOWN/,
    );
  });
});

test('of what npm says first, eight lines are shown', async (t) => {
  const usage =
    'echo "npm error code EUSAGE" >&2; for i in 1 2 3 4 5 6 7 8 9; do echo "npm error line $i" >&2; done; exit 1';
  const { status, stderr } = await setUpWith(t, usage);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /npm ci failed: npm ended with status 1; its output:\n {2}npm error code EUSAGE\n {2}npm error line 1\n/,
  );
  assert.match(stderr, /line 7\n$/);
});

test('where npm is older than 9.3, the pinned one in the cache installs the packages', async (t) => {
  const pinned = `
    console.error('npm error code EPINNED ' + process.argv.slice(2, 3));
    process.once('exit', () => require('node:fs').writeFileSync(require('node:path').resolve(process.env.ATTENTION_PYTHON, '../../npm-ended'), ''));
    process.exit(1);`;
  const { stderr } = await setUpWith(t, 'echo "the old npm" >&2; exit 1', {
    version: '9.2.0',
    before: (checkout) => {
      const file = join(checkout, 'data', 'cache', 'npm', '10.9.9', 'package', 'bin', 'npm-cli.js');
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, pinned);
    },
  });
  assert.match(stderr, /npm ci failed: npm ended with status 1; its output:\n {2}npm error code EPINNED ci\n$/);
});

test("a cache of npm's that cannot be written is named, and one in ours is used", async (t) => {
  const { stderr, checkout } = await setUpWith(t, 'echo "npm error cache $npm_config_cache" >&2; exit 1', {
    npmCache: '/dev/null/npm',
  });
  const ours = join(checkout, 'data', 'cache', 'npm-cache');
  assert.ok(stderr.includes(`npm's cache /dev/null/npm is not writable: ${ours} is used instead\n`), stderr);
  assert.ok(stderr.includes(`npm error cache ${ours}\n`), stderr);
});

test('a step that the network has broken off is repeated, any other failure is not', async (t) => {
  const cache = temporaryFolder(t);
  const program = (output: string) => `
    const { persistently } = await import('${scriptUrl('setup/repeat.mjs')}');
    const { failureOf } = await import('${scriptUrl('setup/run.mjs')}');
    let tries = 0;
    const work = () => {
      if (++tries < 3) throw failureOf('fetching', '${output}', 'npm failed');
      console.log(tries);
    };
    await persistently({ clear() {} }, work, [0.01, 0.02]);`;
  const { status, stdout, stderr } = await runModule(program('npm error code ECONNRESET'), cache);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, '3\n');
  const said = 'fetching failed: the package registry could not be reached, or the connection broke; trying again in';
  assert.equal(stderr, `${said} 0.01 s (1 of 2)\n${said} 0.02 s (2 of 2)\n`);
  const full = await runModule(program('npm error code ENOSPC'), cache);
  assert.equal(full.status, 2);
  assert.match(full.stderr, /^fetching failed: the disk is full;[^\n]*\n$/);
});

test('what lies behind a failure is said in one sentence that names the thing', async () => {
  const { knownCause } = await import(scriptUrl('setup/failure.mjs'));
  const sentence = (output: string): string => knownCause('loading', output)?.message ?? '';
  assert.match(
    sentence("EACCES: permission denied, mkdir '/root/.npm/_cacache'"),
    /^loading failed: \/root\/\.npm\/_cacache is not writable .*npm_config_cache/,
  );
  assert.match(
    sentence('npm error code EACCES\nnpm error path /srv/npm/_cacache'),
    /failed: \/srv\/npm\/_cacache is not writable/,
  );
  assert.match(sentence('RangeError: Array buffer allocation failed'), /failed: there is not enough memory;/);
  const map = 'libtensorflow_cc.so.2: failed to map segment from shared object';
  assert.match(sentence(map), /failed: there is not enough memory;/);
  assert.match(sentence(`${map}: Operation not permitted`), /mounted with noexec/);
  assert.equal(sentence('error TS2322: something else'), '');
});
