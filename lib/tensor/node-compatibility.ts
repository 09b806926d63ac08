/**
 * What has to happen before TensorFlow's native addon loads. Imported first by `./tensorflow`, for its effects only.
 */
import { createRequire } from 'node:module';
import util from 'node:util';

// TensorFlow both throws and logs its errors; it also logs every matrix that has no Cholesky factor, which is an
// answer here and not an error. Only fatal errors go to its log.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';
// Otherwise TensorFlow runs products as ops of oneDNN on processors that have AVX-512 VNNI, whatever kernels the op has:
// the native ones (./native-kernels) would never be called there. It also prints a notice that no log level hides.
process.env.TF_ENABLE_ONEDNN_OPTS = '0';
// On NVIDIA's GPUs since Ampere, TensorFlow rounds the factors of a float32 product to 11 significant bits
// (TensorFloat-32) unless told otherwise, and only its Python can be told. CUDA's libraries obey this name: float32 is
// float32 everywhere.
process.env.NVIDIA_TF32_OVERRIDE ??= '0';
// Otherwise the first process takes nearly all of a GPU's memory, and a second one (a test beside a test, a notebook
// beside a command) finds none.
process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';

// tfjs-node 4.22 calls two functions that Node 22 deprecates and Node 23 removes.
Object.assign(util, {
  isArray: Array.isArray,
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
});

try {
  // Loaded here so that what can go wrong is said in one sentence; `./tensorflow` then finds it loaded.
  createRequire(__filename)('@tensorflow/tfjs-node-gpu');
} catch (error) {
  const [reason] = String(error instanceof Error ? error.message : error).split('\n');
  throw new Error(`TensorFlow did not load (${reason.trim()}): run \`npm run setup\` to install it again.`, {
    cause: error,
  });
}
