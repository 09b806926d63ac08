import { InputError } from '../../input-error';
import type { Matrix } from '../../tensor';
import { fromBfloat16, fromFloat16 } from './half-precision';
import { openNpy, readNpy, type NpyFile } from './npy';
import type { NpyData, NpyType } from './npy-header';
import { exactIntegers } from './safetensors';

/** Features from a file: `[T, d]`, one example per row, all finite. */
export interface MatrixFile extends Matrix {
  /** The type of the file's numbers; it sets the default tolerance. */
  readonly dtype: 'float32' | 'float64';
  /** Sentences on what was left out or converted; absent if nothing was. */
  readonly notes?: readonly string[];
}

/**
 * Reads features from a `.npy` file of floats or whole numbers. float16 and bfloat16 (which NumPy stores as `V2`) become
 * float32, whole numbers float64.
 *
 * @param opened the file, if it is open already; it is closed
 * @throws InputError when it is not a `[T, d]` array of numbers, or holds NaN, infinity or integers beyond 2^53.
 */
export async function readNpyMatrix(path: string, opened?: NpyFile): Promise<MatrixFile> {
  const { data: stored, shape, dtype } = await readNpyArray(path, opened);
  const data = widened(stored, dtype, path);
  return {
    data,
    shape,
    dtype: data instanceof Float32Array ? 'float32' : 'float64',
    ...(dtype !== 'float32' && dtype !== 'float64' && { notes: [`'${path}' holds ${dtype}, widened exactly`] }),
  };
}

/** A matrix of numbers of any type. */
export interface NumberMatrix {
  readonly data: NpyData;
  readonly shape: readonly [rows: number, columns: number];
  readonly dtype: NpyType;
}

/**
 * Reads a matrix of numbers of any type from a `.npy` file; floats of 16 bits become float32.
 *
 * @param opened the file, if it is open already; it is closed
 * @throws InputError when it is not a `[T, d]` array, or holds NaN or infinity.
 */
export async function readNpyArray(path: string, opened?: NpyFile): Promise<NumberMatrix> {
  const file = opened ?? (await openNpy(path));
  try {
    const { dtype, shape } = file;
    if (shape.length !== 2) {
      throw new InputError(
        `'${path}': expected a matrix [T, d] with one example per row, got the shape (${shape.join(', ')}); ` +
          'reshape it to two axes',
      );
    }
    const [rows, columns] = shape;
    if (rows === 0 || columns === 0) {
      throw new InputError(`'${path}' holds no numbers: its shape is (${rows}, ${columns})`);
    }
    const stored = await file.readAll();
    const data = dtype === 'float16' || dtype === 'bfloat16' ? widened(stored, dtype, path) : stored;
    if (data instanceof Float32Array || data instanceof Float64Array) {
      requireFinite({ data, shape: [rows, columns] }, path);
    }
    return { data, shape: [rows, columns], dtype };
  } finally {
    await file.close();
  }
}

/** The same numbers as floats. */
function widened(data: NpyData, dtype: NpyType, path: string): Float32Array | Float64Array {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  if (dtype === 'float16') return fromFloat16(data as Uint16Array);
  if (dtype === 'bfloat16') return fromBfloat16(data as Uint16Array);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return exactIntegers(data, `'${path}'`);
  return Float64Array.from(data);
}

/**
 * @param source the file's name, for the message
 * @throws InputError that names the first row with NaN or infinity, counted from 0.
 */
export function requireFinite({ data, shape: [, columns] }: Matrix, source: string): void {
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const row = Math.floor(bad / columns);
  throw new InputError(
    `'${source}': expected finite numbers, which alone have a rank, got ${Number.isNaN(data[bad]) ? 'NaN' : 'infinity'} in ` +
      `row ${row}, column ${bad % columns} (counted from 0); leave that row out`,
  );
}

/** Token numbers from a file: `[T, n]`. */
export interface Tokens {
  readonly ids: Int32Array;
  readonly shape: readonly [examples: number, tokens: number];
}

/**
 * Reads the token numbers of examples from a `.npy` file of int32 or int64.
 *
 * @throws InputError when it is not such a `[T, n]` array, or a number is negative or too large for a token.
 */
export async function readTokens(path: string): Promise<Tokens> {
  const { data, shape, dtype } = await readNpy(path);
  if (dtype !== 'int32' && dtype !== 'int64') {
    throw new InputError(
      `'${path}': expected token numbers in int32 or int64, got ${dtype}; convert them with x.astype('int32')`,
    );
  }
  const [examples, tokens] = shape;
  if (shape.length !== 2 || data.length === 0) {
    throw new InputError(`'${path}': expected token numbers [T, n], got the shape (${shape.join(', ')})`);
  }
  const ids = data instanceof Int32Array ? data : Int32Array.from(data as BigInt64Array, Number);
  const bad = ids.findIndex((id, i) => id < 0 || id !== Number(data[i]));
  if (bad >= 0) {
    throw new InputError(
      `'${path}': expected token numbers, which are whole numbers of at least 0, got ${data[bad]} in row ` +
        `${Math.floor(bad / tokens)}, column ${bad % tokens} (counted from 0)`,
    );
  }
  return { ids, shape: [examples, tokens] };
}

/**
 * Opens preprocessed images, `[T, 3, H, W]`, for reading in batches with `read(start, end)`; `close` it at the end.
 *
 * @throws InputError when the file holds anything else.
 */
export async function openPixels(path: string): Promise<NpyFile> {
  const file = await openNpy(path);
  const { dtype, shape } = file;
  const pixels = shape.length === 4 && shape[1] === 3 && !shape.includes(0);
  if (pixels && (dtype === 'float32' || dtype === 'float64')) return file;
  await file.close();
  throw new InputError(
    `'${path}': expected normalised pixels [T, 3, H, W] in float32, got ${dtype} of the shape (${shape.join(', ')})`,
  );
}
