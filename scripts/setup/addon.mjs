/**
 * Compiles the two native addons. Each is plain Node-API: one call of the compiler, and a result that fits every Node.
 *
 * - tfjs-node-gpu's native half. Its own install script fetches libtensorflow and a prebuilt addon from hosts that often do
 *   not answer, and both are old. Here the addon is built from the package's own source (two .cc files) with the
 *   libtensorflow of data/sources.json.
 * - lib/tensor/native, kernels for that libtensorflow, most of which call OpenBLAS.
 *
 * The results are kept in the cache, because `npm ci` deletes node_modules.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { tensorflowFolder } from './device.mjs';
import { SetupFailure, knownCause } from './failure.mjs';
import { cache, root, sources, tfjsPackage } from './places.mjs';
import { say } from './progress.mjs';
import { mustRun, run } from './run.mjs';

const FLAGS = ['-O3', '-std=c++17', '-fPIC', '-shared', '-pthread', '-DNAPI_VERSION=8', '-DBLAS_SYMBOL_PREFIX=scipy_'];
/** Where tfjs looks for its addon and lib/tensor for the kernels, which find OpenBLAS in the same folder. */
const place = join(tfjsPackage, 'lib', 'napi-v8');
const deps = join(tfjsPackage, 'deps');
const RUNPATH = '$ORIGIN:$ORIGIN/../../deps/lib';
const OPENBLAS = 'libscipy_openblas.so';
/** Records that these addons loaded and computed with this libtensorflow and this Node. */
const stamp = join(tfjsPackage, 'lib', 'proved.json');

const headers = join(root, 'node_modules', 'node-api-headers');
const addons = [
  {
    name: 'tfjs_binding.node',
    called: "TensorFlow's addon",
    code: join(tfjsPackage, 'binding'),
    libraries: ['-ltensorflow', '-ltensorflow_framework'],
  },
  {
    name: 'native_kernels.node',
    called: 'the native kernels',
    code: join(root, 'lib', 'tensor', 'native'),
    libraries: ['-ltensorflow_framework', '-lscipy_openblas'],
  },
];

const tensorflowOf = (device) =>
  sources.find((source) => source.use === 'libtensorflow' && source.device === device).sha256;
const openblas = sources.find((source) => source.use === 'openblas');
const openblasFolder = dirname(dirname(join(cache, openblas.files[0].file)));
const openblasLibrary = join(openblasFolder, 'lib', OPENBLAS);

/** A hash of everything that the addons are built from. */
function fingerprint(device) {
  const hash = createHash('sha256');
  hash.update(tensorflowOf(device)).update(openblas.sha256);
  for (const { code } of addons)
    for (const name of readdirSync(code).sort()) hash.update(readFileSync(join(code, name)));
  hash.update(readFileSync(join(headers, 'package.json')));
  hash.update([...FLAGS, RUNPATH].join(' '));
  return hash.digest('hex').slice(0, 16);
}

const builtFolder = (device) => join(cache, 'addon', `${device}-${fingerprint(device)}`);
const proof = (device) =>
  JSON.stringify({ addon: fingerprint(device), libtensorflow: tensorflowFolder(device), node: process.version });

/** Whether the addons are compiled already, so that no compiler is needed. */
export function addonBuilt(device) {
  if (!existsSync(addons[0].code) || !existsSync(headers)) return false;
  return addons.every(({ name }) => existsSync(join(builtFolder(device), name)));
}

/** Whether the addons are installed and were seen to work. */
export function addonInPlace(device) {
  if (!addonBuilt(device) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== proof(device)) return false;
  return [...addons.map(({ name }) => name), OPENBLAS].every((name) => existsSync(join(place, name)));
}

/** Builds the addons unless the cache has them, installs them, and checks that they compute. */
export async function installAddon(device, findCompiler) {
  const began = Date.now();
  const found = addonBuilt(device);
  if (!found) await compileAll(device, findCompiler);
  try {
    await putInPlace(device);
  } catch (error) {
    // The cached addons may be damaged, or built for another C library.
    if (!found || error.cause) throw error;
    rmSync(builtFolder(device), { recursive: true });
    await compileAll(device, findCompiler);
    await putInPlace(device);
  }
  writeFileSync(stamp, proof(device));
  say(`TensorFlow's addon and the native kernels (${device}): working, ${Math.round((Date.now() - began) / 1000)} s`);
}

async function compileAll(device, findCompiler) {
  const { compiler, problem } = await findCompiler();
  if (problem) throw new SetupFailure(problem);
  await Promise.all(addons.map((addon) => compile(addon, device, compiler)));
}

async function putInPlace(device) {
  mkdirSync(place, { recursive: true });
  rmSync(stamp, { force: true });
  for (const { name } of addons) {
    // A running program may have the old file open and keeps it, because the new one replaces it by renaming.
    copyFileSync(join(builtFolder(device), name), join(place, `${name}.partial`));
    renameSync(join(place, `${name}.partial`), join(place, name));
  }
  link(relative(place, openblasLibrary), join(place, OPENBLAS));
  link(relative(tfjsPackage, tensorflowFolder(device)), deps);
  await prove(device);
}

async function compile({ name, called, code, libraries }, device, compiler) {
  const target = join(builtFolder(device), name);
  const folder = tensorflowFolder(device);
  const lib = join(folder, 'lib');
  mkdirSync(dirname(target), { recursive: true });
  link('libtensorflow_cc.so.2', join(lib, 'libtensorflow.so'));
  link('libtensorflow_framework.so.2', join(lib, 'libtensorflow_framework.so'));
  const include = [...[headers, folder, openblasFolder].map((path) => join(path, 'include')), code];
  await mustRun(`building ${called}`, compiler, [
    ...FLAGS,
    ...include.flatMap((path) => ['-I', path]),
    ...readdirSync(code)
      .filter((file) => file.endsWith('.cc'))
      .map((file) => join(code, file)),
    ...['-L', lib, '-L', dirname(openblasLibrary), ...libraries, `-Wl,-rpath,${RUNPATH}`, '-o', `${target}.partial`],
  ]);
  renameSync(`${target}.partial`, target);
}

/** A symbolic link, replaced in one step. */
function link(target, path) {
  try {
    if (readlinkSync(path) === target) return;
  } catch {
    // not there yet, or not a link
  }
  rmSync(`${path}.partial`, { force: true });
  symlinkSync(target, `${path}.partial`);
  renameSync(`${path}.partial`, path);
}

/**
 * Loads the addons in a separate process (a broken one may crash it), multiplies two matrices, and checks that OpenBLAS
 * did so.
 */
async function prove(device) {
  const program = `
    const util = require('node:util');
    util.isArray ??= Array.isArray;
    util.isNullOrUndefined ??= (value) => value === null || value === undefined;
    const [tfjs, kernels] = process.argv.slice(1);
    const tf = require(tfjs);
    const { calls, takeOver } = require(kernels);
    if (!tf.backend().isUsingGpuDevice) takeOver();
    const product = tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2])).dataSync();
    process.stdout.write('product ' + product.join(' ') + ', ' + calls() + ' call');`;
  // On a GPU, TensorFlow's own kernels compute.
  const expected = device === 'gpu' ? 'product 19 22 43 50' : 'product 19 22 43 50, 1 call';
  // As in lib/tensor/node-compatibility.ts: with oneDNN our kernels are never called on some processors.
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', TF_ENABLE_ONEDNN_OPTS: '0' };
  const { status, output } = await run(process.execPath, ['-e', program, tfjsPackage, join(place, addons[1].name)], {
    env,
  });
  if (status === 0 && output.includes(expected)) return;
  const cause = knownCause("loading TensorFlow's addon", output);
  if (cause) throw cause;
  const why =
    /GLIBC(?:XX)?_[\d.]+' not found|cannot open shared object file|undefined symbol|Illegal instruction|SIGILL/i.exec(
      output,
    )?.[0];
  throw new SetupFailure(
    `TensorFlow's addon was built but does not run here${why ? ` (${why})` : ''}; \`npm run setup -- --fresh\` installs and builds everything again. Its output ends with:\n  ${output.trim().split('\n').slice(-8).join('\n  ')}`,
    1,
  );
}
