/** What other programs import: every subpath of lib/package.json, and every file of the library by its path. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../setup/scripts';

const lib = join(root, 'lib');
const { exports: subpaths } = JSON.parse(readFileSync(join(lib, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string; default: string }>;
};
/** Sources, without `.ts`: dist may also hold files whose source is gone. */
const files = readdirSync(lib, { recursive: true, encoding: 'utf8' })
  .filter((file) => /^(?!dist\/|node_modules\/).*(?<!\.d)\.ts$/.test(file))
  .map((file) => file.slice(0, -3));

for (const [subpath, target] of Object.entries(subpaths).filter(([name]) => !name.includes('*'))) {
  test(`attention-capacity${subpath.slice(1)}`, async () => {
    const path = `attention-capacity${subpath.slice(1)}`;
    if (typeof target === 'string') return assert.equal(require.resolve(path), join(lib, target));
    assert.ok(Object.keys((await import(path)) as object).length > 0);
    assert.ok(existsSync(join(lib, target.types)), `${target.types} should exist`);
  });
}

test('every file of the library, with its types', () => {
  assert.ok(files.length > 100);
  for (const file of files) {
    assert.equal(require.resolve(`attention-capacity/${file}`), join(lib, 'dist', `${file}.js`));
    assert.ok(existsSync(join(lib, 'dist', `${file}.d.ts`)), `${file}.d.ts should exist`);
  }
});

test('no files import each other, directly or in a circle, types included', () => {
  const importsOf = (file: string) =>
    [...readFileSync(join(lib, `${file}.ts`), 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+?)(?:\.js)?'/g)]
      .map(([, path]) => join(file, '..', path))
      .map((path) => (files.includes(path) ? path : join(path, 'index')));
  const seen = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
    if (seen.has(file)) return;
    for (const next of importsOf(file)) visit(next, [...path, file]);
    seen.add(file);
  };
  for (const file of files) visit(file, []);
});
