/**
 * Sets up what is missing, and nothing else: the packages of Node and Python, libtensorflow with its addon, photographs,
 * image sets and weights. Each step is skipped if its result exists and is right. A result gets its name, or its stamp,
 * only after it was checked, so that a failed run leaves nothing that looks complete.
 */
import { join } from 'node:path';
import { build } from './build.mjs';
import {
  findCompiler,
  findPython,
  nodeProblem,
  npmProblem,
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
import { cache, root } from './places.mjs';
import { say } from './progress.mjs';
import { environmentPresent, jupyter, makeEnvironment } from './python.mjs';
import { fetchSource, missingSources, spaceFor } from './sources.mjs';

/** Bytes, measured: node_modules, .venv, CUDA's wheels packed and unpacked, and room to work. */
const SPACE = { nodePackages: 0.7e9, pythonPackages: 0.5e9, cuda: 8e9, work: 0.5e9 };

/** Checks everything, names all problems of the machine at once, then sets up what is missing. */
async function setUpAlone() {
  const device = chosenDevice();
  const missing = {
    nodePackages: !nodePackagesPresent(),
    pythonPackages: !environmentPresent(jupyter),
    sources: await missingSources(device),
    cuda: !cudaPresent(device),
    addon: !addonInPlace(device),
  };
  if (
    !missing.nodePackages &&
    !missing.pythonPackages &&
    missing.sources.length === 0 &&
    !missing.cuda &&
    !missing.addon
  )
    return;

  const [python, compiler, npm] = await Promise.all([
    missing.pythonPackages ? findPython() : {},
    addonBuilt(device) ? {} : findCompiler(),
    npmProblem(),
  ]);
  const sizes = [
    missing.nodePackages ? SPACE.nodePackages : 0,
    missing.pythonPackages ? SPACE.pythonPackages : 0,
    missing.cuda ? SPACE.cuda : 0,
    ...missing.sources.map(spaceFor),
  ];
  const space = spaceProblem(sizes.reduce((sum, bytes) => sum + bytes, SPACE.work));
  const problems = [platformProblem(), npm, python.problem, compiler.problem, space].filter(Boolean);
  if (problems.length > 0)
    throw new SetupFailure(
      `Nothing was downloaded, because this machine lacks something:\n${problems.map((line) => `- ${line}`).join('\n')}`,
    );

  say('Setting up what is missing (once; if it is interrupted, the next run resumes)');
  if (missing.nodePackages) await installNodePackages();
  if (missing.pythonPackages) await makeEnvironment(jupyter, python.interpreter);
  for (const source of missing.sources) await fetchSource(source);
  if (missing.cuda) await installCuda();
  // Checked again: installing Node packages deletes the addon.
  if (!addonInPlace(device)) await installAddon(device, compiler.compiler);
  rememberDevice(device);
}

/** Locks the checkout and the cache (which several checkouts may share) while `work` runs. */
function inside(work) {
  const problem = nodeProblem() ?? writableProblem();
  if (problem) throw new SetupFailure(problem);
  return alone(join(root, '.setup.lock'), () => alone(join(cache, '.cache.lock'), work));
}

/** Sets up what is missing. */
export function setUp() {
  return inside(setUpAlone);
}

/** Sets up what is missing and builds; every command begins with it. */
export function prepare() {
  return inside(async () => {
    await setUpAlone();
    await build();
    installKernelspec();
  });
}

if (isMain(import.meta.url)) {
  await runScript(async () => {
    await prepare();
    say('Everything is set up.');
  });
}
