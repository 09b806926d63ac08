/**
 * What has to happen before TensorFlow's native addon loads. Imported first by `./tensorflow`, for its effects only.
 */
import util from 'node:util';

// TensorFlow reports each matrix that has no Cholesky factor as a warning, and here that is an answer, not an accident.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';

// tfjs-node 4.22 calls two functions that Node 22 deprecates and Node 23 removes.
Object.assign(util, {
  isArray: Array.isArray,
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
});

try {
  // Loaded here so that what can go wrong is said in one sentence; `./tensorflow` then finds it loaded.
  require('@tensorflow/tfjs-node-gpu');
} catch (error) {
  const reason = String(error instanceof Error ? error.message : error).split('\n')[0].trim();
  throw new Error(`TensorFlow could not be loaded (${reason}): run \`npm run setup\` to build it anew.`, {
    cause: error,
  });
}
