import { rmSync } from 'node:fs';
import { begin } from '../../work';
import { freshCheckpoint, readCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint';
import { describe, memorizationConfig, sameConfig, type MemorizationConfig, type MemorizationOptions } from '../config';
import type { Evaluation } from './evaluate';
import { Diverged, type MemorizationResult, type Outcome } from './outcome';
import { ModelStack } from './stack';

export { Diverged, type MemorizationResult, type Outcome } from './outcome';

export interface TrainingOptions {
  /**
   * File to keep the state in: a training that finds its own there resumes from it. Removed when all is done. Models
   * that are no longer in it ended before; `onOutcome` got their outcomes then, and does not get them again.
   */
  readonly checkpoint?: string;
  /** Least time between two writings of it; default 20. */
  readonly checkpointSeconds?: number;
  /** Called after each evaluation, with the configuration of the model that was evaluated. */
  readonly onEvaluation?: (config: MemorizationConfig, evaluation: Evaluation) => void;
  /** Called as soon as a model of the stack has ended. */
  readonly onOutcome?: (outcome: Outcome) => void | Promise<void>;
}

/**
 * Trains one model to memorize its task, with the reference's recipe unless told otherwise: Adam, learning rate 1e-3 after
 * a warm-up of a twentieth of the steps, then a cosine to 0; batches of 256; evaluated on all examples every 500 steps
 * and after the last one; the evaluation of least loss counts. Everything is drawn from the seed.
 *
 * @throws InputError for values that make no sense; Diverged when the loss becomes NaN; Interrupted.
 */
export async function memorize(
  options: MemorizationOptions,
  training: TrainingOptions = {},
): Promise<MemorizationResult> {
  const [outcome] = await memorizeTogether([memorizationConfig(options)], training);
  if (outcome instanceof Diverged) throw outcome;
  return outcome;
}

/**
 * Trains several models of one architecture at once, stacked along a leading axis: what a small model costs is mostly
 * the calls, and those are shared. Each ends as it would alone, except for rounding. Configurations may differ in seed,
 * examples, learning rate and steps; see {@link stackable}.
 *
 * @returns the outcomes in the order of `configs`; a diverged model does not disturb the others.
 */
export async function memorizeTogether(
  configs: readonly MemorizationConfig[],
  training: TrainingOptions = {},
): Promise<Outcome[]> {
  if (!configs.every((config) => stackable(configs[0], config))) {
    throw new Error('expected models that differ in seed, examples, learning rate and steps only, got other ones.');
  }
  const outcomes = new Map<string, Outcome>();
  const saved = training.checkpoint === undefined ? null : readCheckpoint(training.checkpoint);
  const stack = new ModelStack((saved && only(saved, configs)) ?? freshCheckpoint(configs));
  const longest = Math.max(...configs.map(({ steps }) => steps));
  const label = configs.length === 1 ? describe(configs[0]) : `${configs.length} models, ${describe(configs[0])} ...`;
  const work = begin(label, longest);
  const every = (training.checkpointSeconds ?? 20) * 1000;
  let lastSaved = performance.now();
  const save = () => {
    if (training.checkpoint === undefined || stack.size === 0) return;
    writeCheckpoint(training.checkpoint, stack.checkpoint());
    lastSaved = performance.now();
  };
  try {
    while (stack.size > 0) {
      stack.step();
      for (const [config, evaluation] of stack.evaluateIfDue()) training.onEvaluation?.(config, evaluation);
      for (const outcome of stack.takeFinished()) {
        outcomes.set(JSON.stringify(outcome.config), outcome);
        await training.onOutcome?.(outcome);
      }
      if (performance.now() - lastSaved > every) save();
      await work.advance(stack.stepsDone);
    }
    if (training.checkpoint !== undefined) rmSync(training.checkpoint, { force: true });
  } catch (error) {
    save();
    throw error;
  } finally {
    work.end();
    stack.dispose();
  }
  return configs.flatMap((config) => outcomes.get(JSON.stringify(config)) ?? []);
}

/** Whether two models can be trained in one stack. */
export function stackable(a: MemorizationConfig, b: MemorizationConfig): boolean {
  return sameConfig(a, { ...b, seed: a.seed, examples: a.examples, learningRate: a.learningRate, steps: a.steps });
}

/** The part of a checkpoint that holds the given models; null when it holds none of them. */
function only(checkpoint: Checkpoint, configs: readonly MemorizationConfig[]): Checkpoint | null {
  const models = checkpoint.models.filter((model) => configs.some((config) => sameConfig(model.config, config)));
  return models.length === 0 ? null : { ...checkpoint, models };
}
