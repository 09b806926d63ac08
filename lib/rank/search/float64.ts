import { inPrecision, tf, valuesOf } from '../../tensor';

/** The values of what `run` computes in the float64 backend; every tensor made on the way is disposed. */
export function inFloat64(run: () => tf.Tensor): Float64Array {
  return inPrecision('float64', () => {
    const result = tf.tidy(run);
    try {
      return valuesOf(result) as Float64Array;
    } finally {
      result.dispose();
    }
  });
}
