/** The kernel in the activated environment: Jupyter's programs find it from any folder, and it finds the library. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { root, temporaryFolder } from '../setup/scripts';

const execute = promisify(execFile);

/** What `. .venv/bin/activate` does, in a shell that knows no Node and has an empty home. */
function activated(home: string): NodeJS.ProcessEnv {
  const venv = join(root, '.venv');
  const env: NodeJS.ProcessEnv = { ...process.env, VIRTUAL_ENV: venv, PATH: `${join(venv, 'bin')}:/bin`, HOME: home };
  for (const name of Object.keys(env)) if (/^(JUPYTER|IPYTHON)/.test(name)) delete env[name];
  return env;
}

/** A folder outside the checkout with a notebook that uses the library, and a home. */
function elsewhere(t: TestContext): { folder: string; env: NodeJS.ProcessEnv } {
  const folder = join(temporaryFolder(t), 'Größe und Maß');
  const home = join(folder, 'home');
  mkdirSync(home, { recursive: true });
  const source = [
    "import { type Matrix, svdvals, tf, toTensor, valuesOf } from 'attention-capacity/tensor';\n",
    "import type { Tensor } from '@tensorflow/tfjs-node-gpu';\n",
    'const matrix: Matrix = { data: new Float64Array([3, 0, 0, 4]), shape: [2, 2] };\n',
    'const values: Tensor = tf.add(svdvals(toTensor(matrix.data, [2, 2])), 1);\n',
    'process.cwd() + valuesOf(values).join()',
  ];
  const cell = { cell_type: 'code', id: 'only', execution_count: null, metadata: {}, outputs: [], source };
  const kernelspec = { name: 'attention-capacity', display_name: 'TypeScript', language: 'typescript' };
  const notebook = { cells: [cell], metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
  writeFileSync(join(folder, 'own.ipynb'), JSON.stringify(notebook));
  return { folder, env: activated(home) };
}

describe('the activated environment', () => {
  test('lists the kernel, and nbconvert, papermill and jupytext run a notebook outside the checkout', async (t) => {
    const { folder, env } = elsewhere(t);
    const program = (name: string, ...args: string[]) =>
      execute(join(root, '.venv', 'bin', name), args, { cwd: folder, env });
    const { stdout } = await program('jupyter', 'kernelspec', 'list', '--json');
    const { kernelspecs } = JSON.parse(stdout) as { kernelspecs: Record<string, { spec: { argv: string[] } }> };
    assert.equal(kernelspecs['attention-capacity'].spec.argv[0], process.execPath);
    await Promise.all([
      program('jupyter', 'nbconvert', '--to', 'notebook', '--execute', 'own.ipynb', '--output', 'nbconvert.ipynb'),
      program('papermill', '--no-progress-bar', 'own.ipynb', 'papermill.ipynb'),
      program('jupytext', '--to', 'ts:percent', 'own.ipynb').then(() =>
        program('jupytext', '--to', 'ipynb', '--execute', '--output', 'jupytext.ipynb', 'own.ts'),
      ),
    ]);
    for (const name of ['nbconvert', 'papermill', 'jupytext']) {
      const { cells } = JSON.parse(readFileSync(join(folder, `${name}.ipynb`), 'utf8'));
      const [{ data }] = cells.at(-1).outputs;
      assert.equal([data['text/plain']].flat().join(''), `'${folder}5,4'`, name);
    }
  });
});

test('a kernel whose library is not there says in one line what to do', async (t) => {
  const project = temporaryFolder(t);
  cpSync(join(root, 'jupyter', 'kernel'), join(project, 'jupyter', 'kernel'), { recursive: true });
  const kernel = spawn(process.execPath, [join(project, 'jupyter', 'kernel', 'start.cjs'), 'connection.json']);
  let said = '';
  kernel.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [status] = (await once(kernel, 'close')) as [number];
  assert.equal(status, 2);
  assert.equal(said, `The kernel is not set up: run \`npm run setup\` in ${project}, then restart the kernel.\n`);
});
