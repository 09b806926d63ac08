import { InputError } from '../../input-error';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder; check the name',
  ENOTDIR: 'a part of its path is not a folder; check the name',
  EISDIR: 'expected a file, got a folder',
  EACCES: 'its permissions do not allow it',
  EPERM: 'its permissions do not allow it',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full; free some space, or name another disk',
  EDQUOT: 'the disk quota is used up; free some space, or name another disk',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
};

/**
 * An error of the file system as an {@link InputError}; any other error is returned unchanged.
 *
 * @param doing what was attempted: `read`, `written`
 */
export function fileTrouble(error: unknown, path: string, doing: 'read' | 'written'): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (error instanceof InputError || typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) return error;
  return new InputError(`'${path}' cannot be ${doing}: ${REASONS[code] ?? (error as Error).message}`, { cause: error });
}
