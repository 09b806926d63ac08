import { rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { requireMemory } from '../../data';
import { begin } from '../../work';
import { FITTED } from './capacity';
import { describe, layerOf, type Layer, type LayerOptions } from '../config';
import { linearize, outputsOf, type LayerTask } from './jacobian';
import { descend, isSlow, startAt, type Descent, type Problem } from './levenberg-marquardt';
import { initialParameters, parameterCount, trainedFrom } from '../parameters';
import { readState, writeState } from '../state-file';
import { drawTask } from '../task';

export interface ExactOptions {
  /** Initial weights to try before giving up; the first are those that Adam starts from. Default 4. */
  readonly starts?: number;
  /** Most iterations of a start; default 1000. */
  readonly iterations?: number;
  /** File to keep the state in: a search that finds its own there resumes from it. Removed when all is done. */
  readonly checkpoint?: string;
  /** Least time between two writings of it; default 20. */
  readonly checkpointSeconds?: number;
}

/** What Levenberg-Marquardt reached. */
export interface ExactResult {
  readonly config: Layer;
  readonly method: 'exact';
  /**
   * Whether all targets were fitted: `maxResidual` <= 1e-8. If not, weights that fit them may exist all the same: a search
   * that does not find them is no proof.
   */
  readonly memorized: boolean;
  /** Largest |output - target| over examples and outputs, of the best start. */
  readonly maxResidual: number;
  /** Of all starts together. */
  readonly iterations: number;
  /** Starts that were made. */
  readonly starts: number;
  readonly seconds: number;
}

/** A search under way. */
interface Search {
  readonly start: number;
  readonly descent: Descent;
  /** Of the starts before. */
  readonly iterationsBefore: number;
  readonly maxResidual: number;
  readonly seconds: number;
}

/** The search of a start goes on below the residual that counts as fitted: rounding elsewhere must not undo it. */
const GOAL = FITTED / 10;
const FORMAT = 'attention-capacity exact search 1';

/**
 * Searches for weights that fit the targets of a task to 1e-8, by Levenberg-Marquardt in float64 from one start after another:
 * the labels of a regression; of a classification the logits, 1 for an example's class and 0 for the others. A start ends
 * when it has fitted them, cannot go on, or gains less than 5 % in 100 iterations. Everything is drawn from the seed.
 *
 * The memory that it takes is some 8 (2 R P + 4 min(R, P)^2) bytes for R = T C targets and P weights.
 *
 * @throws InputError for values that make no sense or do not fit into memory; Interrupted.
 */
export async function memorizeExactly(options: LayerOptions, exact: ExactOptions = {}): Promise<ExactResult> {
  const config = layerOf(options);
  const { starts = 4, iterations = 1000, checkpoint, checkpointSeconds = 20 } = exact;
  const problem = problemOf(config);
  const label = `Levenberg-Marquardt: ${describe(config)}`;
  const work = begin(label, starts * iterations);
  let search = (checkpoint === undefined ? null : readSearch(checkpoint, config)) ?? fresh(config, 0, 0, Infinity, 0);
  const began = performance.now() - search.seconds * 1000;
  const save = () => {
    if (checkpoint !== undefined) writeSearch(checkpoint, config, search);
    lastSaved = performance.now();
  };
  let lastSaved = performance.now();
  const done = () => search.iterationsBefore + search.descent.iterations;
  try {
    for (;;) {
      const { descent } = search;
      const reached = Math.min(search.maxResidual, largest(problem.residuals(descent.point)));
      const hasEnded = reached <= GOAL || descent.iterations >= iterations || isSlow(descent);
      const next = hasEnded ? null : descend(problem, descent);
      const seconds = (performance.now() - began) / 1000;
      if (next !== null) search = { ...search, descent: next, seconds };
      else if (reached <= FITTED || search.start + 1 >= starts) {
        if (checkpoint !== undefined) rmSync(checkpoint, { force: true });
        return {
          config,
          method: 'exact',
          memorized: reached <= FITTED,
          maxResidual: reached,
          iterations: done(),
          starts: search.start + 1,
          seconds,
        };
      } else search = fresh(config, search.start + 1, done(), reached, seconds);
      if (performance.now() - lastSaved > checkpointSeconds * 1000) save();
      await work.advance(search.start * iterations + search.descent.iterations);
    }
  } catch (error) {
    save();
    throw error;
  } finally {
    work.end();
  }
}

function fresh(config: Layer, start: number, iterationsBefore: number, maxResidual: number, seconds: number): Search {
  const point = initialParameters(config, start).slice(trainedFrom(config));
  return { start, descent: startAt(point), iterationsBefore, maxResidual, seconds };
}

/** The residuals of a task as functions of its trained weights. */
function problemOf(setting: Layer): Problem {
  const [R, P] = [setting.examples * setting.classes, parameterCount(setting)];
  requireMemory(
    8 * (2 * R * P + 4 * Math.min(R, P) ** 2),
    `Levenberg-Marquardt with ${R} targets and ${P} weights`,
    'use fewer examples or a machine with more memory',
  );
  const task = { ...drawTask(setting, 'float64'), setting };
  const targets = targetsOf(task);
  const from = trainedFrom(setting);
  const vector = initialParameters(setting);
  const at = (point: Float64Array) => {
    vector.set(point, from);
    return vector;
  };
  const minusTargets = (outputs: Float64Array) => outputs.map((output, i) => output - targets[i]);
  return {
    residuals: (point) => minusTargets(outputsOf(task, at(point))),
    linearize(point) {
      const { outputs, jacobian } = linearize(task, at(point));
      return { residuals: minusTargets(outputs), jacobian };
    },
  };
}

/** `[T C]`: the labels of a regression, the one-hot logits of a classification. */
function targetsOf({ labels, setting: { task, classes } }: LayerTask): Float64Array {
  if (task === 'regression') return labels as Float64Array;
  const targets = new Float64Array(labels.length * classes);
  labels.forEach((label, t) => (targets[t * classes + label] = 1));
  return targets;
}

function largest(residuals: Float64Array): number {
  let found = 0;
  for (const residual of residuals) found = Math.abs(residual) <= found ? found : Math.abs(residual);
  return found;
}

function writeSearch(file: string, config: Layer, { descent: { point, ...descent }, ...search }: Search): void {
  writeState(file, FORMAT, { config, search, descent }, [point]);
}

function readSearch(file: string, config: Layer): Search | null {
  const state = readState(file, FORMAT);
  if (state === null) return null;
  const header = state.header as { config: Layer; search: Omit<Search, 'descent'>; descent: Omit<Descent, 'point'> };
  if (!isDeepStrictEqual(header.config, config)) return null;
  const point = state.next(parameterCount(config), Float64Array);
  // JSON has no Infinity.
  return {
    ...header.search,
    maxResidual: header.search.maxResidual ?? Infinity,
    descent: { ...header.descent, point },
  };
}
