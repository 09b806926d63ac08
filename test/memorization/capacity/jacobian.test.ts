import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linearize, outputsOf } from 'attention-capacity/memorization/capacity/jacobian';
import { layerOf, type LayerOptions } from 'attention-capacity/memorization/config';
import { initialParameters, trainedFrom } from 'attention-capacity/memorization/parameters';
import { drawTask } from 'attention-capacity/memorization/task';
import { inPrecision, tf, toTensor, valuesOf } from 'attention-capacity/tensor';
import { naiveForward, sequences } from '../naive';

const small = { heads: 4, context: 3, headSize: 2, width: 6, classes: 3, examples: 5 } as const;
const layers: Record<string, LayerOptions> = {
  'shared contexts, regression': { ...small, contexts: 'shared', task: 'regression' },
  'shared contexts, classification, fixed embedding': {
    ...small,
    contexts: 'shared',
    task: 'classification',
    embedding: 'fixed',
  },
  'random contexts, classification': { ...small, contexts: 'random', task: 'classification' },
  'random contexts, regression, fixed embedding, d_v = 3': {
    ...small,
    contexts: 'random',
    task: 'regression',
    embedding: 'fixed',
    valueSize: 3,
  },
  'perm contexts, classification, d_v = 2, two key-value heads': {
    ...small,
    contexts: 'perm',
    task: 'classification',
    valueSize: 2,
    keyValueHeads: 2,
  },
  'shared contexts of more tokens than dimensions, one key-value head': {
    ...small,
    contexts: 'shared',
    task: 'regression',
    context: 8,
    keyValueHeads: 1,
  },
  'a single token': { ...small, contexts: 'random', task: 'classification', context: 1, valueSize: 2 },
};

for (const [name, options] of Object.entries(layers)) {
  test(`outputs and Jacobian are those of the reference formula and tfjs' tape: ${name}`, () => {
    const setting = layerOf(options);
    const task = { ...drawTask(setting, 'float64'), setting };
    const vector = initialParameters(setting, 1);
    const { outputs, jacobian } = linearize(task, vector);
    const P = jacobian.shape[1];
    inPrecision('float64', () => {
      const x = sequences(task);
      const weights = toTensor(vector, [vector.length]) as tf.Tensor1D;
      const naive = (v: tf.Tensor) => naiveForward(x, v as tf.Tensor1D, setting)[0].flatten();
      const expected = valuesOf(naive(weights));
      assert.deepEqual([outputs.length, jacobian.shape[0]], [expected.length, expected.length]);
      const scale = Math.max(...expected.map(Math.abs));
      assert.ok(outputs.every((value, i) => Math.abs(value - expected[i]) < 1e-13 * scale));
      outputs.forEach((_, output) => {
        const one = toTensor(
          outputs.map((_, i) => (i === output ? 1 : 0)),
          [outputs.length],
        );
        const row = valuesOf(tf.grad((v) => tf.sum(tf.mul(naive(v), one)))(weights)).subarray(trainedFrom(setting));
        assert.equal(row.length, P);
        const largest = Math.max(...row.map(Math.abs));
        const off = Math.max(...row.map((value, i) => Math.abs(value - jacobian.data[output * P + i])));
        assert.ok(off < 1e-12 * largest, `output ${output}: off by ${off} of ${largest}`);
      });
    });
    assert.deepEqual(outputsOf(task, vector), outputs);
  });
}
