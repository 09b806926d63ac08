/** Runs the workflow with its own Snakemake, which gets all arguments: `node workflow/run.mjs --cores 2 …` */
import { join } from 'node:path';
import { handOver, runScript } from '../scripts/setup/failure.mjs';
import { setUp, snakemake } from './setup.mjs';

await runScript(async () => {
  await setUp();
  const snakefile = join(import.meta.dirname, 'Snakefile');
  process.exitCode = await handOver(snakemake, ['--snakefile', snakefile, ...process.argv.slice(2)]);
});
