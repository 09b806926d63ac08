/**
 * Input that cannot be used: a file, an option or a value from outside. The message is one sentence that says what was
 * expected, what was found, and what to do. The command line prints that sentence alone and exits with status 2.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** @throws InputError when `value` is not a whole number of at least `least`. */
export function checkCount(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new InputError(`${name}: expected a whole number of at least ${least}, got ${value}`);
  }
}
