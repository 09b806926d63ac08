/** The files of data/sources.json (libtensorflow, photographs, image sets, weights), each checked by its sha256. */
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fetchArchive } from './download.mjs';
import { SetupFailure } from './failure.mjs';
import { cache, python, sources } from './places.mjs';
import { bar, size } from './progress.mjs';
import { mustRun } from './run.mjs';
import { isVerified, matches, remember } from './verified.mjs';

/** The entries with missing files, for a device ('cpu' or 'gpu'). */
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

/** The disk space that fetching an entry needs. */
export function spaceFor(source) {
  return source.bytes + totalBytes(source);
}

/** Fetches an entry's archive, unpacks and checks its files, and deletes the archive. */
export async function fetchSource(source, interpreter = python) {
  const archive = await fetchArchive(source);
  if (source.folder) {
    await unpackWhole(source, archive, interpreter);
    rmSync(archive);
    return;
  }
  try {
    await unpack(source, archive, interpreter);
    for (const pin of source.files) {
      if (!(await matches(partial(pin), pin))) {
        throw new SetupFailure(
          `unpacking ${source.archive} failed: expected ${pin.member} with ${pin.bytes} bytes and sha256 ${pin.sha256}, got another file; it was discarded`,
        );
      }
    }
    for (const pin of source.files) {
      renameSync(partial(pin), join(cache, pin.file));
      remember(pin);
    }
  } finally {
    for (const pin of source.files) rmSync(partial(pin), { force: true });
  }
  rmSync(archive);
}

/** Unpacks a whole archive, whose checksum was checked, into the folder of its entry. */
async function unpackWhole(source, archive, interpreter) {
  const folder = join(cache, source.folder);
  rmSync(folder, { recursive: true, force: true });
  await unpack(source, archive, interpreter, `${folder}.partial`);
  renameSync(`${folder}.partial`, folder);
}

const partial = (pin) => join(cache, `${pin.file}.partial`);

async function unpack(source, archive, interpreter, folder) {
  const progress = bar(`  unpacking ${source.use}`, totalBytes(source), size);
  try {
    await mustRun(`unpacking ${source.archive}`, interpreter, [join(import.meta.dirname, 'unpack.py')], {
      input: JSON.stringify({ archive, folder, members: source.files.map((pin) => [pin.member, partial(pin)]) }),
      onLine: (line) => progress.update(Number(line)),
    });
  } finally {
    progress.clear();
  }
}

const totalBytes = (source) => source.files.reduce((sum, pin) => sum + pin.bytes, 0);
