import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '../input-error';

/** The project's folder is the one that holds this file. */
const MARK = join('data', 'sources.json');

/**
 * The project's folder: `ATTENTION_CAPACITY_HOME` when that is set, otherwise the nearest folder above the library that
 * holds `data/sources.json`.
 *
 * @throws InputError when there is no such folder.
 */
export function projectRoot(): string {
  const named = process.env.ATTENTION_CAPACITY_HOME;
  if (named) {
    if (existsSync(join(named, MARK))) return resolve(named);
    throw new InputError(
      `ATTENTION_CAPACITY_HOME expects the project's folder, which holds ${MARK}, got '${named}'; correct or unset it`,
    );
  }
  for (let folder = __dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, MARK))) return folder;
    if (folder === dirname(folder)) {
      throw new InputError(
        `no folder above ${__dirname} holds ${MARK}; set ATTENTION_CAPACITY_HOME to the project's folder`,
      );
    }
  }
}

/** A path in the folder of everything fetched or computed: `ATTENTION_CACHE`, or `data/cache` in the project. */
export function cacheFolder(...parts: string[]): string {
  return join(process.env.ATTENTION_CACHE || join(projectRoot(), 'data', 'cache'), ...parts);
}
