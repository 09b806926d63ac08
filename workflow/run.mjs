/** Runs the workflow with its own Snakemake, which gets all arguments: `node workflow/run.mjs --cores 2 …` */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { runScript } from '../scripts/setup/failure.mjs';
import { setUp, snakemake } from './setup.mjs';

await runScript(setUp);
const snakefile = join(import.meta.dirname, 'Snakefile');
const { status } = spawnSync(snakemake, ['--snakefile', snakefile, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
