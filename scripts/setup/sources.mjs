/** libtensorflow, photographs, image sets, weights: the files that data/sources.json names, each checked by sha256. */
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fetchArchive } from './download.mjs';
import { SetupFailure } from './failure.mjs';
import { cache, python, sources } from './places.mjs';
import { bar, size } from './progress.mjs';
import { mustRun } from './run.mjs';
import { isVerified, matches, remember } from './verified.mjs';

/** The entries whose files are not all there, for a device ('cpu' or 'gpu'). */
export async function missingSources(device) {
  const missing = [];
  for (const source of sources) {
    if (source.device !== undefined && source.device !== device) continue;
    for (const pin of source.files) {
      if (await isVerified(pin)) continue;
      missing.push(source);
      break;
    }
  }
  return missing;
}

/** The disk space that fetching an entry takes while it lasts. */
export function spaceFor(source) {
  return source.bytes + source.files.reduce((sum, pin) => sum + pin.bytes, 0);
}

/** Fetches an entry's archive, takes its files out of it, checks each, and throws the archive away. */
export async function fetchSource(source) {
  const archive = await fetchArchive(source);
  const members = source.files.map((pin) => [pin.member, join(cache, `${pin.file}.partial`)]);
  const total = source.files.reduce((sum, pin) => sum + pin.bytes, 0);
  const doing = `unpacking ${source.archive}`;
  const progress = bar(doing, total, size);
  try {
    await mustRun(doing, python, [join(import.meta.dirname, 'unpack.py')], {
      input: JSON.stringify({ archive, members }),
      onLine: (line) => progress.update(Number(line)),
    });
    for (const pin of source.files) {
      if (!(await matches(join(cache, `${pin.file}.partial`), pin))) {
        throw new SetupFailure(
          `${doing} failed: ${pin.member} should have ${pin.bytes} bytes and sha256 ${pin.sha256}, but has not; nothing of it was used`,
        );
      }
    }
    for (const pin of source.files) {
      const path = join(cache, pin.file);
      renameSync(`${path}.partial`, path);
      remember(pin);
    }
  } catch (error) {
    progress.clear();
    throw error;
  } finally {
    for (const [, partial] of members) rmSync(partial, { force: true });
  }
  progress.end();
  rmSync(archive);
}
