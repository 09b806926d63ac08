import { backendOf } from './float64-backend';
import { tf } from './tensorflow';

/** The arithmetic that TensorFlow runs in: each is a backend of tfjs. */
export type Precision = 'float32' | 'float64';

const backends: Record<Precision, string> = { float32: 'tensorflow', float64: 'float64' };

/** The distance from 1 to the next larger number: 2^-23 or 2^-52. */
export function epsilonOf(precision: Precision): number {
  return precision === 'float32' ? 2 ** -23 : 2 ** -52;
}

/** The precision in which tfjs computes at this moment; float32 outside of {@link inPrecision}. */
export function currentPrecision(): Precision {
  return tf.getBackend() === backends.float64 ? 'float64' : 'float32';
}

/** The precision that a tensor was made in and has to be used in. */
export function precisionOf(tensor: tf.Tensor): Precision {
  return backendOf(tensor.dataId) === tf.findBackend(backends.float64) ? 'float64' : 'float32';
}

/**
 * Runs `run` with all of tfjs in the given precision, then goes back to the one before, also when `run` throws.
 *
 * `run` must be synchronous: other work that takes its turn in between would find the wrong precision. Throws a
 * `TypeError` when it returns a promise. A change of precision takes 0.2 ms, there and back each: put it around a batch.
 */
export function inPrecision<T>(precision: Precision, run: () => T): T {
  const before = currentPrecision();
  use(precision);
  try {
    const result = run();
    if (result instanceof Promise) {
      result.catch(() => undefined);
      throw new TypeError(
        'inPrecision needs a synchronous function, but this one returned a promise: await outside it.',
      );
    }
    return result;
  } finally {
    use(before);
  }
}

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

function use(precision: Precision): void {
  // Both backends exist already, so the switch is made when setBackend returns; its promise says nothing more.
  if (currentPrecision() !== precision) void tf.setBackend(backends[precision]);
}
