import { createHash } from 'node:crypto';
import path from 'node:path';
import { cacheFolder, projectRoot } from '../../data/project-root';
import { profileName } from '../profiles';
import { readSweep, type SweepPlan } from '../../memorization/sweep/plan';
import type { SweepResult } from '../../memorization/sweep/results';
import { runSweep, sweepResults, type SweepOutcome } from '../../memorization/sweep/sweep';

/** A sweep of which every run is finished, or named as missing. */
export interface FinishedSweep {
  readonly plan: SweepPlan;
  readonly results: readonly SweepResult[];
  readonly missing: SweepOutcome['missing'];
}

/**
 * The sweep behind a notebook, in the profile that ATTENTION_PROFILE names: `workflow/figures-quick.json` and the like. In
 * the profile `paper`, its part of `workflow/paper.json`, with results in `sweeps/paper`, where a cluster may have put
 * them; finished runs are not trained again.
 */
export async function memorizationSweep(notebook: 'figures' | 'saturation'): Promise<FinishedSweep> {
  const profile = profileName();
  const workflow = path.join(projectRoot(), 'workflow');
  const plan =
    profile === 'paper'
      ? partOf(readSweep(path.join(workflow, 'paper.json')), notebook)
      : readSweep(path.join(workflow, `${notebook}-${profile}.json`));
  const folder = profile === 'paper' ? path.join(projectRoot(), 'sweeps', plan.name) : folderOf(plan);
  const { missing } = await runSweep(plan, { folder });
  return { plan, results: sweepResults(plan, folder), missing };
}

function partOf(plan: SweepPlan, notebook: 'figures' | 'saturation'): SweepPlan {
  const isSaturation = (panel: string) => panel.startsWith('saturation-');
  return { ...plan, runs: plan.runs.filter(({ panel }) => isSaturation(panel) === (notebook === 'saturation')) };
}

/** Named after all that the sweep asks for, so that a changed file starts again. */
function folderOf(plan: SweepPlan): string {
  const hash = createHash('sha256').update(JSON.stringify(plan.runs)).digest('hex').slice(0, 12);
  return cacheFolder('sweeps', `${plan.name}-${hash}`);
}
