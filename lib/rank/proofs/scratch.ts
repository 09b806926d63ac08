type Use = 'leading block' | 'cross block' | 'trailing block';

const arrays = new Map<Use, Float64Array>();

/**
 * Memory for one batch, with whatever the batch before left in it: fresh pages cost more than the numbers that go into them.
 * Tensors made of it must be disposed before it is asked for again.
 */
export function scratch(use: Use, length: number): Float64Array {
  let array = arrays.get(use);
  if (array === undefined || array.length < length) {
    array = new Float64Array(length);
    arrays.set(use, array);
  }
  return array.subarray(0, length);
}
