/** `npm start`: from whatever state the checkout is in to the finished reports. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare } from './setup.mjs';
import { runScript } from './setup/failure.mjs';

await runScript(prepare);
const report = spawnSync(
  process.execPath,
  [join(import.meta.dirname, 'report.mjs'), '--run', ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
process.exitCode = report.status ?? 1;
