import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inPrecision, tf, toTensor, valuesOf } from 'attention-capacity/tensor/index';
import { drawTask, type Task } from 'attention-capacity/memorization/task';
import { setting } from 'attention-capacity/memorization/config';
import { stackData } from 'attention-capacity/memorization/data';
import { attend, forward, gradient, unpack } from 'attention-capacity/memorization/model';
import { initialParameters, parameterCount } from 'attention-capacity/memorization/parameters';
import { naiveForward, naiveLoss, sequences, smallTask } from './naive';

/** Both formulations on one task, all examples in one batch. */
function compare(task: Task) {
  return inPrecision('float64', () => {
    const { setting } = task;
    const T = setting.examples;
    const vector = toTensor(initialParameters(setting), [parameterCount(setting)]) as tf.Tensor1D;
    const x = sequences(task);
    const data = stackData([task]);
    const rows = tf.range(0, T, 1, 'int32').expandDims(0) as tf.Tensor2D;
    const stacked = vector.expandDims(0) as tf.Tensor2D;
    const [naive, naiveWeights] = naiveForward(x, vector, setting);
    const dNaive = tf.grad((v) => naiveLoss(naiveForward(x, v as tf.Tensor1D, setting)[0], task))(vector);
    const means = toTensor(new Float64Array(T).fill(1 / T), [1, T, 1]);
    const attention = attend(unpack(stacked, setting), data, rows, setting);
    return {
      outputs: difference(forward(stacked, data, rows, setting), naive),
      weights: difference(attention.weights, naiveWeights),
      gradient: difference(gradient(stacked, data, rows, means, setting), dNaive),
    };
  });
}

function difference(ours: tf.Tensor, theirs: tf.Tensor): number {
  const expected = valuesOf(theirs);
  assert.equal(ours.size, expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...valuesOf(ours).map((value, i) => Math.abs(value - expected[i]))) / largest;
}

const tasks = {
  'shared contexts, classification': smallTask({ contexts: 'shared', task: 'classification' }),
  'random contexts, classification': smallTask({ contexts: 'random', task: 'classification' }),
  'perm contexts, regression': smallTask({ contexts: 'perm', task: 'regression' }),
  'shared contexts, regression': smallTask({ contexts: 'shared', task: 'regression' }),
  'one head, one token': smallTask({ contexts: 'random', task: 'classification', heads: 1, context: 1 }),
  'head size 1': smallTask({ contexts: 'random', task: 'regression', headSize: 1 }),
  'more tokens than dimensions': smallTask({ contexts: 'shared', task: 'classification', context: 9 }),
  'many heads': smallTask({
    contexts: 'random',
    task: 'regression',
    heads: 10,
    context: 32,
    width: 64,
    headSize: 8,
  }),
  'the paper’s width': smallTask({
    contexts: 'random',
    task: 'classification',
    heads: 4,
    context: 10,
    width: 64,
    headSize: 64,
    classes: 100,
  }),
};

for (const [name, task] of Object.entries(tasks)) {
  test(`outputs, weights and gradient equal the reference formula's in float64: ${name}`, () => {
    const differences = compare(task);
    for (const [what, largest] of Object.entries(differences)) {
      assert.ok(largest < 1e-10, `${what} differ by ${largest} of their largest value`);
    }
  });
}

test('a stack of models computes what each computes alone', () => {
  const one = {
    heads: 3,
    context: 4,
    headSize: 5,
    width: 6,
    classes: 5,
    contexts: 'perm',
    task: 'classification',
  } as const;
  const members = [0, 1, 2].map((seed) => drawTask(setting({ ...one, examples: 8 + seed, seed }), 'float64'));
  inPrecision('float64', () => {
    const gradientOf = (tasks: readonly Task[]) => {
      const P = parameterCount(tasks[0].setting);
      const data = stackData(tasks);
      const vectors = toTensor(
        tasks.flatMap(({ setting }) => [...initialParameters(setting)]),
        [tasks.length, P],
      ) as tf.Tensor2D;
      const rows = tf.tensor2d(
        data.firstRow.map((first) => [first + 1, first + 7, first + 4]),
        undefined,
        'int32',
      );
      const means = toTensor([1 / 3, 1 / 3, 1 / 3], [1, 3, 1]);
      return valuesOf(gradient(vectors, data, rows, means, tasks[0].setting));
    };
    const together = gradientOf(members);
    const alone = members.flatMap((member) => [...gradientOf([member])]);
    const largest = Math.max(...alone.map((value, i) => Math.abs(value - together[i])));
    assert.ok(largest < 1e-14, `they differ by ${largest}`);
  });
});

test('no tensor is left behind', () => {
  const task = smallTask({ contexts: 'perm', task: 'classification' });
  inPrecision('float64', () => {
    const before = tf.memory().numTensors;
    const data = stackData([task]);
    data.dispose();
    assert.equal(tf.memory().numTensors, before);
  });
});
