import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../input-error';
import { Failed } from './outcome';

/** `attention-capacity report` runs scripts/reports/report.mjs, which needs the project's Python environment. */
export function register(program: Command): void {
  program
    .command('report')
    .description('export executed notebooks to reports/: an HTML file for each, and the rows of its tables as JSON')
    .argument('[notebooks...]', 'which notebooks to export (default: all in notebooks/)')
    .option('--run', 'run the notebooks first')
    .option(
      '--figure <notebook/figure>',
      'write a single figure instead, given by its name or its number in the report',
    )
    .option('--out <file>', 'the file to write: .pdf, .svg or .png')
    .option('--width <pixels>', 'width of the figure, 96 pixels per inch (default: 720)')
    .option('--height <pixels>', 'height of the figure (default: as in the report)')
    .option('--scale <number>', 'PNG pixels per pixel of width and height (default: 3)')
    .action(async (notebooks: string[], { run, ...figure }: { run?: true } & Record<string, string>) => {
      const { projectRoot } = await import('../data/project-root.js');
      checkNotebooks(notebooks, join(projectRoot(), 'notebooks'));
      const script = join(projectRoot(), 'scripts', 'reports', 'report.mjs');
      const forFigure = Object.entries(figure).map(([option, value]) => `--${option}=${value}`);
      const status = await runScript([script, ...(run ? ['--run'] : []), ...forFigure, ...notebooks]);
      if (status !== 0) throw new Failed(status);
    });
}

/** A notebook is given by its file, or by how its name in notebooks/ begins. */
function checkNotebooks(named: readonly string[], folder: string): void {
  const known = readdirSync(folder).filter((file) => file.endsWith('.ipynb'));
  const isKnown = (name: string) => known.filter((file) => file.startsWith(name)).length === 1;
  const unknown = named.find((name) => !(name.endsWith('.ipynb') && existsSync(name)) && !isKnown(name));
  if (unknown === undefined) return;
  const names = known.map((file) => basename(file, '.ipynb')).sort();
  throw new InputError(`report expects a notebook's file, or one of ${names.join(', ')}, got '${unknown}'`);
}

/** The script writes to our standard output and error. Ctrl-C reaches it too; it ends when we do. */
function runScript(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    process.once('exit', () => child.kill());
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
}
