import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../input-error';
import { Failed } from './outcome';

/** `attention-capacity report`: scripts/reports/report.mjs, which needs the project's Python environment. */
export function register(program: Command): void {
  program
    .command('report')
    .description(
      'export the notebooks that were run to reports/: one HTML file each, and the rows of its tables as JSON',
    )
    .argument('[notebooks...]', 'those in notebooks/ to export (default: all)')
    .option('--run', 'run the notebooks first')
    .option('--figure <notebook/figure>', 'write one figure for a paper instead: its name, or its number in the report')
    .option('--out <file>', 'where to: .pdf or .svg (vectors), or .png')
    .option('--width <pixels>', "the figure's width, 96 to the inch (default: 720)")
    .option('--height <pixels>', "its height (default: the report's)")
    .option('--scale <number>', 'pixels of a PNG for each of these (default: 3)')
    .action(async (notebooks: string[], { run, ...figure }: { run?: true } & Record<string, string>) => {
      const { projectRoot } = await import('../data/project-root.js');
      checkNotebooks(notebooks, join(projectRoot(), 'notebooks'));
      const script = join(projectRoot(), 'scripts', 'reports', 'report.mjs');
      const forFigure = Object.entries(figure).map(([option, value]) => `--${option}=${value}`);
      const status = await runScript([script, ...(run ? ['--run'] : []), ...forFigure, ...notebooks]);
      if (status !== 0) throw new Failed(status);
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
