import { currentPrecision, inPrecision, type Precision } from './precision';
import { tf } from './tensorflow';

/** A number as a tensor of the current precision. */
export function scalar(value: number): tf.Scalar {
  return toTensor(Float64Array.of(value), []) as tf.Scalar;
}

/**
 * A tensor of the current precision with the given values, row-major. Only float32 rounds.
 *
 * An array that already has the precision is not copied: do not write to it as long as the tensor lives.
 */
export function toTensor(data: Float32Array | Float64Array | readonly number[], shape: readonly number[]): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  if (data.length !== size) {
    throw new RangeError(`a tensor of shape [${shape.join(', ')}] needs ${size} values, but ${data.length} came.`);
  }
  const Values = currentPrecision() === 'float32' ? Float32Array : Float64Array;
  const values = data instanceof Values ? data : Values.from(data);
  // tf.tensor would round doubles to float32 on their way; 'float32' is what tfjs calls every floating-point tensor.
  return tf.engine().makeTensor(values as Float32Array, [...shape], 'float32') as tf.Tensor;
}

/** The values of a tensor, row-major, in the precision it was made in. Waits for the tensor to be computed. */
export function valuesOf(tensor: tf.Tensor): Float32Array | Float64Array {
  return tensor.dataSync<'float32'>() as Float32Array | Float64Array;
}

/** A copy of a tensor of either precision in the given one. The tensor itself stays as it is. */
export function convert(tensor: tf.Tensor, precision: Precision): tf.Tensor {
  return inPrecision(precision, () => toTensor(valuesOf(tensor), tensor.shape));
}
