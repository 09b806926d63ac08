import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeAtomically } from '../../data';
import type { MemorizationConfig } from '../config';
import type { Evaluation } from './evaluate';
import type { AdamState } from './stacked-adam';

/** The best that a model has been: its parameters [P] and how it did. */
export interface Best extends Evaluation {
  readonly vector: Float32Array | Float64Array;
}

/** A training under way, to be taken up where it was, to the last bit. */
export interface Checkpoint {
  /** Models still in training, one for each row of the state. */
  readonly configs: readonly MemorizationConfig[];
  readonly state: AdamState;
  readonly best: readonly (Best | null)[];
  readonly evaluations: readonly (readonly Evaluation[])[];
  /** Seconds spent so far. */
  readonly seconds: number;
}

const MAGIC = 'attention-capacity checkpoint 2\n';

/** Layout: a line that names the format, a line of JSON, the arrays, SHA-256 of all that. */
export function writeCheckpoint(file: string, { configs, state, best, evaluations, seconds }: Checkpoint): void {
  const header = {
    configs,
    step: state.step,
    best: best.map((one) => one && { step: one.step, loss: one.loss, accuracy: one.accuracy }),
    evaluations,
    seconds,
    length: state.vectors.length,
  };
  const arrays = [
    state.vectors,
    state.firstMoments,
    state.secondMoments,
    ...best.flatMap((one) => (one ? [one.vector] : [])),
  ];
  const parts: (string | Uint8Array)[] = [MAGIC, `${JSON.stringify(header)}\n`, ...arrays.map(bytesOf)];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  writeAtomically(file, [...parts, hash.digest()]);
}

/** Reads a checkpoint; null where there is none, or where the file is not whole (then the run starts anew). */
export function readCheckpoint(file: string): Checkpoint | null {
  if (!existsSync(file)) return null;
  const bytes = readFileSync(file);
  const body = bytes.subarray(0, Math.max(bytes.length - 32, 0));
  const whole = createHash('sha256').update(body).digest().equals(bytes.subarray(body.length));
  if (!whole || !body.toString('latin1', 0, MAGIC.length).startsWith(MAGIC)) return null;
  const headerEnd = body.indexOf('\n', MAGIC.length);
  const header = JSON.parse(body.toString('utf8', MAGIC.length, headerEnd)) as {
    configs: MemorizationConfig[];
    step: number;
    best: (Evaluation | null)[];
    evaluations: Evaluation[][];
    seconds: number;
    length: number;
  };
  const Values = header.configs[0].precision === 'float32' ? Float32Array : Float64Array;
  let at = headerEnd + 1;
  const next = (length: number) => {
    const size = length * Values.BYTES_PER_ELEMENT;
    // A copy: the file's bytes need not lie where numbers may.
    const values = new Values(new Uint8Array(body.subarray(at, at + size)).buffer);
    at += size;
    return values;
  };
  const { length, step } = header;
  const state = { step, vectors: next(length), firstMoments: next(length), secondMoments: next(length) };
  const P = length / header.configs.length;
  const best = header.best.map((one) => one && { ...one, vector: next(P) });
  return { configs: header.configs, state, best, evaluations: header.evaluations, seconds: header.seconds };
}

function bytesOf(values: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
