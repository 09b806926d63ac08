import { test, type TestContext } from 'node:test';
import { inPrecision } from 'attention-capacity/tensor/index';

/** A test all in one precision: on small matrices the changes between them would take most of the time. */
export function testInFloat64(name: string, run: (context: TestContext) => void): void {
  test(name, (context) => inPrecision('float64', () => run(context)));
}
