/** Runs the real command in a process of its own, as another program would. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';

export const bin = join(dirname(require.resolve('attention-capacity/package.json')), 'bin', 'attention-capacity.js');

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function attentionCapacity(...args: readonly string[]): Promise<Outcome> {
  return withEnvironment({}, ...args);
}

/** With more environment variables than this process has. */
export function withEnvironment(more: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Outcome> {
  const options = { maxBuffer: 2 ** 28, env: { ...process.env, ...more } };
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, ...args], options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ status, stdout, stderr });
    });
  });
}

/** The JSON document on standard output, when the command succeeded and wrote nothing else there. */
export async function json<T>(...args: readonly string[]): Promise<T> {
  const { status, stdout, stderr } = await attentionCapacity(...args, '--json');
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as T;
}

/** The one line on standard error of a command that refuses its input. */
export async function refusal(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await attentionCapacity(...args);
  assert.equal(status, 2, `${args.join(' ')}: ${stderr}`);
  assert.equal(stdout, '');
  assert.match(stderr, /^[^\n]+\n$/, 'exactly one line');
  return stderr.trimEnd();
}

/** A folder that is removed when the file's tests are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'attention-capacity-cli-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
