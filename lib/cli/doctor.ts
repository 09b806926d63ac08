import type { Command } from 'commander';
import { Failed } from './outcome';
import { print, printJson } from './output';

/** `attention-capacity doctor`. */
export function register(program: Command): void {
  program
    .command('doctor')
    .description('check the installation: versions, device, files; says how to repair what is wrong')
    .option('--json', 'print one JSON document')
    .action(async ({ json }: { json?: true }) => {
      const { examine, renderDoctorReport } = await import('../doctor/index.js');
      const found = await examine();
      if (json) printJson(found);
      else print(renderDoctorReport(found).trimEnd());
      if (!found.healthy) throw new Failed();
    });
}
