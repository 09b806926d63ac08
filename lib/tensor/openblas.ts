/**
 * Who computes TensorFlow's products, Cholesky factors, eigenvalues, singular values and triangular solutions on CPUs. The
 * wheel's own kernels are built for the oldest processors that have AVX: on later ones a product in float64 takes half as
 * long again as it must, an SVD twice as long. So an addon (lib/tensor/openblas, built by set-up) registers kernels that
 * call OpenBLAS, which looks what processor it is on; TensorFlow prefers them to its own.
 *
 * `ATTENTION_KERNELS=tensorflow` leaves TensorFlow's in place: the tests compare the two, and so may a sceptic.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InputError } from '../input-error';

export type Kernels = 'openblas' | 'tensorflow';

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
  'openblas_kernels.node',
);

/** Whose kernels TensorFlow computes with in this process. */
export const kernels = chosenKernels();

// At once: TensorFlow looks for an op's kernel when the op first runs, and keeps it.
const addon = kernels === 'openblas' ? loadAddon() : null;

/** OpenBLAS's version, the processor that it computes for, and the threads; null with TensorFlow's own kernels. */
export function openblasDescription(): string | null {
  return addon && addon.description();
}

/** How often OpenBLAS was called in this process. */
export function openblasCalls(): number {
  return addon ? addon.calls() : 0;
}

function chosenKernels(): Kernels {
  const chosen = process.env.ATTENTION_KERNELS || 'openblas';
  if (chosen === 'openblas' || chosen === 'tensorflow') return chosen;
  throw new InputError(`ATTENTION_KERNELS: expected openblas or tensorflow, got ${chosen}`);
}

function loadAddon(): Addon {
  try {
    return load(addonFile) as Addon;
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split('\n');
    throw new Error(`OpenBLAS did not load (${reason.trim()}): run \`npm run setup\` to build its kernels again.`, {
      cause: error,
    });
  }
}
