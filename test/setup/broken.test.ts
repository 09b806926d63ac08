/** The doctor in front of installations that are broken, each in one way: it names what is wrong and what to do about it. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { DoctorReport, Finding } from 'attention-capacity/doctor/index';
import { root, runNode, temporaryFolder } from './scripts';

const packages = ['@tensorflow/tfjs-node-gpu', 'danfojs-node', 'plotly.js-dist', 'tslab', 'typescript'];
const cache = process.env.ATTENTION_CACHE ?? join(root, 'data', 'cache');

/** A copy of what the doctor looks at, without its weight: it can be broken. */
function copyOfTheProject(t: TestContext): string {
  const copy = temporaryFolder(t);
  mkdirSync(join(copy, 'data'));
  copyFileSync(join(root, 'data', 'sources.json'), join(copy, 'data', 'sources.json'));
  for (const name of packages) {
    const folder = join(copy, 'node_modules', name);
    mkdirSync(folder, { recursive: true });
    copyFileSync(join(root, 'node_modules', name, 'package.json'), join(folder, 'package.json'));
  }
  symlinkSync('cpu-2.21.0', join(copy, 'node_modules', packages[0], 'deps'));
  cpSync(join(root, 'jupyter', 'kernels'), join(copy, 'jupyter', 'kernels'), { recursive: true });
  symlinkSync(join(root, '.venv'), join(copy, '.venv'));
  symlinkSync(cache, join(copy, 'data', 'cache'));
  return copy;
}

/** What the doctor finds wrong with a copy; `first` is run in its process before it looks. */
async function problems(copy: string, env: NodeJS.ProcessEnv = {}, first = ''): Promise<Finding[]> {
  const look =
    "require('attention-capacity/doctor/index').examine().then((report) => console.log(JSON.stringify(report)))";
  const { status, stdout, stderr } = await runNode(
    ['--eval', `${first};${look}`],
    { ATTENTION_CAPACITY_HOME: copy, ATTENTION_CACHE: '', ...env },
    root,
  );
  assert.equal(status, 0, `the doctor itself failed: ${stderr}`);
  const { healthy, findings } = JSON.parse(stdout) as DoctorReport;
  const wrong = findings.filter(({ ok }) => !ok);
  assert.equal(healthy, wrong.length === 0);
  return wrong;
}

/** The only problem, in words. */
async function onlyProblem(...args: Parameters<typeof problems>): Promise<string> {
  const wrong = await problems(...args);
  assert.equal(wrong.length, 1, JSON.stringify(wrong));
  const [{ name, found, remedy }] = wrong;
  return `${name}: ${found} -> ${remedy}`;
}

describe('the doctor', () => {
  test('finds nothing wrong with a copy that is whole', async (t) => {
    assert.deepEqual(await problems(copyOfTheProject(t)), []);
  });

  test('a Node that nobody tried, and an npm that does not run', async (t) => {
    const old = "Object.defineProperty(process.versions, 'node', { value: '18.20.0' })";
    assert.match(await onlyProblem(copyOfTheProject(t), {}, old), /^node: 18\.20\.0 -> install Node 20, 22 or 24$/);
    assert.match(
      await onlyProblem(copyOfTheProject(t), { PATH: temporaryFolder(t) }),
      /^npm: does not run -> install npm; it comes with Node$/,
    );
  });

  test('a Node package that is missing or cut short', async (t) => {
    const copy = copyOfTheProject(t);
    rmSync(join(copy, 'node_modules', 'danfojs-node'), { recursive: true });
    assert.match(await onlyProblem(copy), /^danfojs-node: not installed -> npm run setup$/);
    mkdirSync(join(copy, 'node_modules', 'danfojs-node'));
    writeFileSync(join(copy, 'node_modules', 'danfojs-node', 'package.json'), '{"version":');
    assert.match(await onlyProblem(copy), /^danfojs-node: its package.json cannot be read -> npm run setup$/);
  });

  test('a libtensorflow that does not load, is not linked, or computes on another device than was set up', async (t) => {
    const copy = copyOfTheProject(t);
    const refuses =
      "const { Module } = require('module'); const load = Module._load; Module._load = (name, ...rest) => {" +
      "if (name === '@tensorflow/tfjs-node-gpu') throw new Error('libtensorflow_cc.so.2: cannot open shared object file');" +
      'return load(name, ...rest); }';
    assert.match(
      await onlyProblem(copy, {}, refuses),
      /^libtensorflow: .*cannot open shared object.* -> npm run setup; if /,
    );
    const deps = join(copy, 'node_modules', packages[0], 'deps');
    rmSync(deps);
    assert.match(await onlyProblem(copy), /^device: libtensorflow is not linked .* -> npm run setup/);
    symlinkSync('gpu-2.21.0', deps);
    assert.match(
      await onlyProblem(copy),
      /^device: set up for the gpu, but TensorFlow computes on the cpu -> check that nvidia-smi /,
    );
  });

  test('a Python environment that is gone, or lacks a package, and a kernelspec that is gone', async (t) => {
    const copy = copyOfTheProject(t);
    rmSync(join(copy, 'jupyter', 'kernels', 'attention-capacity', 'kernel.json'));
    assert.match(await onlyProblem(copy), /^kernel: Jupyter finds no kernel named .* -> .*git restore jupyter$/);
    rmSync(join(copy, '.venv'));
    assert.match(await onlyProblem(copy), /^python: the environment \.venv is missing or broken -> npm run setup$/);
    const python = join(copy, '.venv', 'bin', 'python');
    mkdirSync(dirname(python), { recursive: true });
    const packagesThere = { jupyterlab: '4', nbconvert: null, nbclient: '1', nbformat: '1', plotly: '1' };
    const answer = JSON.stringify({ python: '3.12.0', kernel: 'TypeScript', packages: packagesThere });
    writeFileSync(python, `#!/bin/sh\necho '${answer}'\n`);
    chmodSync(python, 0o755);
    assert.match(await onlyProblem(copy), /^nbconvert: not installed -> npm run setup$/);
  });

  test('a fetched file that was cut short, and a disk that is full', async (t) => {
    const copy = copyOfTheProject(t);
    const own = join(temporaryFolder(t), 'cache');
    mkdirSync(join(own, 'photos'), { recursive: true });
    for (const file of readdirSync(join(cache, 'photos'))) {
      symlinkSync(join(cache, 'photos', file), join(own, 'photos', file));
    }
    for (const folder of ['cifar10', 'weights', 'language', 'text']) {
      symlinkSync(join(cache, folder), join(own, folder));
    }
    const photo = join(own, 'photos', 'astronaut.png');
    const bytes = readFileSync(photo);
    rmSync(photo);
    writeFileSync(photo, bytes);
    truncateSync(photo, 1000);
    assert.match(
      await onlyProblem(copy, { ATTENTION_CACHE: own }),
      /^photographs: 30 of 31 files; photos\/astronaut\.png is damaged -> npm run setup$/,
    );
    const full = "require('fs/promises').statfs = async () => ({ bavail: 1000, bsize: 4096 })";
    assert.match(await onlyProblem(copy, {}, full), /^free disk: 0\.0 GB -> free at least 2 GB, .*ATTENTION_CACHE/);
  });
});
