/** Scripts that are stopped: by a signal, by a reader that has had enough, or killed without a word. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runModule, scriptUrl, temporaryFolder } from './scripts';

const modules = `
  const { alone } = await import('${scriptUrl('setup/lock.mjs')}');
  const { run } = await import('${scriptUrl('setup/run.mjs')}');`;

/** A program that says when it has begun, and takes a moment to end when it is asked to. */
const slow = (folder: string) =>
  `trap 'sleep 0.3; echo ended >> "${folder}/log"; exit 0' TERM; touch "${folder}/begun"; sleep 60 & wait`;

/** A script that runs it inside the lock. */
const holder = (folder: string) => `${modules}
  await alone('${join(folder, 'lock')}', () => run('sh', ['-c', ${JSON.stringify(slow(folder))}]));`;

async function begun(folder: string): Promise<void> {
  while (!existsSync(join(folder, 'begun'))) await new Promise((done) => setTimeout(done, 20));
}

/** Starts such a script; gives its process, and what it will have left when it has ended. */
function startHolder(t: TestContext) {
  const folder = temporaryFolder(t);
  const code = `import { runScript } from '${scriptUrl('setup/failure.mjs')}';\nawait runScript(async () => {${holder(folder)}});`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    env: { ...process.env, ATTENTION_CACHE: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([status, signal]) => ({
    status: status as number,
    signal: signal as string,
    stderr,
  }));
  return { folder, child, ended };
}

for (const [signal, status, said] of [
  ['SIGINT', 130, 'interrupted'],
  ['SIGTERM', 143, 'stopped by SIGTERM'],
  ['SIGHUP', 129, 'stopped by SIGHUP'],
] as const) {
  test(`${signal} ends what was started, waits for it, and gives the lock back`, async (t) => {
    const { folder, child, ended } = startHolder(t);
    await begun(folder);
    child.kill(signal);
    assert.deepEqual(await ended, { status, signal: null, stderr: `\n${said}; the next run resumes here\n` });
    assert.equal(readFileSync(join(folder, 'log'), 'utf8'), 'ended\n');
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('lock')),
      [],
    );
  });
}

test('what a killed set-up has left running is ended before the next one begins, and its files are removed', async (t) => {
  const { folder, child, ended } = startHolder(t);
  await begun(folder);
  child.kill('SIGKILL');
  assert.equal((await ended).signal, 'SIGKILL');
  assert.equal(readdirSync(folder).filter((name) => name.startsWith('lock')).length, 2, 'its lock is still there');
  mkdirSync(join(folder, 'tmp', 'setup-4194304'), { recursive: true });
  const next = `${modules}
    const { temporaryFolder } = await import('${scriptUrl('setup/run.mjs')}');
    const { readFileSync } = await import('node:fs');
    temporaryFolder();
    await alone('${join(folder, 'lock')}', () => console.log(readFileSync('${join(folder, 'log')}', 'utf8')));`;
  const { status, stdout, stderr } = await runModule(next, folder);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^ending the programs that a killed set-up left running here \(process \d+.*\)\n$/);
  assert.equal(stdout, 'ended\n\n');
  assert.deepEqual(readdirSync(folder).sort(), ['begun', 'log', 'tmp']);
  assert.deepEqual(readdirSync(join(folder, 'tmp')), []);
});

test('a script whose output nobody reads any more ends without a word', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'writer.mjs');
  const lines = "for (;;) { process.stdout.write('line\\n'); await new Promise((done) => setTimeout(done, 1)); }";
  writeFileSync(
    file,
    `import { runScript } from '${scriptUrl('setup/failure.mjs')}';\nawait runScript(async () => { ${lines} });`,
  );
  const shell = spawn('bash', ['-c', `"${process.execPath}" "${file}" | head -1; echo "\${PIPESTATUS[0]}"`]);
  let said = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await once(shell, 'close');
  assert.equal(said, 'line\n141\n');
});
