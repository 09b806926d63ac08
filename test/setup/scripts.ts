/** The set-up scripts are plain modules outside of the compiled code; the tests load them by their path. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TestContext } from 'node:test';

export const root = resolve(__dirname, '../../..');

export const scriptUrl = (name: string) => pathToFileURL(join(root, 'scripts', name)).href;

/** A script as a module. */
export const script = (name: string) => import(scriptUrl(name));

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'attention-setup-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Node with `args` and gives what it left. */
export function runNode(args: string[], env: NodeJS.ProcessEnv = {}, cwd = root): Promise<Ended> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', fail);
    child.on('close', (status) => done({ status, stdout, stderr }));
  });
}

/** Runs a few lines that use the set-up's modules, in a process of its own with a cache of its own. */
export function runModule(program: string, cache: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const code = `import { runScript } from '${scriptUrl('setup/failure.mjs')}';\nawait runScript(async () => {\n${program}\n});`;
  return runNode(['--input-type=module', '--eval', code], { ATTENTION_CACHE: cache, ...env });
}
