import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../input-error';
import { Failed } from './outcome';

/** `attention-capacity report`: scripts/report.mjs, which needs the project's Python environment. */
export function register(program: Command): void {
  program
    .command('report')
    .description(
      'export the notebooks that were run to reports/: one HTML file each, and the rows of its tables as JSON',
    )
    .argument('[notebooks...]', 'those in notebooks/ to export (default: all)')
    .option('--run', 'run the notebooks first')
    .action(async (notebooks: string[], { run }: { run?: true }) => {
      const { projectRoot } = await import('../data/project-root.js');
      checkNotebooks(notebooks, join(projectRoot(), 'notebooks'));
      const script = join(projectRoot(), 'scripts', 'report.mjs');
      const status = await runScript([script, ...(run ? ['--run'] : []), ...notebooks]);
      if (status !== 0) throw new Failed();
    });
}

/** A notebook is named by its file, or by its name in notebooks/. */
function checkNotebooks(named: readonly string[], folder: string): void {
  const known = readdirSync(folder).filter((file) => file.endsWith('.ipynb'));
  const unknown = named.find((name) => !existsSync(name) && !known.includes(name) && !known.includes(`${name}.ipynb`));
  if (unknown === undefined) return;
  const names = known.map((file) => basename(file, '.ipynb')).sort();
  throw new InputError(`report expects notebooks (a file, or ${names.join(', ')}), and '${unknown}' came`);
}

/** Its words go where ours would; Ctrl-C reaches it as it reaches us. */
function runScript(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
}
