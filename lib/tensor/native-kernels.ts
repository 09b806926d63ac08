/**
 * Kernels of our own, in C++ (lib/tensor/native, built by set-up), that TensorFlow runs on CPUs in place of or beside its.
 *
 * - Products, Cholesky factors, eigenvalues, singular values and triangular solutions by OpenBLAS. The wheel's kernels are
 *   built for the oldest processors that have AVX: on later ones a product in float64 takes half as long again as it must,
 *   an SVD twice as long. OpenBLAS looks what processor it is on. TensorFlow prefers these kernels to its own.
 * - The steps of a Transformer's layer in one pass over memory each, see ./fused.
 *
 * `ATTENTION_KERNELS=tensorflow` does without them: the tests compare the two, and so may a sceptic.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InputError } from '../input-error';

export type Kernels = 'native' | 'tensorflow';

interface Addon {
  /** How often one of its kernels was called. */
  calls(): number;
  description(): string;
}

const load = createRequire(__filename);
const addonFile = join(
  dirname(load.resolve('@tensorflow/tfjs-node-gpu/package.json')),
  'lib',
  'napi-v8',
  'native_kernels.node',
);

/** Whose kernels TensorFlow computes with in this process. */
export const kernels = chosenKernels();

// At once: TensorFlow looks for an op's kernel when the op first runs, and keeps it.
const addon = kernels === 'native' ? loadAddon() : null;

/** OpenBLAS's version, the processor that it computes for, and the threads; null without the native kernels. */
export function openblasDescription(): string | null {
  return addon && addon.description();
}

/** How often a native kernel was called in this process. */
export function nativeCalls(): number {
  return addon ? addon.calls() : 0;
}

function chosenKernels(): Kernels {
  const chosen = process.env.ATTENTION_KERNELS || 'native';
  if (chosen === 'native' || chosen === 'tensorflow') return chosen;
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
