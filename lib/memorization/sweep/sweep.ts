import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../../input-error';
import { begin } from '../../work';
import { readCheckpoint } from '../training/checkpoint';
import { sameConfig, type MemorizationConfig } from '../config';
import { Diverged, memorizeTogether, stackable, type Outcome } from '../training/trainer';
import { acquire, holderText } from './lock';
import type { SweepPlan, SweepRun } from './plan';
import { checkResult, readResult, writeResult, type SweepResult } from './results';

export interface SweepOptions {
  /** Folder of the results: one file a run, `<panel>/<setting>.json`. */
  readonly folder: string;
  /** Only this run; other processes may train others in the same folder meanwhile. */
  readonly only?: string;
  /** Told, in one line each, what finished and what went wrong. */
  readonly report?: (line: string) => void;
}

/** How a sweep stands after all that could be run was run. */
export interface SweepOutcome {
  readonly runs: number;
  readonly done: number;
  /** Trained this time. */
  readonly trained: number;
  readonly missing: readonly { readonly run: string; readonly reason: string }[];
}

/**
 * Trains the runs of a sweep that have no result yet. Runs of the same shape are trained stacked where that is faster.
 * Killed at any moment, it loses seconds: results are written whole, and a run in training resumes from its checkpoint.
 * A run that fails, or makes no sense, is reported and does not stop the others.
 *
 * @throws InputError when another process sweeps in the folder, or a result there belongs to another configuration;
 * Interrupted.
 */
export async function runSweep(plan: SweepPlan, options: SweepOptions): Promise<SweepOutcome> {
  const { folder, only, report = () => undefined } = options;
  const refused = only === undefined ? plan.refused : [];
  const senseless = plan.refused.find(({ run }) => run === only);
  if (senseless !== undefined) throw new InputError(`${senseless.run}: ${senseless.reason}`);
  const runs = only === undefined ? plan.runs : plan.runs.filter(({ id }) => id === only);
  if (runs.length === 0)
    throw new InputError(`expected a run of the sweep ${plan.name}, got '${only}'; --list names its runs.`);
  mkdirSync(folder, { recursive: true });
  const unlock = only === undefined ? lockFolder(folder) : () => undefined;
  try {
    // A sweep that is refused says why and nothing else: all results are looked at before there is anything to report.
    for (const run of runs) checkResult(folder, run);
    for (const { run, reason } of refused) report(`${run}: ${reason}`);
    const outcome = await runMissing(runs, folder, report, only === undefined);
    return { ...outcome, runs: outcome.runs + refused.length, missing: [...refused, ...outcome.missing] };
  } finally {
    unlock();
  }
}

function lockFolder(folder: string): () => void {
  const lock = acquire(path.join(folder, '.lock'));
  if (typeof lock === 'function') return lock;
  throw new InputError(
    `expected no other sweep in '${folder}', got ${holderText(lock)}; wait for it, or delete '${folder}/.lock' if it has died.`,
  );
}

async function runMissing(
  runs: readonly SweepRun[],
  folder: string,
  report: (line: string) => void,
  stacked: boolean,
): Promise<SweepOutcome> {
  const missing = runs.filter((run) => readResult(folder, run, report) === null);
  const problems = new Map<string, string>();
  let trained = 0;
  const work = begin('runs of the sweep', missing.length);
  try {
    const alone = () => missing.map((run) => ({ runs: [run], checkpoint: checkpointFile(folder, run, 'one') }));
    for (const group of stacked ? groupRuns(missing, folder) : alone()) {
      const { ours, release } = lockRuns(group.runs, folder, problems, report);
      try {
        await trainGroup(ours, group.checkpoint, async (run, outcome) => {
          if (outcome instanceof Diverged) {
            problems.set(run.id, outcome.message);
            report(`${run.id}: ${outcome.message}`);
            return;
          }
          writeResult(folder, run, outcome);
          report(`${run.id}: ${summary(outcome)}`);
          await work.advance(++trained);
        });
      } finally {
        release();
      }
    }
  } finally {
    work.end();
  }
  const still = runs.filter((run) => readResult(folder, run, report) === null);
  return {
    runs: runs.length,
    done: runs.length - still.length,
    trained,
    missing: still.map(({ id }) => ({ run: id, reason: problems.get(id) ?? 'not run' })),
  };
}

/** All results of a sweep that are there, in the order of its runs. */
export function sweepResults(plan: SweepPlan, folder: string): SweepResult[] {
  return plan.runs.flatMap((run) => readResult(folder, run, () => undefined) ?? []);
}

interface Group {
  readonly runs: readonly SweepRun[];
  readonly checkpoint: string;
}

/** First what was in training when the sweep was killed, stacked as before; then the others. */
function groupRuns(missing: readonly SweepRun[], folder: string): Group[] {
  const left = new Map(missing.map((run) => [run.id, run]));
  const groups: Group[] = [];
  for (const checkpoint of checkpointFiles(folder)) {
    const saved = readCheckpoint(checkpoint)?.models ?? [];
    const runs = [...left.values()].filter((run) => saved.some(({ config }) => sameConfig(run.config, config)));
    for (const { id } of runs) left.delete(id);
    if (runs.length > 0) groups.push({ runs, checkpoint });
  }
  for (const run of left.values()) {
    if (!left.delete(run.id)) continue;
    const partners = [...left.values()].filter(({ config }) => stackable(run.config, config));
    const runs = [run, ...partners].slice(0, stackSize(run.config));
    for (const { id } of runs) left.delete(id);
    groups.push({ runs, checkpoint: checkpointFile(folder, run, 'stack') });
  }
  return groups;
}

/** A run that is trained alone has its own file: the stack that it may belong to is not disturbed. */
function checkpointFile(folder: string, { id }: SweepRun, kind: 'one' | 'stack'): string {
  return path.join(folder, '.checkpoints', `${id.replace('/', '.')}.${kind}.checkpoint`);
}

function checkpointFiles(folder: string): string[] {
  const checkpoints = path.join(folder, '.checkpoints');
  if (!existsSync(checkpoints)) return [];
  return readdirSync(checkpoints)
    .filter((name) => name.endsWith('.checkpoint'))
    .sort()
    .map((name) => path.join(checkpoints, name));
}

/**
 * How many models of a shape to train at once. A step of small models is mostly calls, which a stack shares; from some 30
 * million multiplications a step on, arithmetic is all there is, and a stack gains nothing.
 */
export function stackSize({
  heads: H,
  context: n,
  width: d,
  batch: B,
  contexts,
  examples,
}: MemorizationConfig): number {
  const perExample = contexts === 'shared' ? H * n * d : H * d * (d + 4 * n);
  const tokens = contexts === 'shared' ? 1 : examples * n * d;
  const byMemory = Math.floor(2 ** 27 / tokens);
  return Math.max(1, Math.min(16, Math.floor(3e7 / (B * perExample)), byMemory));
}

/** The runs that nobody else is training. */
function lockRuns(
  runs: readonly SweepRun[],
  folder: string,
  problems: Map<string, string>,
  report: (line: string) => void,
): { ours: SweepRun[]; release: () => void } {
  const releases: (() => void)[] = [];
  const ours = runs.filter(({ id }) => {
    const lock = acquire(path.join(folder, `${id}.lock`));
    if (typeof lock === 'function') {
      releases.push(lock);
      return true;
    }
    problems.set(id, `in training elsewhere (${holderText(lock)})`);
    report(`${id}: in training elsewhere (${holderText(lock)}), left alone`);
    return false;
  });
  return { ours, release: () => releases.forEach((release) => release()) };
}

async function trainGroup(
  runs: readonly SweepRun[],
  checkpoint: string,
  finish: (run: SweepRun, outcome: Outcome) => Promise<void>,
): Promise<void> {
  if (runs.length === 0) return;
  // Two panels may meet in one setting: it is trained once.
  const configs = runs.map(({ config }) => config);
  const different = configs.filter((config, i) => configs.findIndex((other) => sameConfig(other, config)) === i);
  await memorizeTogether(different, {
    checkpoint,
    onOutcome: async (outcome) => {
      for (const run of runs) if (sameConfig(run.config, outcome.config)) await finish(run, outcome);
    },
  });
  rmSync(checkpoint, { force: true });
}

function summary({ loss, accuracy, steps, seconds }: Exclude<Outcome, Diverged>): string {
  const known = accuracy === null ? '' : `, accuracy ${accuracy.toFixed(4)}`;
  return `loss ${loss.toPrecision(4)}${known} after ${steps} steps, ${seconds.toFixed(1)} s`;
}
