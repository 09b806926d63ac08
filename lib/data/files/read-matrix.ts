/** Feature matrices from files. */
import { extname } from 'node:path';
// Imported one by one, not from '..', so that a bad file is refused before TensorFlow is loaded.
import { readCsv } from './csv';
import { type MatrixFile, readNpyArray, readNpyMatrix, requireFinite } from './matrix-file';
import type { NpyType } from './npy-header';
import { openNpz } from './npz';
import { requireMemory } from './memory';
import { InputError } from '../../input-error';
import { fileBytes, openSafetensors, type SafetensorsEntry } from './safetensors';

export interface MatrixFileOptions {
  /** Which tensor of a `.safetensors` or `.npz` file; not needed if the file holds a single one. */
  readonly tensor?: string;
}

/**
 * Reads a feature matrix [T, d], one example per row, from `.npy` or `.npz` (floats or whole numbers, either order), text
 * (`.csv`, `.tsv`, `.txt`; float64) or `.safetensors`. Floats of 16 bits are widened to float32, whole numbers to float64.
 *
 * @throws InputError when the file is of another kind, broken or too large for the memory, or holds NaN or infinity.
 */
export async function readMatrixFile(path: string, { tensor }: MatrixFileOptions = {}): Promise<MatrixFile> {
  const extension = extname(path).toLowerCase();
  if (extension === '.safetensors') return readSafetensorsMatrix(path, tensor);
  if (extension === '.npz') return readNpyMatrix(path, await openNpz(path, tensor));
  if (tensor !== undefined) {
    throw new InputError(
      `a tensor's name expects a .safetensors or .npz file, got '${path}'; leave the name '${tensor}' out`,
    );
  }
  if (extension === '.npy') return readNpyMatrix(path);
  if (TEXT.includes(extension)) return readCsv(path);
  throw new InputError(`expected a .npy, .npz, .csv, .tsv, .txt or .safetensors file, got '${path}'`);
}

const TEXT = ['.csv', '.tsv', '.txt'];

/** Rows `[T, d]` of numbers as they are in the file: floats, which are rationals, and whole numbers of any size. */
export interface ExactMatrixFile {
  readonly values: ArrayLike<number | bigint>;
  readonly shape: readonly [rows: number, columns: number];
  /** `whole` for a `.csv` whose numbers are all written without a point and an exponent. */
  readonly dtype: NpyType | 'whole';
  /** Sentences on what was left out. */
  readonly notes?: readonly string[];
}

/**
 * The same files without rounding. A number in a text with a point or an exponent
 * is the float64 next to it.
 *
 * @throws InputError as {@link readMatrixFile}.
 */
export async function readExactMatrix(path: string, options: MatrixFileOptions = {}): Promise<ExactMatrixFile> {
  const extension = extname(path).toLowerCase();
  if (extension === '.npz' || (extension === '.npy' && options.tensor === undefined)) {
    const opened = extension === '.npz' ? await openNpz(path, options.tensor) : undefined;
    const { data, shape, dtype } = await readNpyArray(path, opened);
    return { values: data, shape, dtype };
  }
  if (TEXT.includes(extension) && options.tensor === undefined) {
    const { data, shape, whole, large, notes } = await readCsv(path);
    const values = large.size === 0 ? data : Array.from(data, (value, index) => large.get(index) ?? value);
    return { values, shape, dtype: whole ? 'whole' : 'float64', notes };
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
    dtype: ['F32', 'F16', 'BF16'].includes(entry.dtype) ? 'float32' : 'float64',
    ...(!['F32', 'F64'].includes(entry.dtype) && { notes: [`'${path}' holds ${entry.dtype}, widened exactly`] }),
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
  if (!/^(F64|F32|F16|BF16|[IU](8|16|32|64))$/.test(dtype)) {
    throw new InputError(`${where} expected floats of 16 to 64 bits or whole numbers, got ${dtype}`);
  }
}

function listed(names: readonly string[]): string {
  const most = 8;
  return names.slice(0, most).join(', ') + (names.length > most ? ` and ${names.length - most} more` : '') || 'nothing';
}
