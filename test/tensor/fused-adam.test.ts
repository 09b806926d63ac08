import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  epsilonOf,
  FusedAdam,
  inPrecision,
  randomSource,
  tf,
  toTensor,
  valuesOf,
  type Precision,
} from 'attention-capacity/tensor/index';

const P = 1000;
const random = randomSource(0, 'fused-adam');
const draw = () => Float64Array.from({ length: P }, () => random.normal());
const start = draw();
const gradients = Array.from({ length: 30 }, draw);
const rates = gradients.map((_, step) => 1e-2 / (1 + step));

/** Algorithm 1 of the paper, number by number. */
function byHand(): Float64Array {
  const vector = start.slice();
  const first = new Float64Array(P);
  const second = new Float64Array(P);
  gradients.forEach((gradient, step) => {
    for (let i = 0; i < P; i++) {
      first[i] = 0.9 * first[i] + 0.1 * gradient[i];
      second[i] = 0.999 * second[i] + 0.001 * gradient[i] ** 2;
      const unbiased = first[i] / (1 - 0.9 ** (step + 1));
      vector[i] -= (rates[step] * unbiased) / (Math.sqrt(second[i] / (1 - 0.999 ** (step + 1))) + 1e-8);
    }
  });
  return vector;
}

function fresh(): FusedAdam {
  const parts = [start, new Float64Array(P), new Float64Array(P)].map((values) => toTensor(values, [P]) as tf.Tensor1D);
  const adam = new FusedAdam(parts[0], parts[1], parts[2], 0);
  tf.dispose(parts);
  return adam;
}

function stepAll(adam: FusedAdam, from = 0, to = gradients.length): void {
  for (let step = from; step < to; step++) {
    const gradient = toTensor(gradients[step], [P]);
    adam.step(gradient, rates[step]);
    gradient.dispose();
  }
}

function valuesAndDispose(tensor: tf.Tensor): Float32Array | Float64Array {
  const values = valuesOf(tensor).slice();
  tensor.dispose();
  return values;
}

for (const precision of ['float64', 'float32'] satisfies Precision[]) {
  test(`thirty steps in ${precision} are those of the paper's algorithm`, () => {
    inPrecision(precision, () => {
      const adam = fresh();
      stepAll(adam);
      const found = valuesAndDispose(adam.read());
      adam.dispose();
      const expected = byHand();
      const largest = Math.max(...expected.map((value, i) => Math.abs(value - found[i])));
      const rounding = gradients.length * epsilonOf(precision) * Math.max(...expected.map(Math.abs));
      assert.ok(largest < rounding, `they differ by ${largest}`);
    });
  });
}

test('taken out and put back, it goes on to the same bits; and nothing is left behind', () => {
  const before = tf.memory().numTensors;
  inPrecision('float32', () => {
    const undisturbed = fresh();
    stepAll(undisturbed);
    const halfway = fresh();
    stepAll(halfway, 0, 11);
    const state = [halfway.read(), ...halfway.readMoments()];
    const again = new FusedAdam(state[0], state[1], state[2], 11);
    halfway.dispose();
    tf.dispose(state);
    stepAll(again, 11);
    assert.deepEqual(valuesAndDispose(again.read()), valuesAndDispose(undisturbed.read()));
    undisturbed.dispose();
    again.dispose();
  });
  assert.equal(tf.memory().numTensors, before);
});

test('a vector that was read stays as it was when the next step is made', () => {
  inPrecision('float64', () => {
    const adam = fresh();
    const read = adam.read();
    stepAll(adam, 0, 1);
    assert.deepEqual(valuesAndDispose(read), start);
    assert.notDeepEqual(valuesAndDispose(adam.read()), start);
    adam.dispose();
  });
});
