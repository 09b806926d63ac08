import { rmSync } from 'node:fs';
import { begin } from '../../work';
import { BatchOrder } from './batches';
import { readCheckpoint, writeCheckpoint, type Best, type Checkpoint } from './checkpoint';
import { describe, memorizationConfig, sameConfig, type MemorizationConfig, type MemorizationOptions } from '../config';
import type { Evaluation } from './evaluate';
import { Lanes } from './lanes';
import { initialParameters, parameterCount } from '../parameters';
import { saturationOf, type Saturation } from './saturation';
import { freshState, keepModels } from './stacked-adam';
import { drawTask, type Task } from '../task';

/** A finished training. Loss, accuracy and saturation are those of the best checkpoint, the one of least loss. */
export interface MemorizationResult {
  readonly config: MemorizationConfig;
  /** Numbers in the model. */
  readonly parameters: number;
  /** Steps done; fewer than the configuration's after an early stop. */
  readonly steps: number;
  readonly seconds: number;
  /** Mean cross-entropy in nats or mean squared error, over all examples. */
  readonly loss: number;
  /** null for a regression. */
  readonly accuracy: number | null;
  readonly bestStep: number;
  readonly saturation: Saturation;
  readonly evaluations: readonly Evaluation[];
}

/** A training whose loss is no number any more. */
export class Diverged extends Error {
  override readonly name = 'Diverged';
  constructor(
    readonly config: MemorizationConfig,
    readonly step: number,
  ) {
    super(
      `${describe(config)}: the loss is no finite number after ${step} steps; a lower learning rate than ` +
        `${config.learningRate} may help.`,
    );
  }
}

/** How one model of a stack ended. */
export type Outcome = MemorizationResult | Diverged;

export interface TrainingOptions {
  /**
   * File to keep the state in: a training that finds its own there goes on from it. Removed when all is done. Models that
   * it does not hold any more had ended before; their outcomes were handed to `onOutcome` then and do not come again.
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
 * and after the last one; the checkpoint of least loss counts. Everything is drawn from the seed.
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
 * the calls, and those are shared. Each ends as it would alone, but for rounding. Configurations may differ in seed,
 * examples, learning rate and steps; see {@link stackable}.
 *
 * @returns the outcomes in the order of `configs`; a diverged model does not disturb the others.
 */
export async function memorizeTogether(
  configs: readonly MemorizationConfig[],
  training: TrainingOptions = {},
): Promise<Outcome[]> {
  if (!configs.every((config) => stackable(configs[0], config))) {
    throw new Error('models that are trained together must have the same shapes, batches and evaluations.');
  }
  const outcomes = new Map<string, Outcome>();
  const saved = training.checkpoint === undefined ? null : readCheckpoint(training.checkpoint);
  const stack = new Stack((saved && only(saved, configs)) ?? freshCheckpoint(configs));
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
  const { configs: saved, state, best, evaluations, seconds } = checkpoint;
  const keep = saved.flatMap((one, s) => (configs.some((config) => sameConfig(one, config)) ? [s] : []));
  if (keep.length === 0) return null;
  return {
    configs: keep.map((s) => saved[s]),
    state: keepModels(state, saved.length, keep),
    best: keep.map((s) => best[s]),
    evaluations: keep.map((s) => evaluations[s]),
    seconds,
  };
}

function freshCheckpoint(configs: readonly MemorizationConfig[]): Checkpoint {
  const vectors = configs.flatMap((config) => [...initialParameters(config)]);
  const precise = configs[0].precision === 'float64';
  return {
    configs,
    state: freshState(precise ? Float64Array.from(vectors) : Float32Array.from(vectors)),
    best: configs.map(() => null),
    evaluations: configs.map(() => []),
    seconds: 0,
  };
}

/** One model of a stack. */
interface Member {
  readonly config: MemorizationConfig;
  readonly task: Task;
  readonly batches: BatchOrder;
  best: Best | null;
  evaluations: Evaluation[];
  diverged: boolean;
}

/** Models in training, side by side. */
class Stack {
  private members: Member[];
  private lanes: Lanes;
  private readonly secondsBefore: number;
  private readonly started = performance.now();

  constructor({ configs, state, best, evaluations, seconds }: Checkpoint) {
    this.members = configs.map((config, s) => ({
      config,
      task: drawTask(config, config.precision),
      batches: new BatchOrder(config.examples, config.batch, config.seed),
      best: best[s],
      evaluations: [...evaluations[s]],
      diverged: false,
    }));
    this.secondsBefore = seconds;
    this.lanes = new Lanes(this.members, state);
  }

  get size(): number {
    return this.members.length;
  }

  get stepsDone(): number {
    return this.lanes.stepsDone;
  }

  private get seconds(): number {
    return this.secondsBefore + (performance.now() - this.started) / 1000;
  }

  /** One step of Adam for every model. */
  step(): void {
    this.lanes.step();
  }

  /** Evaluates the models that are due at this step; returns what was found. */
  evaluateIfDue(): [MemorizationConfig, Evaluation][] {
    const step = this.stepsDone;
    const due = this.members.filter(({ config }) => step % config.evaluateEvery === 0 || step === config.steps);
    if (due.length === 0) return [];
    const found = this.lanes.evaluate();
    const { vectors } = this.lanes.state();
    const P = vectors.length / this.members.length;
    return due.map((member) => {
      const s = this.members.indexOf(member);
      const evaluation = { step, ...found[s] };
      if (!Number.isFinite(evaluation.loss)) {
        member.diverged = true;
        return [member.config, evaluation];
      }
      member.evaluations.push(evaluation);
      if (member.best === null || evaluation.loss < member.best.loss) {
        member.best = { ...evaluation, vector: vectors.slice(s * P, (s + 1) * P) };
      }
      return [member.config, evaluation];
    });
  }

  /** Takes the models that have ended out of the stack. */
  takeFinished(): Outcome[] {
    const finished = this.members.filter((member) => this.hasEnded(member));
    if (finished.length === 0) return [];
    const outcomes = finished.map((member) => this.outcome(member));
    const keep = this.members.flatMap((member, s) => (finished.includes(member) ? [] : [s]));
    if (keep.length > 0) {
      const state = keepModels(this.lanes.state(), this.members.length, keep);
      this.lanes.dispose();
      this.lanes = new Lanes(
        keep.map((s) => this.members[s]),
        state,
      );
    }
    this.members = keep.map((s) => this.members[s]);
    return outcomes;
  }

  private hasEnded({ config, evaluations, diverged }: Member): boolean {
    const last = evaluations.at(-1);
    if (diverged || this.stepsDone >= config.steps) return true;
    if (!config.earlyStop || last?.step !== this.stepsDone) return false;
    return last.accuracy === 1 || (config.stopAtLoss !== null && last.loss <= config.stopAtLoss);
  }

  private outcome({ config, task, best, evaluations, diverged }: Member): Outcome {
    if (diverged || best === null) return new Diverged(config, this.stepsDone);
    return {
      config,
      parameters: parameterCount(config),
      steps: this.stepsDone,
      seconds: this.seconds,
      loss: best.loss,
      accuracy: best.accuracy,
      bestStep: best.step,
      saturation: saturationOf(task, best.vector, config.precision),
      evaluations,
    };
  }

  checkpoint(): Checkpoint {
    return {
      configs: this.members.map(({ config }) => config),
      state: this.lanes.state(),
      best: this.members.map(({ best }) => best),
      evaluations: this.members.map(({ evaluations }) => evaluations),
      seconds: this.seconds,
    };
  }

  dispose(): void {
    this.lanes.dispose();
  }
}
