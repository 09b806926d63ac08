/**
 * tfjs-node-gpu's native half. Its own install script fetches libtensorflow and a prebuilt addon from hosts that often do
 * not answer, and both are old; here the addon is built from the package's own source against the libtensorflow of
 * data/sources.json. It is plain Node-API (two .cc files): one call of the compiler, one result for every Node version.
 * The built addon is kept in the cache, because `npm ci` wipes node_modules.
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
import { SetupFailure } from './failure.mjs';
import { cache, root, sources, tfjsPackage } from './places.mjs';
import { say } from './progress.mjs';
import { mustRun, run } from './run.mjs';

const FLAGS = ['-O2', '-std=c++17', '-fPIC', '-shared', '-DNAPI_VERSION=8'];
/** Where tfjs looks for the addon, and the addon for libtensorflow. */
const placed = join(tfjsPackage, 'lib', 'napi-v8', 'tfjs_binding.node');
const deps = join(tfjsPackage, 'deps');
const RUNPATH = '$ORIGIN/../../deps/lib';
/** Says that this addon was loaded and computed, with this libtensorflow and this Node. */
const stamp = join(tfjsPackage, 'lib', 'proved.json');

const headers = join(root, 'node_modules', 'node-api-headers');
const binding = join(tfjsPackage, 'binding');

/** What the addon is made of; another libtensorflow or another source makes another addon. */
function fingerprint(device) {
  const hash = createHash('sha256');
  hash.update(sources.find((source) => source.use === 'libtensorflow' && source.device === device).sha256);
  for (const name of readdirSync(binding).sort()) hash.update(readFileSync(join(binding, name)));
  hash.update(readFileSync(join(headers, 'package.json')));
  hash.update([...FLAGS, RUNPATH].join(' '));
  return hash.digest('hex').slice(0, 16);
}

const built = (device) => join(cache, 'addon', `${device}-${fingerprint(device)}`, 'tfjs_binding.node');
const proof = (device) =>
  JSON.stringify({ addon: fingerprint(device), libtensorflow: tensorflowFolder(device), node: process.version });

/** Whether the addon must be compiled (that needs a compiler). */
export function addonBuilt(device) {
  return existsSync(binding) && existsSync(headers) && existsSync(built(device));
}

/** Whether the addon lies in its place and was seen to work there. */
export function addonInPlace(device) {
  return addonBuilt(device) && existsSync(placed) && existsSync(stamp) && readFileSync(stamp, 'utf8') === proof(device);
}

/** Builds the addon if the cache does not have it, puts it in its place, and proves that it computes. */
export async function installAddon(device, compiler) {
  const began = Date.now();
  if (!addonBuilt(device)) await compile(device, compiler);
  mkdirSync(dirname(placed), { recursive: true });
  rmSync(stamp, { force: true });
  // A running program may have the old one open: replaced by renaming, it keeps what it has.
  copyFileSync(built(device), `${placed}.partial`);
  renameSync(`${placed}.partial`, placed);
  link(relative(tfjsPackage, tensorflowFolder(device)), deps);
  await prove();
  writeFileSync(stamp, proof(device));
  say(`TensorFlow's addon (${device}): works, ${Math.round((Date.now() - began) / 1000)} s`);
}

async function compile(device, compiler) {
  const target = built(device);
  const folder = tensorflowFolder(device);
  const lib = join(folder, 'lib');
  mkdirSync(dirname(target), { recursive: true });
  link('libtensorflow_cc.so.2', join(lib, 'libtensorflow.so'));
  link('libtensorflow_framework.so.2', join(lib, 'libtensorflow_framework.so'));
  const code = readdirSync(binding).filter((name) => name.endsWith('.cc'));
  await mustRun("building TensorFlow's addon", compiler, [
    ...FLAGS,
    ...[join(headers, 'include'), join(folder, 'include'), binding].flatMap((include) => ['-I', include]),
    ...code.map((name) => join(binding, name)),
    ...['-L', lib, '-ltensorflow', '-ltensorflow_framework', `-Wl,-rpath,${RUNPATH}`, '-o', `${target}.partial`],
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

/** Loads the addon in a process of its own (a broken one may end the process) and multiplies two matrices. */
async function prove() {
  const program = `
    const util = require('node:util');
    util.isArray ??= Array.isArray;
    util.isNullOrUndefined ??= (value) => value === null || value === undefined;
    const tf = require(process.argv[1]);
    const product = tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2])).dataSync();
    process.stdout.write('product ' + product.join(' '));`;
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
  const { status, output } = await run(process.execPath, ['-e', program, tfjsPackage], { env });
  if (status === 0 && output.includes('product 19 22 43 50')) return;
  const why =
    /GLIBC(?:XX)?_[\d.]+' not found|cannot open shared object file|undefined symbol|Illegal instruction|SIGILL/i.exec(
      output,
    )?.[0];
  throw new SetupFailure(
    `TensorFlow's addon was built but does not run here${why ? ` (${why})` : ''}; it said:\n  ${output.trim().split('\n').slice(-8).join('\n  ')}`,
    1,
  );
}
