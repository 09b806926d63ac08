import type { MemorizationConfig } from '../config';
import type { Evaluation } from './evaluate';
import { initialParameters } from '../parameters';
import { readState, writeState } from '../state-file';

type Values = Float32Array | Float64Array;

/** The best that a model has been: its parameters [P] and how it did. */
export interface Best extends Evaluation {
  readonly vector: Values;
}

/** A model in training: its parameters and Adam's moments, [P] each in the precision of the training, and its record. */
interface ModelState {
  readonly config: MemorizationConfig;
  readonly vector: Values;
  readonly firstMoment: Values;
  readonly secondMoment: Values;
  readonly best: Best | null;
  readonly evaluations: readonly Evaluation[];
}

/** A training under way, from which it resumes to the last bit. */
export interface Checkpoint {
  /** The models still in training. */
  readonly models: readonly ModelState[];
  /** Steps done. */
  readonly step: number;
  /** Seconds spent so far. */
  readonly seconds: number;
}

const FORMAT = 'attention-capacity checkpoint 3';

/** The models before their first step. */
export function freshCheckpoint(configs: readonly MemorizationConfig[]): Checkpoint {
  const models = configs.map((config) => {
    const Values = config.precision === 'float64' ? Float64Array : Float32Array;
    const vector = Values.from(initialParameters(config));
    const zeros = new Values(vector.length);
    return { config, vector, firstMoment: zeros, secondMoment: zeros, best: null, evaluations: [] };
  });
  return { models, step: 0, seconds: 0 };
}

export function writeCheckpoint(file: string, { models, step, seconds }: Checkpoint): void {
  const header = {
    configs: models.map(({ config }) => config),
    step,
    best: models.map(({ best }) => {
      if (best === null) return null;
      const { vector: _, ...evaluation } = best;
      return evaluation;
    }),
    evaluations: models.map(({ evaluations }) => evaluations),
    seconds,
    length: models.length * models[0].vector.length,
  };
  writeState(file, FORMAT, header, [
    ...models.map(({ vector }) => vector),
    ...models.map(({ firstMoment }) => firstMoment),
    ...models.map(({ secondMoment }) => secondMoment),
    ...models.flatMap(({ best }) => best?.vector ?? []),
  ]);
}

/** Reads a checkpoint; null where there is none, or where the file was cut short (then the training starts again). */
export function readCheckpoint(file: string): Checkpoint | null {
  const state = readState(file, FORMAT);
  if (state === null) return null;
  const { configs, step, best, evaluations, seconds, length } = state.header as {
    configs: MemorizationConfig[];
    step: number;
    best: (Evaluation | null)[];
    evaluations: Evaluation[][];
    seconds: number;
    length: number;
  };
  const P = length / configs.length;
  const next = (): Values =>
    configs[0].precision === 'float32' ? state.next(P, Float32Array) : state.next(P, Float64Array);
  const [vectors, firstMoments, secondMoments] = [0, 1, 2].map(() => configs.map(next));
  const models = configs.map((config, s) => ({
    config,
    vector: vectors[s],
    firstMoment: firstMoments[s],
    secondMoment: secondMoments[s],
    best: best[s] && { ...best[s], vector: next() },
    evaluations: evaluations[s],
  }));
  return { models, step, seconds };
}
