import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runModule, scriptUrl, temporaryFolder } from './scripts';

/** Appends "in" and "out" to a log around some time spent inside the lock. */
const program = (lock: string, log: string) => `
  const { alone } = await import('${scriptUrl('setup/lock.mjs')}');
  const { appendFileSync } = await import('node:fs');
  await alone('${lock}', async () => {
    appendFileSync('${log}', 'in\\n');
    await new Promise((resolve) => setTimeout(resolve, 200));
    appendFileSync('${log}', 'out\\n');
  });`;

test('set-ups that are started together take turns and leave no lock behind', async (t) => {
  const folder = temporaryFolder(t);
  const log = join(folder, 'log');
  const ended = await Promise.all(
    Array.from({ length: 4 }, () => runModule(program(join(folder, 'lock'), log), folder)),
  );
  for (const { status, stderr } of ended) assert.equal(status, 0, stderr);
  assert.equal(readFileSync(log, 'utf8'), 'in\nout\n'.repeat(4));
  const waited = ended.filter(({ stderr }) =>
    /another set-up \(process \d+\) is running here; waiting for it/.test(stderr),
  );
  assert.ok(waited.length > 0);
  assert.deepEqual(readdirSync(folder), ['log']);
});

test('the lock of a set-up that died is taken over, also when its process number is in use again', async (t) => {
  const folder = temporaryFolder(t);
  const lock = join(folder, 'lock');
  writeFileSync(lock, JSON.stringify({ pid: process.pid, began: 'long ago' }));
  const { status, stderr } = await runModule(program(lock, join(folder, 'log')), folder);
  assert.equal(status, 0, stderr);
  assert.ok(!existsSync(lock));
});

test('a set-up that is interrupted gives its lock back and says how to resume', async (t) => {
  const folder = temporaryFolder(t);
  const interrupted = `
    const { alone } = await import('${scriptUrl('setup/lock.mjs')}');
    await alone('${join(folder, 'lock')}', async () => {
      process.kill(process.pid, 'SIGINT');
      await new Promise((resolve) => setTimeout(resolve, 10_000));
    });`;
  const { status, stderr } = await runModule(interrupted, folder);
  assert.equal(status, 130, stderr);
  assert.equal(stderr, '\ninterrupted; the next run resumes here\n');
  assert.deepEqual(readdirSync(folder), []);
});
