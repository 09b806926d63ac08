/**
 * Kernels of our own, in C++ (lib/tensor/native, built by set-up), that TensorFlow runs on CPUs in place of its own or beside them.
 *
 * - Products, Cholesky factors, eigenvalues, singular values and triangular solutions by OpenBLAS. The wheel's kernels are
 *   built for the oldest processors that have AVX: on later ones a product in float64 takes 1.5 times as long as it
 *   could, an SVD twice as long. OpenBLAS detects the processor it runs on. TensorFlow prefers these kernels to its own.
 * - The steps of a Transformer's layer in one pass over memory each, and definiteness: see ./fused.
 *
 * `ATTENTION_KERNELS=tensorflow` turns them off: the tests compare the two, and so can you. Where TensorFlow has a
 * GPU it uses its own kernels there; of ours, only {@link definiteBlocks} is then used, which takes no tensors.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as TFJS from '@tensorflow/tfjs-node-gpu';
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend';
import { InputError } from '../input-error';

export type Kernels = 'native' | 'tensorflow' | 'gpu';

interface Addon {
  /** Makes TensorFlow use these kernels, wherever the tensors are: an op that has a preferred kernel runs where that kernel is. */
  takeOver(): void;
  /** How often one of its kernels was called. */
  calls(): number;
  description(): string;
  definiteBlocks(table: Float64Array, size: number, subsets: Int32Array, n: number, shifts: Float64Array): Uint8Array;
}

const load = createRequire(__filename);
const addonFile = join(
  dirname(load.resolve('@tensorflow/tfjs-node-gpu/package.json')),
  'lib',
  'napi-v8',
  'native_kernels.node',
);

const addon = wanted() ? loadAddon() : null;

/** Whose kernels TensorFlow computes with in this process: these, its own for CPUs, or its own for GPUs. */
export const kernels: Kernels = isUsingGpu() ? 'gpu' : addon === null ? 'tensorflow' : 'native';

// Now, since TensorFlow looks up the kernel of an op when the op first runs, and keeps it.
if (kernels === 'native') addon!.takeOver();

/** OpenBLAS's version, the processor that it computes for, and the threads; null without the native kernels. */
export function openblasDescription(): string | null {
  return addon && addon.description();
}

/** How often a native kernel was called in this process. */
export function nativeCalls(): number {
  return addon ? addon.calls() : 0;
}

/**
 * Whether blocks of one symmetric `table` [size, size] have Cholesky factors: for each subset the rows and columns that it
 * names, minus its shift times the identity. 1 or 0 for each; null without the native kernels.
 *
 * @param subsets `[B, n]`, row by row. @throws Error when a row is outside of the table, or lengths do not fit.
 */
export function definiteBlocks(
  table: Float64Array,
  size: number,
  subsets: Int32Array,
  n: number,
  shifts: Float64Array,
): Uint8Array | null {
  return addon && addon.definiteBlocks(table, size, subsets, n, shifts);
}

function isUsingGpu(): boolean {
  const { findBackend } = load('@tensorflow/tfjs-node-gpu') as typeof TFJS;
  return (findBackend('tensorflow') as NodeJSKernelBackend).isUsingGpuDevice;
}

function wanted(): boolean {
  const chosen = process.env.ATTENTION_KERNELS || 'native';
  if (chosen === 'native' || chosen === 'tensorflow') return chosen === 'native';
  throw new InputError(`ATTENTION_KERNELS: expected native or tensorflow, got ${chosen}`);
}

function loadAddon(): Addon {
  try {
    return load(addonFile) as Addon;
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split('\n');
    throw new Error(`The native kernels did not load (${reason.trim()}): run \`npm run setup\` to build them again.`, {
      cause: error,
    });
  }
}
