/**
 * Makes the workflow's own Python environment with the Snakemake that requirements.txt pins, unless it exists. Needs Python
 * 3.11 or newer and a package index.
 *
 *     node workflow/setup.mjs
 */
import { join } from 'node:path';
import { isMain, runScript } from '../scripts/setup/failure.mjs';
import { ensureEnvironment, environmentPresent, snakemake as environment } from '../scripts/setup/python.mjs';

/** Snakemake's program. */
export const snakemake = join(environment.folder, 'bin', 'snakemake');

/** Whether the environment exists and has the packages of requirements.txt. */
export const isReady = () => environmentPresent(environment);

/** Makes the environment unless it is ready. */
export const setUp = () => ensureEnvironment(environment);

if (isMain(import.meta.url)) {
  await runScript(async () => {
    await setUp();
    process.stdout.write(`${snakemake}\n`);
  });
}
