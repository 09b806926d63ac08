import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeAtomically } from '../../data';
import type { MemorizationConfig } from '../config';
import type { Evaluation } from './evaluate';
import { initialParameters } from '../parameters';

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

const MAGIC = 'attention-capacity checkpoint 2\n';

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

/** Layout: a line that names the format, a line of JSON, the arrays, SHA-256 of all that. */
export function writeCheckpoint(file: string, { models, step, seconds }: Checkpoint): void {
  const header = {
    configs: models.map(({ config }) => config),
    step,
    best: models.map(({ best }) => best && { step: best.step, loss: best.loss, accuracy: best.accuracy }),
    evaluations: models.map(({ evaluations }) => evaluations),
    seconds,
    length: models.length * models[0].vector.length,
  };
  const arrays = [
    ...models.map(({ vector }) => vector),
    ...models.map(({ firstMoment }) => firstMoment),
    ...models.map(({ secondMoment }) => secondMoment),
    ...models.flatMap(({ best }) => best?.vector ?? []),
  ];
  const parts: (string | Uint8Array)[] = [MAGIC, `${JSON.stringify(header)}\n`, ...arrays.map(bytesOf)];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  writeAtomically(file, [...parts, hash.digest()]);
}

/** Reads a checkpoint; null where there is none, or where the file was cut short (then the training starts again). */
export function readCheckpoint(file: string): Checkpoint | null {
  if (!existsSync(file)) return null;
  const bytes = readFileSync(file);
  const body = bytes.subarray(0, Math.max(bytes.length - 32, 0));
  const whole = createHash('sha256').update(body).digest().equals(bytes.subarray(body.length));
  if (!whole || !body.toString('latin1', 0, MAGIC.length).startsWith(MAGIC)) return null;
  const headerEnd = body.indexOf('\n', MAGIC.length);
  const { configs, step, best, evaluations, seconds, length } = JSON.parse(
    body.toString('utf8', MAGIC.length, headerEnd),
  ) as {
    configs: MemorizationConfig[];
    step: number;
    best: (Evaluation | null)[];
    evaluations: Evaluation[][];
    seconds: number;
    length: number;
  };
  const Values = configs[0].precision === 'float32' ? Float32Array : Float64Array;
  const P = length / configs.length;
  let at = headerEnd + 1;
  const next = () => {
    const size = P * Values.BYTES_PER_ELEMENT;
    // A copy: the file's bytes need not lie where numbers may.
    const values = new Values(new Uint8Array(body.subarray(at, at + size)).buffer);
    at += size;
    return values;
  };
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

function bytesOf(values: Values): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
