import './float64-backend';
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

/**
 * Runs `run` with all of tfjs in the given precision and comes back to the one before, whatever happens.
 *
 * `run` must be synchronous: other work that waits its turn would find the wrong precision. Throws a `TypeError` when
 * `run` returns a promise.
 */
export function inPrecision<T>(precision: Precision, run: () => T): T {
  const before = currentPrecision();
  use(precision);
  try {
    const result = run();
    if (result instanceof Promise) {
      result.catch(() => undefined);
      throw new TypeError('inPrecision expected a synchronous function, but it returned a promise: await outside of it.');
    }
    return result;
  } finally {
    use(before);
  }
}

function use(precision: Precision): void {
  // Both backends start synchronously, so the switch is done when setBackend returns.
  if (currentPrecision() !== precision) void tf.setBackend(backends[precision]);
}
