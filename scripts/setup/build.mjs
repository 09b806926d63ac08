/** Compiles lib and test. Not with `npx tsc`, which is the older TypeScript that tslab brings. */
import { join } from 'node:path';
import { SetupFailure, isMain, runScript } from './failure.mjs';
import { root } from './places.mjs';
import { run } from './run.mjs';

export async function build() {
  const tsc = join(root, 'node_modules', 'typescript', 'lib', 'tsc.js');
  const { status, output } = await run(process.execPath, [tsc, '--build', '--pretty', 'false'], { env: process.env });
  if (status !== 0) throw new SetupFailure(`the code does not compile:\n${output}`, 1);
}

if (isMain(import.meta.url)) await runScript(build);
