import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Command } from 'commander';
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
      const script = join(projectRoot(), 'scripts', 'report.mjs');
      const status = await runScript([script, ...(run ? ['--run'] : []), ...notebooks]);
      if (status !== 0) throw new Failed();
    });
}

/** Its words go where ours would; Ctrl-C reaches it as it reaches us. */
function runScript(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
}
