import { cholesky, definiteBlocks, inFloat64, tf, toTensor, triangularSolve, valuesOf } from '../../tensor';
import { gatherRows } from './rows';
import { scratch } from './scratch';
import { factorize, solveTransposed } from './small-cholesky';

/** Above this, the inner products of all pairs are not kept: they are computed again for every subset. */
const TABLE_BYTES = 2 ** 29;
/** Up to so many rows the products of all are made at once, above when that costs less than what single sets have cost. */
const KEPT_AT_ONCE = 4096;
/** What a call into TensorFlow costs besides, in multiplications. */
const CALL = 1e6;
/** What a batch of sub-Grams may take, beside as much for their factors. */
const BATCH_BYTES = 2 ** 25;

/** How many subsets of size k are worked on at a time, an even number: cores share them. Verdicts do not depend on it. */
export function batchSize(k: number): number {
  return Math.max(2, Math.min(64, 2 * Math.round(BATCH_BYTES / (16 * k * k))));
}

/** G = X X^T of rows X `[T, columns]` in float64, from which the Grams of subsets of rows are taken. */
export class Gram {
  /** ||x_i||^2, `[T]`. */
  readonly squaredNorms: Float64Array;
  /** All inner products, `[T, T]`, once they are made. */
  private made: Float64Array | null = null;
  /** Multiplications spent on single sets without it. */
  private spent = 0;
  private buffer = new Float64Array(0);

  constructor(
    private readonly values: Float64Array,
    readonly count: number,
    readonly columns: number,
  ) {
    this.squaredNorms = squaredNormsOf(values, count, columns);
  }

  /** All inner products, `[T, T]`, made when first asked for; null where they would take too much memory. */
  get table(): Float64Array | null {
    const { count, columns, values } = this;
    if (count * count * 8 > TABLE_BYTES) return null;
    return (this.made ??= product(values, count, columns));
  }

  /** The same for sets of so many rows in all, null as long as their own products cost less than those of all rows. */
  private tableFor(rows: number, sets = 1): Float64Array | null {
    const { count, columns } = this;
    if (this.made === null && count > KEPT_AT_ONCE) {
      this.spent += (rows * rows * columns) / sets + CALL;
      if (this.spent < (count * count * columns) / 2) return null;
    }
    return this.table;
  }

  /** The trace of a subset's Gram: the sum of its rows' squared norms. */
  trace(subset: Int32Array, size = subset.length): number {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += this.squaredNorms[subset[i]];
    return sum;
  }

  /** One set's Gram `[k, k]`, lower triangle; overwritten by the next call. */
  lower(set: Int32Array): Float64Array {
    const { count } = this;
    const table = this.tableFor(set.length);
    if (table === null) return this.gramAgain(set);
    const k = set.length;
    if (this.buffer.length < k * k) this.buffer = new Float64Array(k * k);
    const { buffer } = this;
    for (let i = 0; i < k; i++) pick(table, set[i] * count, set, 0, i + 1, buffer, i * k);
    return buffer;
  }

  /** The inner products of one row with all rows, `[T]`: a copy. */
  productsWith(row: number): Float64Array {
    const { columns, count, values } = this;
    const table = count > KEPT_AT_ONCE ? this.made : this.table;
    if (table !== null) return table.slice(row * count, (row + 1) * count);
    return inFloat64(() => {
      const rows = toTensor(values, [count, columns]) as tf.Tensor2D;
      const one = toTensor(values.subarray(row * columns, (row + 1) * columns), [columns, 1]) as tf.Tensor2D;
      return Float64Array.from(valuesOf(tf.matMul(rows, one)));
    });
  }

  /**
   * For each subset, whether the Gram of its first `size` rows minus `shift` times the identity has a Cholesky factor:
   * 1 or 0. What that proves about eigenvalues: see `./rounding`.
   */
  factors(subsets: readonly Int32Array[], shifts: readonly number[], size = subsets[0]?.length ?? 0): Uint8Array {
    return this.factorsOfBlocks(subsets, shifts, size) ?? this.factorsOfStacks(subsets, shifts, size);
  }

  /** For each subset, whether b I minus its Gram has a Cholesky factor, b its bound: 1 or 0. */
  bounds(subsets: readonly Int32Array[], bounds: readonly number[]): Uint8Array {
    const k = subsets[0].length;
    return inFloat64(() => succeeded(cholesky(tf.neg(this.leading(subsets, bounds, k)))));
  }

  /** From the table as it lies there; null where there is none, or no native kernel. */
  private factorsOfBlocks(subsets: readonly Int32Array[], shifts: readonly number[], size: number): Uint8Array | null {
    const table = this.tableFor(subsets.length * size, subsets.length);
    if (table === null) return null;
    const rows = new Int32Array(subsets.length * size);
    subsets.forEach((subset, index) => rows.set(subset.subarray(0, size), index * size));
    return definiteBlocks(table, this.count, rows, size, Float64Array.from(shifts));
  }

  private factorsOfStacks(subsets: readonly Int32Array[], shifts: readonly number[], size: number): Uint8Array {
    const results = new Uint8Array(subsets.length);
    const step = batchSize(size);
    for (let start = 0; start < subsets.length; start += step) {
      const batch = subsets.slice(start, start + step);
      const found = inFloat64(() => succeeded(cholesky(this.leading(batch, shifts.slice(start, start + step), size))));
      results.set(found, start);
    }
    return results;
  }

  /**
   * For each order of rows, how many from its start have a Gram that minus `shift` has a Cholesky factor: the most from
   * `from` to `to`, or 0 where `from` rows already have none. Where it is fewer than `to`, the first row too many gives
   * weights v of the rows up to it with v^T (G - shift I) v <= 0, up to rounding.
   */
  longestFactors(
    orders: readonly Int32Array[],
    shifts: readonly number[],
    from: number,
    to: number,
  ): { length: number; weights: Float64Array | null }[] {
    if (from === to) {
      const prefixes = orders.map((order) => order.subarray(0, to));
      return Array.from(this.factors(prefixes, shifts), (passed) => ({ length: passed * to, weights: null }));
    }
    return inFloat64(() => {
      const { factor, solved, complement } = this.eliminate(orders, shifts, from, to);
      const passed = succeeded(factor);
      const rest = to - from;
      const blocks = valuesOf(complement);
      // [B, rest, 1]: weights of the rows after the first `from`; zeros where there is nothing to find.
      const later = new Float64Array(orders.length * rest);
      const lengths = orders.map((_, index) => {
        if (passed[index] === 0) return 0;
        const own = later.subarray(index * rest, (index + 1) * rest);
        return from + factoredRows(blocks.subarray(index * rest * rest), rest, own);
      });
      const seen = tf.matMul(solved as tf.Tensor3D, toTensor(later, [orders.length, rest, 1]) as tf.Tensor3D);
      const earlier = valuesOf(triangularSolve(factor, seen, { adjoint: true }));
      return lengths.map((length, index) => {
        if (length === 0 || length === to) return { length, weights: null };
        const weights = new Float64Array(length + 1);
        for (let i = 0; i < from; i++) weights[i] = -earlier[index * from + i];
        weights.set(later.subarray(index * rest, index * rest + length + 1 - from), from);
        return { length, weights };
      });
    });
  }

  /**
   * The first step of a factorization in blocks. For each subset, with A the shifted Gram of the first `first` rows, B
   * its products with the rows from there to `size`, D the shifted Gram of those: `factor` L with L L^T = A, `solved`
   * Z = L^-1 B, and the Schur complement `complement` = D - Z^T Z, of which the lower triangle is right. All NaN where A
   * is not positive definite.
   *
   * To be called in float64, inside of a `tf.tidy`.
   */
  eliminate(
    subsets: readonly Int32Array[],
    shifts: readonly number[],
    first: number,
    size: number,
  ): { factor: tf.Tensor; solved: tf.Tensor; complement: tf.Tensor } {
    const rest = size - first;
    const factor = cholesky(this.leading(subsets, shifts, first));
    const cross = scratch('cross block', subsets.length * first * rest);
    const corner = scratch('trailing block', subsets.length * rest * rest);
    if (this.tableFor(subsets.length * size, subsets.length) === null) {
      this.splitAgain(subsets, first, size, cross, corner);
    } else {
      this.copy(cross, subsets, [0, first], [first, size]);
      this.copy(corner, subsets, [first, size], 'up to the diagonal');
    }
    shiftDiagonals(corner, rest, shifts);
    const solved = triangularSolve(factor, toTensor(cross, [subsets.length, first, rest]));
    const complement = tf.sub(
      toTensor(corner, [subsets.length, rest, rest]),
      tf.matMul(solved as tf.Tensor3D, solved as tf.Tensor3D, true, false),
    );
    return { factor, solved, complement };
  }

  /** The Grams of the first `size` rows of each subset, shifted, `[B, size, size]`: lower triangles only. */
  leading(subsets: readonly Int32Array[], shifts: readonly number[], size: number): tf.Tensor {
    const stack = scratch('leading block', subsets.length * size * size);
    if (this.tableFor(subsets.length * size, subsets.length) === null) {
      subsets.forEach((subset, index) => stack.set(this.gramAgain(subset.subarray(0, size)), index * size * size));
    } else {
      this.copy(stack, subsets, [0, size], 'up to the diagonal');
    }
    shiftDiagonals(stack, size, shifts);
    return toTensor(stack, [subsets.length, size, size]);
  }

  /**
   * Copies a block of each subset's Gram from the table, all subsets together: a row of the table, once in the cache,
   * serves every subset that has it. `rows` and `columns` are ranges of positions in the subset.
   */
  private copy(
    target: Float64Array,
    subsets: readonly Int32Array[],
    [firstRow, endRow]: readonly [number, number],
    columns: readonly [number, number] | 'up to the diagonal',
  ): void {
    const { count } = this;
    const table = this.table!;
    const [firstColumn, endColumn] = columns === 'up to the diagonal' ? [firstRow, endRow] : columns;
    const height = endRow - firstRow;
    const width = endColumn - firstColumn;
    const places = inOrderOfRows(subsets, firstRow, endRow, count);
    for (let at = 0; at < places.length; at++) {
      const place = places[at];
      const index = Math.floor(place / height);
      const i = place - index * height;
      const subset = subsets[index];
      const end = columns === 'up to the diagonal' ? firstRow + i + 1 : endColumn;
      pick(table, subset[firstRow + i] * count, subset, firstColumn, end, target, place * width - firstColumn);
    }
  }

  private gramAgain(rows: Int32Array): Float64Array {
    const { columns, values } = this;
    return product(gatherRows(values, columns, rows), rows.length, columns);
  }

  private splitAgain(
    subsets: readonly Int32Array[],
    first: number,
    size: number,
    cross: Float64Array,
    corner: Float64Array,
  ): void {
    const rest = size - first;
    for (const [index, subset] of subsets.entries()) {
      const gram = this.gramAgain(subset.subarray(0, size));
      for (let i = 0; i < size; i++) {
        const trailing = gram.subarray(i * size + first, (i + 1) * size);
        if (i < first) cross.set(trailing, (index * first + i) * rest);
        else corner.set(trailing, (index * rest + i - first) * rest);
      }
    }
  }
}

/** target[to + j] = table[from + subset[j]] for j from `first` to `end`, four at a time: their reads do not wait for each other. */
function pick(
  table: Float64Array,
  from: number,
  subset: Int32Array,
  first: number,
  end: number,
  target: Float64Array,
  to: number,
): void {
  let j = first;
  for (; j + 3 < end; j += 4) {
    const a = table[from + subset[j]];
    const b = table[from + subset[j + 1]];
    const c = table[from + subset[j + 2]];
    const d = table[from + subset[j + 3]];
    target[to + j] = a;
    target[to + j + 1] = b;
    target[to + j + 2] = c;
    target[to + j + 3] = d;
  }
  for (; j < end; j++) target[to + j] = table[from + subset[j]];
}

/** The places (subset times rows of each, plus position) of all subsets, sorted by the row that is there. */
function inOrderOfRows(subsets: readonly Int32Array[], first: number, end: number, count: number): Int32Array {
  const height = end - first;
  const starts = new Int32Array(count + 1);
  for (const subset of subsets) for (let i = first; i < end; i++) starts[subset[i] + 1]++;
  for (let row = 0; row < count; row++) starts[row + 1] += starts[row];
  const places = new Int32Array(subsets.length * height);
  subsets.forEach((subset, index) => {
    for (let i = first; i < end; i++) places[starts[subset[i]]++] = index * height + i - first;
  });
  return places;
}

function shiftDiagonals(stack: Float64Array, size: number, shifts: readonly number[]): void {
  for (const [index, shift] of shifts.entries()) {
    const start = index * size * size;
    for (let i = 0; i < size; i++) stack[start + i * (size + 1)] -= shift;
  }
}

/** Reads the last diagonal element of each factor, NaN where there is none. */
export function succeeded(factors: tf.Tensor): Uint8Array {
  const [batch, size] = factors.shape;
  const last = valuesOf(tf.slice(factors, [0, size - 1, size - 1], [batch, 1, 1]));
  return Uint8Array.from(last, (value) => (Number.isNaN(value) ? 0 : 1));
}

/**
 * How many rows of a symmetric matrix M `[size, size]`, of which the lower triangle is read, a Cholesky passes. Where not
 * all, `direction` `[size]` becomes a vector x with x^T M x <= 0: the row too many, made orthogonal (in M) to those passed.
 */
function factoredRows(matrix: ArrayLike<number>, size: number, direction: Float64Array): number {
  const factor = Float64Array.from({ length: size * size }, (_, at) => matrix[at]);
  const passed = factorize(factor, size);
  if (passed === size) return size;
  for (let j = 0; j < passed; j++) direction[j] = -factor[passed * size + j];
  solveTransposed(factor, size, passed, direction);
  direction[passed] = 1;
  return passed;
}

function product(values: Float64Array, count: number, columns: number): Float64Array {
  return inFloat64(() => {
    const rows = toTensor(values, [count, columns]) as tf.Tensor2D;
    return valuesOf(tf.matMul(rows, rows, false, true)) as Float64Array;
  });
}

function squaredNormsOf(values: Float64Array, count: number, columns: number): Float64Array {
  const norms = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) sum += values[i] * values[i];
    norms[row] = sum;
  }
  return norms;
}
