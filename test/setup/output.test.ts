/** What scripts show: on a terminal, in a log, under NO_COLOR; and the command line of `npm start`. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { root, runNode, script, scriptUrl } from './scripts';

/** Runs Node in a terminal of 40 columns, by Python's pty, and gives all that it writes there. */
async function inTerminal(program: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const terminal = `
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
while True:
    try: data = os.read(fd, 4096)
    except OSError: break
    if not data: break
    sys.stdout.buffer.write(data)
os.waitpid(pid, 0)
`;
  const python = join(root, '.venv', 'bin', 'python');
  const node = ['--input-type=module', '--eval', program];
  // Nothing else is inherited: CI, NO_COLOR, FORCE_COLOR and others say what colours are for.
  const settings = { env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm-256color', ...env } };
  return (await promisify(execFile)(python, ['-c', terminal, process.execPath, ...node], settings)).stdout;
}

const bars = `
  const { bar, inColour } = await import('${scriptUrl('setup/progress.mjs')}');
  await new Promise((done) => setTimeout(done, 300)); // the terminal gets its width
  const progress = bar('a package with quite a long name 1.2.3', 1000, (count) => count + ' packages');
  for (let i = 0; i < 4; i++) {
    await new Promise((done) => setTimeout(done, 120));
    progress.update(i * 100);
  }
  progress.clear();
  process.stderr.write(inColour('\\x1b[31mred\\x1b[39m'));`;

describe('what moves', () => {
  test('fits into the terminal, whose colours are used', async () => {
    const drawn = (await inTerminal(bars)).split('\r\x1b[K').slice(1);
    assert.ok(drawn.length >= 4);
    for (const line of drawn.slice(0, -1)) assert.equal(line.length, 39, line);
    assert.equal(drawn.at(-1), '\x1b[31mred\x1b[39m');
  });

  test('has no colours under NO_COLOR, nor in a file', async () => {
    assert.ok((await inTerminal(bars, { NO_COLOR: '1' })).endsWith('\r\x1b[Kred'));
    const { stderr } = await runNode(['--input-type=module', '--eval', bars]);
    assert.equal(stderr, 'red');
  });
});

describe('npm start', () => {
  const report = join(root, 'scripts', 'reports', 'report.mjs');

  test('--help lists the options and does nothing else', async () => {
    const { status, stdout, stderr } = await runNode([report, '--run', '--help']);
    assert.deepEqual([status, stderr], [0, '']);
    for (const option of ['--run', '--figure', '--out', '--width', '--scale', 'ATTENTION_PROFILE'])
      assert.ok(stdout.includes(option), option);
  });

  test('takes the beginning of a name for a notebook, if it is the beginning of one only', async () => {
    const { findNotebooks } = await script('notebooks/notebooks.mjs');
    const names = (...named: string[]) => (findNotebooks(named) as string[]).map((path) => basename(path));
    assert.deepEqual(names('07'), ['07-theorem.ipynb']);
    assert.deepEqual(names('07', '07-theorem', '01-a'), ['07-theorem.ipynb', '01-assumptions.ipynb']);
    for (const wrong of ['0', '11', 'theorem']) assert.throws(() => names(wrong), new RegExp(`got '${wrong}'`));
  });

  test('refuses sizes that are not sizes before anything is replaced', async () => {
    const page = join(root, 'reports', 'index.html');
    const before = existsSync(page) && statSync(page).mtimeMs;
    for (const [env, expected] of [
      [{ ATTENTION_PROFILE: 'papper' }, /^ATTENTION_PROFILE [^\n]*'papper'[^\n]*test, quick or paper[^\n]*\n$/],
      [{ ATTENTION_DRAWS: 'many' }, /^ATTENTION_DRAWS [^\n]*'many'[^\n]*\n$/],
    ] as const) {
      const { status, stdout, stderr } = await runNode([report, '--run', '07'], env);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, expected);
    }
    assert.equal(existsSync(page) && statSync(page).mtimeMs, before);
  });
});
