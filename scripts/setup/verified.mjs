/**
 * Compares files with their pins. A file's sha256 is computed when the file is new or changed (in size or time); the result
 * is kept in verified.json, so that an unchanged cache need not be read again.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from './places.mjs';

const record = join(cache, 'verified.json');

function readRecord() {
  try {
    return JSON.parse(readFileSync(record, 'utf8'));
  } catch {
    return {};
  }
}

export async function sha256(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

/** Whether a file is as `pin` says: {bytes, sha256}. */
export async function matches(path, pin) {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size === pin.bytes && (await sha256(path)) === pin.sha256;
}

/** Whether `pin.file`, in the cache folder, exists and is as the pin says: {file, bytes, sha256}. */
export async function isVerified(pin) {
  const path = join(cache, pin.file);
  const found = statSync(path, { throwIfNoEntry: false });
  const known = readRecord()[pin.file];
  if (found?.size === pin.bytes && known?.sha256 === pin.sha256 && known.mtimeMs === found.mtimeMs) return true;
  if (!(await matches(path, pin))) return false;
  remember(pin);
  return true;
}

/** Records that `pin.file`, in its present state, is right. */
export function remember(pin) {
  const { mtimeMs } = statSync(join(cache, pin.file));
  const next = `${record}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify({ ...readRecord(), [pin.file]: { sha256: pin.sha256, mtimeMs } }, null, 2)}\n`);
  renameSync(next, record);
}

/** Makes the next check of each file compute its checksum again. */
export function forgetVerified() {
  rmSync(record, { force: true });
}
