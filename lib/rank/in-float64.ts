import { inPrecision, tf } from '../tensor';

/** Runs `run` in float64 and disposes every tensor it made: what it returns are numbers, not tensors. */
export function inFloat64<T>(run: () => T): T {
  return inPrecision('float64', () => {
    let result: { readonly value: T } | undefined;
    tf.tidy(() => {
      result = { value: run() };
    });
    return result!.value;
  });
}
