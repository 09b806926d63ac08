/**
 * Input that cannot be used: a file, an option or a value that came from outside. The message is one sentence that says
 * what was expected, what came, and what to do; the command line prints it alone and exits with status 2.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** @throws InputError when a count is no whole number from `least` on. */
export function checkCount(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new InputError(`${name} must be a whole number of at least ${least}, but ${value} came.`);
  }
}
