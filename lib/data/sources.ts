import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../input-error';
import { cacheFolder, projectRoot } from './project-root';

/** A file that set-up fetches, as described in `data/sources.json`. */
export interface SourceFile {
  /** Its path in the cache folder. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly licence: string;
  /** The package that holds it, e.g. `scikit-image 0.26.0`. */
  readonly origin: string;
}

interface Sources {
  readonly sources: readonly {
    readonly use: string;
    readonly package: string;
    readonly version: string;
    readonly licence: string;
    /** The licence of the file, if it differs from the package's. */
    readonly files: readonly (Omit<SourceFile, 'origin' | 'licence'> & { readonly licence?: string })[];
  }[];
}

/** The files that `data/sources.json` lists for `use` (`photos`, `cifar10`, …), sorted by name. */
export async function sourceFiles(use: string): Promise<SourceFile[]> {
  const { sources } = JSON.parse(await readFile(join(projectRoot(), 'data', 'sources.json'), 'utf8')) as Sources;
  return sources
    .filter((source) => source.use === use)
    .flatMap((source) =>
      source.files.map((file) => ({
        licence: source.licence,
        ...file,
        origin: `${source.package} ${source.version}`,
      })),
    )
    .sort((a, b) => (a.file < b.file ? -1 : 1));
}

/**
 * Reads a whole fetched file and compares it with its checksum, so that a damaged file is never used.
 *
 * @throws InputError when the file is missing or differs.
 */
export async function readSource({ file, sha256, origin }: SourceFile): Promise<Buffer> {
  const path = cacheFolder(...file.split('/'));
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new InputError(`${path} cannot be read: ${error.message}`);
    throw new InputError(`${path} (from ${origin}) is missing; run 'npm run setup', which fetches it`);
  });
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found === sha256) return bytes;
  throw new InputError(
    `${path}: expected the sha256 ${sha256.slice(0, 12)}…, got ${found.slice(0, 12)}…; delete it and run 'npm run setup', ` +
      'which fetches it again',
  );
}
