/** Runs the workflow with its own Snakemake: `node workflow/run.mjs --cores 2 …`; all arguments are Snakemake's. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUp, snakemake } from './setup.mjs';

try {
  setUp();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
const snakefile = path.join(path.dirname(fileURLToPath(import.meta.url)), 'Snakefile');
const { status } = spawnSync(snakemake, ['--snakefile', snakefile, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
