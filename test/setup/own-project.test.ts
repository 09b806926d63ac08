/** The library in a TypeScript project of one's own, outside the checkout: compiled strictly and run, as ESM and as CommonJS. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, runNode, temporaryFolder } from './scripts';

/** Rows 0 and 1 are independent, and so is every other pair. */
const program = `
import { testKruskalRank, type KruskalTest, type Matrix } from 'attention-capacity';
import { kruskalCurve } from 'attention-capacity/rank';
import { searchKruskalRank } from 'attention-capacity/rank/kruskal-bounds';
const matrix: Matrix = { data: new Float64Array([1, 0, 0, 1, 1, 1]), shape: [3, 2] };
const done = (test: KruskalTest): void => console.log(test.satisfied, typeof kruskalCurve, typeof searchKruskalRank);
`;
const call = "testKruskalRank(matrix, { k: 2, draws: 10, seed: 0, rtol: 'float64' })";

test('a strict TypeScript project with a file: dependency compiles and runs the library, as ESM and as CommonJS', async (t) => {
  const project = join(temporaryFolder(t), 'Mein Prüfstand');
  mkdirSync(project);
  const write = (name: string, text: string) => writeFileSync(join(project, name), text);
  write('package.json', JSON.stringify({ name: 'own', private: true }));
  const compilerOptions = { strict: true, module: 'node16', target: 'es2022', outDir: 'out', skipLibCheck: true };
  write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['*.mts', '*.cts'] }));
  write('esm.mts', `${program}done(await ${call});\n`);
  write('cjs.cts', `${program}void ${call}.then(done);\n`);
  // npm 9 would copy the folder otherwise.
  const install = ['install', '--offline', '--no-audit', '--no-fund', '--install-links=false', join(root, 'lib')];
  execFileSync('npm', install, { cwd: project });
  const compiled = await runNode([join(root, 'node_modules', 'typescript', 'lib', 'tsc.js'), '-p', project]);
  assert.equal(compiled.status, 0, compiled.stdout);
  const ended = await Promise.all(['esm.mjs', 'cjs.cjs'].map((file) => runNode([join(project, 'out', file)])));
  for (const { status, stdout, stderr } of ended) {
    assert.equal(status, 0, stderr);
    assert.equal(stdout, '10 function function\n');
  }
});
