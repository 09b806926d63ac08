/** Feature matrices from files. */
import { extname } from 'node:path';
// Imported one by one, not from '..', so that a bad file is refused before TensorFlow is loaded.
import { readCsv } from './csv';
import { type MatrixFile, readNpyArray, readNpyMatrix, requireFinite } from './matrix-file';
import type { NpyType } from './npy-header';
import { requireMemory } from './memory';
import { InputError } from '../../input-error';
import { fileBytes, openSafetensors, type SafetensorsEntry } from './safetensors';

export interface MatrixFileOptions {
  /** Which tensor of a `.safetensors` file; not needed if the file holds a single matrix. */
  readonly tensor?: string;
}

/**
 * Reads a feature matrix [T, d], one example per row, from `.npy` (float32 or float64, either order), `.csv` (float64) or
 * `.safetensors` (F32, F64, F16, BF16; the last two are widened to float32).
 *
 * @throws InputError when the file is of another kind, broken or too large for the memory, or holds NaN or infinity.
 */
export async function readMatrixFile(path: string, { tensor }: MatrixFileOptions = {}): Promise<MatrixFile> {
  const extension = extname(path).toLowerCase();
  if (extension === '.safetensors') return readSafetensorsMatrix(path, tensor);
  if (tensor !== undefined) {
    throw new InputError(`a tensor's name expects a .safetensors file, got '${path}'; leave the name '${tensor}' out`);
  }
  if (extension === '.npy') return readNpyMatrix(path);
  if (extension === '.csv') return readCsv(path);
  throw new InputError(`expected a .npy, .csv or .safetensors file, got '${path}'`);
}

/** Rows `[T, d]` of numbers as they are in the file: floats, which are rationals, and whole numbers of any size. */
export interface ExactMatrixFile {
  readonly values: ArrayLike<number | bigint>;
  readonly shape: readonly [rows: number, columns: number];
  /** `whole` for a `.csv` whose numbers are all written without a point and an exponent. */
  readonly dtype: NpyType | 'whole';
}

/**
 * The same files, and `.npy` files of whole numbers, without rounding. A number in a `.csv` with a point or an exponent
 * is the float64 next to it.
 *
 * @throws InputError as {@link readMatrixFile}.
 */
export async function readExactMatrix(path: string, options: MatrixFileOptions = {}): Promise<ExactMatrixFile> {
  const extension = extname(path).toLowerCase();
  if (extension === '.npy' && options.tensor === undefined) {
    const { data, shape, dtype } = await readNpyArray(path);
    return { values: data, shape, dtype };
  }
  if (extension === '.csv' && options.tensor === undefined) {
    const { data, shape, whole, large } = await readCsv(path);
    const values = large.size === 0 ? data : Array.from(data, (value, index) => large.get(index) ?? value);
    return { values, shape, dtype: whole ? 'whole' : 'float64' };
  }
  const { data, shape, dtype } = await readMatrixFile(path, options);
  return { values: data, shape, dtype };
}

function readSafetensorsMatrix(path: string, tensor: string | undefined): MatrixFile {
  const file = openSafetensors(fileBytes(path));
  const matrices = [...file.entries].filter(([, { shape }]) => shape.length === 2).map(([name]) => name);
  if (tensor === undefined && matrices.length !== 1) {
    const held = matrices.length === 0 ? 'none' : `${matrices.length} (${listed(matrices)})`;
    throw new InputError(
      `'${path}': expected one matrix, got ${held}; name one with --tensor (in the notebook: ATTENTION_FEATURES_TENSOR)`,
    );
  }
  const name = tensor ?? matrices[0];
  const entry = file.entries.get(name);
  if (entry === undefined) {
    throw new InputError(`'${path}': expected a tensor '${name}', got ${listed([...file.entries.keys()])}`);
  }
  const where = `'${path}', tensor '${name}':`;
  checkEntry(entry, where);
  // The stored bytes, and the numbers if they are widened.
  requireMemory((entry.end - entry.begin) * 3, where.slice(0, -1));
  const matrix: MatrixFile = {
    data: file.read(name),
    shape: [entry.shape[0], entry.shape[1]],
    dtype: entry.dtype === 'F64' ? 'float64' : 'float32',
  };
  requireFinite(matrix, path);
  return matrix;
}

function checkEntry({ shape, dtype }: SafetensorsEntry, where: string): void {
  if (shape.length !== 2 || shape.includes(0)) {
    throw new InputError(
      `${where} expected a matrix [T, d] with one example per row, got the shape [${shape.join(', ')}]`,
    );
  }
  if (!['F64', 'F32', 'F16', 'BF16'].includes(dtype)) {
    throw new InputError(`${where} expected F64, F32, F16 or BF16, got ${dtype}`);
  }
}

function listed(names: readonly string[]): string {
  const most = 8;
  return names.slice(0, most).join(', ') + (names.length > most ? ` and ${names.length - most} more` : '') || 'nothing';
}
