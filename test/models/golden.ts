import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { picked } from './integer-weights';

/** Where the golden values lie; the tests run from test/dist. */
export const GOLDEN = join(__dirname, '..', '..', 'golden', 'models');

/** The checked values of one tensor. */
export interface Picks {
  readonly shape: readonly number[];
  /** Largest absolute value of the whole tensor. */
  readonly scale: number;
  readonly values: readonly number[];
}

export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(join(GOLDEN, `${name}.json`), 'utf8')) as T;
}

/** Largest difference from the golden values, in units of the tensor's scale. */
export function difference(name: string, values: ArrayLike<number>, shape: readonly number[], golden: Picks): number {
  assert.deepEqual(shape, golden.shape, `${name}: shape`);
  const positions = picked(name, values.length, golden.values.length);
  const differences = positions.map((position, index) => Math.abs(values[position] - golden.values[index]));
  assert.ok(differences.every(Number.isFinite), `${name}: not all values are finite`);
  return Math.max(...differences) / golden.scale;
}
