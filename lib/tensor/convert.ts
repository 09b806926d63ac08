import { castTo } from './float64-backend';
import { currentPrecision, inPrecision, precisionOf, type Precision } from './precision';
import { tf } from './tensorflow';

/**
 * A number as a tensor of the current precision. Where tfjs is given the number itself, as in `x.mul(0.1)`, it rounds it
 * to float32, and the float64 backend throws: write `x.mul(scalar(0.1))`.
 */
export function scalar(value: number): tf.Scalar {
  return toTensor([value], []) as tf.Scalar;
}

/**
 * A tensor of the current precision that holds `data`, row-major. Float64 keeps every digit; float32 rounds doubles.
 *
 * An array that already has the precision is not copied: do not write to it while the tensor is in use.
 * Throws a `RangeError` when the number of values does not fit the shape.
 */
export function toTensor(data: Float32Array | Float64Array | readonly number[], shape: readonly number[]): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  if (data.length !== size) {
    throw new RangeError(`expected ${size} values for a tensor of shape [${shape.join(', ')}], got ${data.length}`);
  }
  const Values = currentPrecision() === 'float32' ? Float32Array : Float64Array;
  const values = data instanceof Values ? data : Values.from(data);
  // tf.tensor would round doubles; 'float32' is what tfjs calls floating-point numbers of either precision.
  return tf.engine().makeTensor(values as Float32Array, [...shape], 'float32');
}

/**
 * The values of a floating-point tensor, row-major, in the precision it was made in, whichever is current. Waits until
 * they are computed. The array may be the one that the tensor was made of: do not write to it.
 */
export function valuesOf(tensor: tf.Tensor): Float32Array | Float64Array {
  const values: unknown = tensor.dataSync();
  if (values instanceof Float32Array || values instanceof Float64Array) return values;
  throw new TypeError(`valuesOf needs a floating-point tensor, but this one holds ${tensor.dtype}: use dataSync().`);
}

/** A copy, in the given precision, of a floating-point tensor of either one; the tensor itself stays as it is. */
export function convert<T extends tf.Tensor>(tensor: T, precision: Precision): T {
  const isOther = precisionOf(tensor) !== precision;
  return inPrecision(precision, () =>
    isOther ? castTo(precision, tensor) : toTensor(valuesOf(tensor), tensor.shape),
  ) as T;
}
