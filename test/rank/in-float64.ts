import { test } from 'node:test';
import { inPrecision } from 'attention-capacity/tensor/index';

/** A test all in one precision: on small matrices the changes between them would take most of the time. */
export function testInFloat64(name: string, run: () => void): void {
  test(name, () => inPrecision('float64', run));
}
