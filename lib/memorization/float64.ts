import { inPrecision, tf, valuesOf } from '../tensor';

/** The values of the tensor that `compute` makes in float64 arithmetic; everything else that it makes is disposed of. */
export function inFloat64(compute: () => tf.Tensor): Float64Array {
  return inPrecision('float64', () => {
    const result = tf.tidy(compute);
    const values = valuesOf(result) as Float64Array;
    result.dispose();
    return values;
  });
}
