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
  const [tensorflow, ...others] = packages;
  const folder = join(copy, 'node_modules', tensorflow);
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(root, 'node_modules', tensorflow, 'package.json'), join(folder, 'package.json'));
  for (const name of others) symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  const { packages: all } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const wanted = packages.map((name) => [`node_modules/${name}`, all[`node_modules/${name}`]]);
  writeFileSync(join(copy, 'package-lock.json'), JSON.stringify({ packages: Object.fromEntries(wanted) }));
  symlinkSync('cpu-2.21.0', join(copy, 'node_modules', packages[0], 'deps'));
  cpSync(join(root, 'jupyter', 'kernels'), join(copy, 'jupyter', 'kernels'), { recursive: true });
  symlinkSync(join(root, '.venv'), join(copy, '.venv'));
  symlinkSync(cache, join(copy, 'data', 'cache'));
  return copy;
}

/** The parts of an examination and their modules. Examining everything takes seconds. */
const parts = { Node: 'programs', Notebooks: 'programs', Computing: 'computing', Files: 'files' };
type Part = keyof typeof parts;

/** What the doctor finds wrong with a part of a copy, or with all of it; `first` runs before in the same process. */
async function problems(copy: string, part?: Part, env: NodeJS.ProcessEnv = {}, first = ''): Promise<Finding[]> {
  const look = part
    ? `require('attention-capacity/doctor/${parts[part]}').examine${part}()`
    : "require('attention-capacity/doctor/index').examine()";
  const { status, stdout, stderr } = await runNode(
    ['--eval', `${first};${look}.then((found) => console.log(JSON.stringify(found)))`],
    { ATTENTION_CAPACITY_HOME: copy, ATTENTION_CACHE: '', ...env },
    root,
  );
  assert.equal(status, 0, `the doctor itself failed: ${stderr}`);
  const answer = JSON.parse(stdout) as DoctorReport | Finding[];
  const findings = 'findings' in answer ? answer.findings : answer;
  const wrong = findings.filter(({ ok }) => !ok);
  if ('healthy' in answer) assert.equal(answer.healthy, wrong.length === 0);
  return wrong;
}

/** The problems, in words. */
async function described(...args: Parameters<typeof problems>): Promise<string[]> {
  return (await problems(...args)).map(({ name, found, remedy }) => `${name}: ${found} -> ${remedy}`);
}

/** The only one. */
async function onlyProblem(...args: Parameters<typeof problems>): Promise<string> {
  const wrong = await described(...args);
  assert.equal(wrong.length, 1, wrong.join('\n'));
  return wrong[0];
}

describe('the doctor', () => {
  test('finds nothing wrong with a copy that is whole', async (t) => {
    assert.deepEqual(await problems(copyOfTheProject(t)), []);
  });

  test('a Node that nobody tried, and an npm that does not run', async (t) => {
    const old = "Object.defineProperty(process.versions, 'node', { value: '18.20.0' })";
    assert.match(
      await onlyProblem(copyOfTheProject(t), 'Node', {}, old),
      /^node: 18\.20\.0 -> Node 20\.19 or later, .* is needed; this is 18\.20\.0\. Install one of them/,
    );
    assert.match(
      await onlyProblem(copyOfTheProject(t), 'Node', { PATH: temporaryFolder(t) }),
      /^npm: does not run -> install npm; it comes with Node$/,
    );
  });

  test('Node packages that are missing, cut short, emptied, or do not load', async (t) => {
    const copy = copyOfTheProject(t);
    const [folder, other] = ['danfojs-node', 'tslab'].map((name) => join(copy, 'node_modules', name));
    for (const path of [folder, other]) rmSync(path);
    mkdirSync(other);
    writeFileSync(join(other, 'package.json'), '{"version":');
    assert.deepEqual(await described(copy, 'Node'), [
      'danfojs-node: not installed -> npm run setup',
      'tslab: its package.json cannot be read -> npm run setup -- --fresh',
      'all packages: 3 of 5; node_modules/danfojs-node is missing or broken -> npm run setup -- --fresh',
    ]);
    for (const [name, path] of [
      ['danfojs-node', folder],
      ['tslab', other],
    ]) {
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path);
      copyFileSync(join(root, 'node_modules', name, 'package.json'), join(path, 'package.json'));
    }
    writeFileSync(join(other, 'package.json'), '');
    const [danfojs, tslab, ...rest] = await described(copy, 'Node');
    assert.match(danfojs, /^danfojs-node: does not load: Cannot find .* -> npm run setup -- --fresh$/);
    assert.match(tslab, /^tslab: its package.json cannot be read -> npm run setup -- --fresh$/);
    assert.match(
      rest.join(),
      /^all packages: 4 of 5; node_modules\/tslab is missing or broken -> npm run setup -- --fresh$/,
    );
  });

  test('a libtensorflow that does not load, is not linked, or computes on another device than was set up', async (t) => {
    const copy = copyOfTheProject(t);
    const refuses =
      "const { Module } = require('module'); const load = Module._load; Module._load = (name, ...rest) => {" +
      "if (name === '@tensorflow/tfjs-node-gpu') throw new Error('libtensorflow_cc.so.2: cannot open shared object file');" +
      'return load(name, ...rest); }';
    assert.match(
      await onlyProblem(copy, 'Computing', {}, refuses),
      /^libtensorflow: .*cannot open shared object.* -> npm run setup -- --fresh$/,
    );
    const deps = join(copy, 'node_modules', packages[0], 'deps');
    rmSync(deps);
    assert.match(
      await onlyProblem(copy, 'Computing'),
      /^device: libtensorflow is not linked .* -> npm run setup -- --fresh$/,
    );
    symlinkSync('gpu-2.21.0', deps);
    assert.match(
      await onlyProblem(copy, 'Computing'),
      /^device: set up for the gpu, but TensorFlow computes on the cpu -> check that nvidia-smi /,
    );
  });

  test('a Python environment that is gone, or lacks a package, and a kernelspec that is gone', async (t) => {
    const copy = copyOfTheProject(t);
    rmSync(join(copy, 'jupyter', 'kernels', 'attention-capacity', 'kernel.json'));
    assert.match(
      await onlyProblem(copy, 'Notebooks'),
      /^kernel: Jupyter finds no kernel named .* -> .*git restore jupyter$/,
    );
    rmSync(join(copy, '.venv'));
    assert.match(await onlyProblem(copy, 'Notebooks'), /^python: there is no \.venv -> npm run setup$/);
    const python = join(copy, '.venv', 'bin', 'python');
    mkdirSync(dirname(python), { recursive: true });
    const names = ['jupyterlab', 'nbconvert', 'nbclient', 'nbformat', 'plotly', 'papermill', 'jupytext'];
    const found = {
      ...Object.fromEntries(names.map((name) => [name, { version: '1' }])),
      nbconvert: { problem: 'ModuleNotFoundError: No module named nbconvert' },
      jupytext: {},
    };
    const broken = ['nbconvert: nbconvert/__init__.py'];
    const spec = join(copy, '.venv', 'share', 'jupyter', 'kernels', 'attention-capacity', 'kernel.json');
    mkdirSync(dirname(spec), { recursive: true });
    writeFileSync(spec, JSON.stringify({ argv: ['/gone/node', '--enable-source-maps', root] }));
    const answer = JSON.stringify({
      python: '3.12.0',
      packages: found,
      kernel: { name: 'TypeScript', folder: join(copy, 'jupyter', 'kernels', 'attention-capacity') },
      distributions: 90,
      broken,
    });
    writeFileSync(python, `#!/bin/sh\necho '${answer}'\n`);
    chmodSync(python, 0o755);
    const fresh = ' -> npm run setup -- --fresh';
    assert.deepEqual(await described(copy, 'Notebooks'), [
      `nbconvert: ModuleNotFoundError: No module named nbconvert${fresh}`,
      `jupytext: not installed${fresh}`,
      `all packages: 89 of 90; a file is missing or changed in nbconvert: nbconvert/__init__.py${fresh}`,
      'kernel in .venv: /gone/node is missing -> npm run setup',
    ]);
    writeFileSync(python, '#!/bin/sh\necho Illegal instruction >&2\nexit 132\n');
    assert.match(
      await onlyProblem(copy, 'Notebooks'),
      /^python: the environment \.venv is broken \(.*Illegal instruction.*\) -> .* --fresh$/,
    );
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
      await onlyProblem(copy, 'Files', { ATTENTION_CACHE: own }),
      /^photographs: 99 of 100 files; photos\/astronaut\.png is damaged -> npm run setup -- --fresh$/,
    );
    const full = "require('fs/promises').statfs = async () => ({ bavail: 1000, bsize: 4096 })";
    assert.match(
      await onlyProblem(copy, 'Files', {}, full),
      /^free disk: 0\.0 GB -> free at least 2 GB, .*ATTENTION_CACHE/,
    );
  });
});
