import { inFloat64, tf, toTensor, valuesOf } from '../../tensor';
import { exponentAbove } from './rows';

/** Slices of each factor: 3 x 21 bits hold the 53 bits of a double whose size is near that of its row's largest. */
const SLICES = 3;

/**
 * A B for A `[m, n]` and B `[n, p]`, to nearly the last bit of float64: each element is off by at most 2^-51 of itself plus
 * {@link exactProductError} * (the largest of A's row) * (the largest of B's column), where an ordinary product may be off by
 * n * 2^-53 * |A| |B|.
 *
 * Both factors are cut into slices of so few bits that products of slices are sums without any rounding (Ozaki, Ogita,
 * Oishi, Rump, Numerical Algorithms 59, 2012); the slices' products, six large matrix products of three slices each, are added
 * smallest first.
 */
export function exactProduct(
  a: Float64Array,
  b: Float64Array,
  m: number,
  n: number,
  p: number,
  slices = SLICES,
): Float64Array {
  const bits = sliceBits(n);
  const slicesOfA = slice(a, m, n, bits, 'rows', slices);
  const slicesOfB = slice(b, n, p, bits, 'columns', slices);
  const sum = new Float64Array(m * p);
  const lost = new Float64Array(m * p);
  for (let order = slices - 1; order >= 0; order--) {
    for (let i = 0; i <= order; i++) {
      const term = inFloat64(() => {
        const left = toTensor(slicesOfA[i], [m, n]) as tf.Tensor2D;
        return valuesOf(tf.matMul(left, toTensor(slicesOfB[order - i], [n, p]) as tf.Tensor2D));
      });
      addTwoSum(sum, lost, term as Float64Array);
    }
  }
  for (let i = 0; i < sum.length; i++) sum[i] += lost[i];
  return sum;
}

/** What the products of slices that are left out may add up to: n = 768 gives 2^-50. */
export function exactProductError(n: number, slices = SLICES): number {
  return n * (slices + 1) * 2 ** (1 - slices * sliceBits(n));
}

/** So many that n products of two slices add up to less than 2^53 units. */
function sliceBits(n: number): number {
  return Math.floor((53 - Math.ceil(Math.log2(n))) / 2);
}

/** Adds `term` to `sum` and what the rounding of that addition lost to `lost` (Knuth's two-sum). */
function addTwoSum(sum: Float64Array, lost: Float64Array, term: Float64Array): void {
  for (let i = 0; i < sum.length; i++) {
    const before = sum[i];
    const after = before + term[i];
    const added = after - before;
    lost[i] += before - (after - added) + (term[i] - added);
    sum[i] = after;
  }
}

/** Cuts off `bits` bits at a time, counted from the largest magnitude of each row (or column). */
function slice(
  values: Float64Array,
  rows: number,
  columns: number,
  bits: number,
  along: 'rows' | 'columns',
  slices: number,
): Float64Array[] {
  const scales = new Float64Array(along === 'rows' ? rows : columns);
  forEach(rows, columns, (index, row, column) => {
    const line = along === 'rows' ? row : column;
    scales[line] = Math.max(scales[line], Math.abs(values[index]));
  });
  for (let line = 0; line < scales.length; line++) scales[line] = 2 ** exponentAbove(scales[line]);
  const rest = values.slice();
  return Array.from({ length: slices }, (_, order) => {
    const part = new Float64Array(values.length);
    forEach(rows, columns, (index, row, column) => {
      // Adding 3/2 * 2^52 units of the slice's last bit rounds to that bit.
      const anchor = 1.5 * scales[along === 'rows' ? row : column] * 2 ** (52 - bits * (order + 1));
      part[index] = rest[index] + anchor - anchor;
      rest[index] -= part[index];
    });
    return part;
  });
}

function forEach(rows: number, columns: number, visit: (index: number, row: number, column: number) => void): void {
  for (let row = 0, index = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, index++) visit(index, row, column);
  }
}
