import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, type TestContext } from 'node:test';
import { runNode, scriptUrl, temporaryFolder } from './scripts';

/** Runs test files under the reporter of `npm test`. */
async function report(t: TestContext, files: Record<string, string>) {
  const folder = temporaryFolder(t);
  const names = Object.keys(files).sort();
  for (const name of names)
    writeFileSync(join(folder, name), `const { test, describe } = require('node:test');\n${files[name]}`);
  const reporter = [
    '--test',
    `--test-reporter=${fileURLToPath(scriptUrl('test/test-report.mjs'))}`,
    '--test-reporter-destination=stdout',
  ];
  // Inside a test run, node --test would report to that run instead.
  const { status, stdout } = await runNode(
    [...reporter, ...names.filter((name) => name.includes('.test.')).map((name) => join(folder, name))],
    {
      NODE_TEST_CONTEXT: undefined,
    },
  );
  return { status, lines: stdout.split('\n') };
}

const line = (lines: string[], name: string) => lines.find((text) => text.includes(`${name}:`)) ?? '';

test('each file has its line, and the last line counts every test once', async (t) => {
  const { status, lines } = await report(t, {
    'a.test.js':
      "describe('suite', () => { test('one', () => {}); test('two', () => {}); }); test.skip('later', () => {});",
    'b.test.js': "console.log('chatter'); test('three', () => {});",
  });
  assert.equal(status, 0);
  assert.match(line(lines, 'a'), /^ok {6}.*a: 2 passed, 1 skipped \(\d+\.\d s\)$/);
  assert.match(line(lines, 'b'), /^ok {6}.*b: 1 passed \(/);
  assert.ok(lines.some((text) => /^skipped in .*a: later$/.test(text)));
  assert.ok(!lines.includes('chatter'));
  assert.equal(lines.at(-2), 'Tests: 3 passed, 0 failed, 1 skipped');
});

test('tests that a shared function defines are counted with the file that calls it', async (t) => {
  const { lines } = await report(t, {
    'shared.js': "exports.both = () => { test('one', () => {}); test('two', () => {}); };",
    'a.test.js': "test('three', () => {}); require('./shared.js').both();",
    'b.test.js': "require('./shared.js').both(); test('three', () => {});",
  });
  assert.equal(lines.filter((text) => text.startsWith('ok ')).length, 2);
  assert.ok(!lines.some((text) => text.includes('shared:')));
  assert.equal(lines.at(-2), 'Tests: 6 passed, 0 failed');
});

test('a failure is told once, with its reason and what its file printed', async (t) => {
  const { status, lines } = await report(t, {
    'a.test.js':
      "console.log('a clue'); describe('suite', () => { test('wrong', () => { throw new Error('one is not two'); }); });",
    'b.test.js': "throw new Error('cannot even load');",
  });
  assert.equal(status, 1);
  assert.match(line(lines, 'a'), /^FAILED {2}.*a: 0 passed, 1 failed/);
  const text = lines.join('\n');
  assert.equal(text.match(/FAILED in /g)?.length, 2);
  assert.match(text, /FAILED in .*a: wrong\n {4}Error: one is not two/);
  assert.match(text, /a printed:\n {4}a clue/);
  assert.match(text, /FAILED in .*b: the file itself/);
  assert.match(text, /cannot even load/);
  assert.equal(lines.at(-2), 'Tests: 0 passed, 2 failed');
});
