/** How TensorFlow loads, each time in a process of its own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const library = JSON.stringify(require.resolve('attention-capacity/tensor/index'));

function runNode(script: string, environment: NodeJS.ProcessEnv = {}): { stdout: string; stderr: string } {
  const ours = /^(TF_|NVIDIA_|NODE_OPTIONS$|NODE_V8_COVERAGE$)/;
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  const env = { ...inherited, ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env });
  assert.equal(status, 0, stderr);
  return { stdout: stdout.trim(), stderr };
}

const everyBackend = `
  const { tf, inPrecision, cholesky, toTensor } = require(${library});
  for (const precision of ['float32', 'float64']) {
    inPrecision(precision, () => cholesky(toTensor([1, 2, 2, 1], [2, 2])).dataSync());
    inPrecision(precision, () => tf.matMul(tf.ones([64, 64]), tf.ones([64, 64])).dataSync());
  }
`;

test('nothing is printed while TensorFlow loads and works, a failed Cholesky included', () => {
  assert.deepEqual(runNode(everyBackend), { stdout: '', stderr: '' });
});

test("a user's own log level is respected", () => {
  const printed = runNode(`require(${library}); console.log(process.env.TF_CPP_MIN_LOG_LEVEL)`, {
    TF_CPP_MIN_LOG_LEVEL: '0',
  });
  assert.equal(printed.stdout, '0');
  assert.notEqual(printed.stderr, '');
});

test('a command, too, leaves only fatal errors to its log: a program expects one line at most', () => {
  const command = JSON.stringify(
    require.resolve('attention-capacity/package.json').replace(/package\.json$/, 'dist/cli/cli.js'),
  );
  const setting = '--heads 1 --context 2 --head-size 2 --examples 2 --contexts shared --task regression --width 2';
  const { stdout } = runNode(`
    const load = process.dlopen;
    process.dlopen = function (module, file, ...rest) {
      if (file.endsWith('tfjs_binding.node')) console.log(process.env.TF_CPP_MIN_LOG_LEVEL);
      return load.call(this, module, file, ...rest);
    };
    process.argv = [process.execPath, 'attention-capacity', 'capacity', ...'${setting}'.split(' ')];
    require(${command});
  `);
  assert.match(stdout, /^3\n/);
});

/** What a GPU is told, as it stands when the native addon loads. */
const toldBeforeLoading = `
  const load = process.dlopen;
  process.dlopen = function (module, file, ...rest) {
    const { NVIDIA_TF32_OVERRIDE, TF_FORCE_GPU_ALLOW_GROWTH } = process.env;
    if (file.endsWith('tfjs_binding.node')) console.log(NVIDIA_TF32_OVERRIDE, TF_FORCE_GPU_ALLOW_GROWTH);
    return load.call(this, module, file, ...rest);
  };
  require(${library});
`;

test('before TensorFlow loads, a GPU is told to keep all digits of float32 and to leave memory for others', () => {
  assert.equal(runNode(toldBeforeLoading).stdout, '0 true');
});

test("a user's own settings for a GPU are respected", () => {
  const { stdout } = runNode(toldBeforeLoading, { NVIDIA_TF32_OVERRIDE: '1', TF_FORCE_GPU_ALLOW_GROWTH: 'false' });
  assert.equal(stdout, '1 false');
});

test('the two functions that later versions of Node lack are put back', () => {
  const { stdout } = runNode(`
    const util = require('node:util');
    delete util.isArray;
    delete util.isNullOrUndefined;
    const { tf } = require(${library});
    console.log(tf.stack([tf.ones([2]), tf.ones([2])]).sum().dataSync()[0]);
    console.log([null, undefined, 0, ''].map(util.isNullOrUndefined).join(), util.isArray([]));
  `);
  assert.equal(stdout, '4\ntrue,true,false,false true');
});

test('a missing or broken addon is one sentence that says what to do', () => {
  const { stdout } = runNode(`
    const Module = require('node:module');
    const load = Module._load;
    Module._load = function (request, ...rest) {
      if (request.endsWith('tfjs_binding.node')) throw new Error('libtensorflow.so.2: cannot open shared object file\\nmore');
      return load.call(this, request, ...rest);
    };
    try {
      require(${library});
    } catch (error) {
      console.log(error.message);
    }
  `);
  assert.equal(
    stdout,
    'TensorFlow did not load (libtensorflow.so.2: cannot open shared object file): run `npm run setup` to install it again.',
  );
});
