import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { scriptUrl, temporaryFolder } from './scripts';

interface NotebookLinter {
  notebookProblems(fix: boolean, folder: string): Promise<string[]>;
}

function code(source: string, kept: object = {}): object {
  return {
    cell_type: 'code',
    execution_count: null,
    metadata: {},
    outputs: [],
    source: source.split(/(?<=\n)/),
    ...kept,
  };
}

/** A folder with one notebook, and what the linter says of it. */
async function lintNotebook(t: TestContext, cells: object[]) {
  const { notebookProblems } = (await import(scriptUrl('lint/notebooks.mjs'))) as NotebookLinter;
  const folder = temporaryFolder(t);
  const file = join(folder, 'n.ipynb');
  writeFileSync(file, `${JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }, null, 1)}\n`);
  return {
    problems: await notebookProblems(false, folder),
    fix: () => notebookProblems(true, folder),
    read: () => readFileSync(file, 'utf8'),
  };
}

test('a notebook whose cells build on each other, await and declare names again is in order', async (t) => {
  const cells = [
    code('const k = await Promise.resolve(3);'),
    { cell_type: 'markdown', metadata: {}, source: ['# k'] },
    code('const again: number = k + 1;\nagain;'),
    code('const again = `${k}`;'),
  ];
  assert.deepEqual((await lintNotebook(t, cells)).problems, []);
});

test('a cell whose types do not fit is named, with its line; the cells after it are not', async (t) => {
  const { problems } = await lintNotebook(t, [
    code('const k = 3;'),
    code('const n = 1;\nconst s: string = k;'),
    code('s.length;'),
  ]);
  assert.deepEqual(problems, [
    "notebooks/n.ipynb, cell 2, line 2: Type 'number' is not assignable to type 'string'. (TS2322)",
  ]);
});

test('kept outputs and unformatted code are named, and repaired on demand', async (t) => {
  const output = { name: 'stdout', output_type: 'stream', text: ['3\n'] };
  const { problems, fix, read } = await lintNotebook(t, [
    code('let k  =  "three"', { outputs: [output], execution_count: 1 }),
  ]);
  assert.deepEqual(problems, [
    'notebooks/n.ipynb, cell 1: its output is stored; notebooks are committed without outputs',
    'notebooks/n.ipynb, cell 1: not formatted',
  ]);
  assert.deepEqual(await fix(), []);
  const { cells } = JSON.parse(read()) as { cells: object[] };
  assert.deepEqual(cells, [
    { cell_type: 'code', execution_count: null, metadata: {}, outputs: [], source: ["let k = 'three';"] },
  ]);
});

test('a cell that is no TypeScript is named once as such', async (t) => {
  const { problems } = await lintNotebook(t, [code('const = 3;')]);
  assert.match(problems[0], /^notebooks\/n\.ipynb, cell 1: .*expected/i);
});
