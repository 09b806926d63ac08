/** Compiles lib and test. Not with `npx tsc`, which is the older TypeScript that tslab brings. */
import { join } from 'node:path';
import { SetupFailure, isMain, knownCause, runScript } from './failure.mjs';
import { root } from './places.mjs';
import { run } from './run.mjs';

/** With `force`, every file is compiled again. */
export async function build({ force = false } = {}) {
  const tsc = join(root, 'node_modules', 'typescript', 'lib', 'tsc.js');
  const options = ['--build', '--pretty', 'false', ...(force ? ['--force'] : [])];
  const { status, output } = await run(process.execPath, [tsc, ...options], { env: process.env });
  // Messages about the code may contain any word.
  const cause = status !== 0 && /error TS5033|^FATAL ERROR/m.test(output) && knownCause('building', output);
  if (cause) throw cause;
  if (status !== 0) throw new SetupFailure(`the code does not compile:\n${output}`, 1);
}

if (isMain(import.meta.url)) await runScript(build);
