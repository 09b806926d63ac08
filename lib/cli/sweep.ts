import type { Command } from 'commander';
import { InputError } from '../input-error';
import { note, print, printJson } from './output';
import { Failed } from './outcome';

interface SweepArguments {
  readonly out?: string;
  readonly run?: string;
  readonly list?: true;
  readonly json?: true;
}

/** `attention-capacity sweep FILE`. */
export function register(program: Command): void {
  program
    .command('sweep')
    .description('train every run of a sweep that has no result yet; can be stopped and resumed')
    .argument('<file>', 'JSON: name, seeds, profile, grids; see workflow/')
    .option('--out <folder>', 'of the results, one file a run (default: sweeps/<name>)')
    .option('--run <id>', 'only this run; other processes may train other runs in the same folder')
    .option('--list', 'list the runs without training any')
    .option('--json', 'print one JSON document')
    .action(sweep);
}

async function sweep(file: string, { out, run, list, json }: SweepArguments): Promise<void> {
  const { readSweep } = await import('../memorization/sweep/plan.js');
  const plan = readSweep(file);
  if (list) {
    if (run !== undefined) throw new InputError(`--list expects no --run, got '${run}'`);
    if (json) printJson({ sweep: plan.name, runs: plan.runs, refused: plan.refused });
    else print(plan.runs.map(({ id }) => id).join('\n'));
    for (const { run: id, reason } of plan.refused) note(`${id}: ${reason}`);
    return;
  }
  const { runSweep } = await import('../memorization/sweep/sweep.js');
  const { showProgress } = await import('../report/progress.js');
  showProgress();
  const folder = out ?? `sweeps/${plan.name}`;
  const outcome = await runSweep(plan, { folder, only: run, report: note });
  if (json) printJson({ sweep: plan.name, folder, ...outcome });
  else print(`${outcome.done} of ${outcome.runs} runs done in '${folder}', ${outcome.trained} of them now`);
  for (const { run: id, reason } of outcome.missing) note(`missing: ${id} (${reason})`);
  if (outcome.missing.length > 0) throw new Failed();
}
