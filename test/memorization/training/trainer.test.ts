import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { InputError } from 'attention-capacity';
import { readCheckpoint } from 'attention-capacity/memorization/training/checkpoint';
import { memorizationConfig, type MemorizationOptions } from 'attention-capacity/memorization/config';
import { stackData } from 'attention-capacity/memorization/data';
import { evaluate } from 'attention-capacity/memorization/training/evaluate';
import { gradient } from 'attention-capacity/memorization/model';
import { learningRateAt } from 'attention-capacity/memorization/training/schedule';
import type { Task } from 'attention-capacity/memorization/task';
import {
  Diverged,
  memorize,
  memorizeTogether,
  type MemorizationResult,
} from 'attention-capacity/memorization/training/trainer';
import { interruptWork, Interrupted } from 'attention-capacity/work';
import { FusedAdam, inPrecision, tf, toTensor, valuesOf } from 'attention-capacity/tensor/index';

const folder = mkdtempSync(path.join(tmpdir(), 'memorization-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const small = {
  heads: 2,
  context: 3,
  headSize: 4,
  width: 8,
  classes: 5,
  examples: 20,
  contexts: 'random',
  task: 'classification',
  steps: 300,
  batch: 8,
  evaluateEvery: 50,
  learningRate: 1e-2,
} as const satisfies MemorizationOptions;

/** Everything but the time it took. */
function timeless(outcome: MemorizationResult | Diverged): unknown {
  return { ...outcome, seconds: null };
}

/** test/golden/memorization/make.py: trained by PyTorch in float64. */
interface Golden {
  shape: { heads: number; context: number; headSize: number; width: number };
  steps: number;
  batch: number;
  examples: number;
  learningRate: number;
  rates: Record<string, number[]>;
  cases: {
    task: 'classification' | 'regression';
    classes: number;
    x: number[];
    y: number[];
    batches: number[][];
    initial: number[];
    final: number[];
    loss: number;
    accuracy: number;
  }[];
}
const golden = JSON.parse(
  readFileSync(path.join(__dirname, '../../../golden/memorization/training.json'), 'utf8'),
) as Golden;

test('the learning rate of every step is PyTorch’s', () => {
  for (const [steps, rates] of Object.entries(golden.rates)) {
    rates.forEach((rate, step) => {
      const ours = learningRateAt(step, { steps: Number(steps), learningRate: 1e-3 });
      assert.ok(Math.abs(ours - rate) < 1e-15, `step ${step} of ${steps}: ${ours} and not ${rate}`);
    });
  }
});

for (const { task: kind, classes, x, y, batches, initial, final, loss, accuracy } of golden.cases) {
  test(`forty steps of a ${kind} end at PyTorch's weights`, () => {
    const { shape, examples: T, batch: B, learningRate, steps } = golden;
    const [n, d] = [shape.context, shape.width];
    const token = (t: number, i: number) => x.slice((t * (n + 1) + i) * d, (t * (n + 1) + i + 1) * d);
    const all = Array.from({ length: T }, (_, t) => t);
    const task: Task = {
      setting: { ...shape, examples: T, contexts: 'random', task: kind, classes, seed: 0 },
      queries: Float64Array.from(all.flatMap((t) => token(t, 0))),
      tokens: Float64Array.from(all.flatMap((t) => all.slice(0, n).flatMap((i) => token(t, i + 1)))),
      bagRows: null,
      labels: kind === 'classification' ? Int32Array.from(y) : Float64Array.from(y),
    };
    inPrecision('float64', () => {
      const data = stackData([task]);
      const [start, zeros] = [initial, new Float64Array(initial.length)].map(
        (values) => toTensor(values, [initial.length]) as tf.Tensor1D,
      );
      const adam = new FusedAdam(start, zeros, zeros, 0);
      const vectors = () => adam.read().expandDims(0) as tf.Tensor2D; // [1, P]
      const weights = toTensor(new Float64Array(B).fill(1 / B), [1, B, 1]);
      batches.forEach((rows, step) => {
        const rowTensor = tf.tensor2d([rows], undefined, 'int32');
        const gradients = gradient(vectors(), data, rowTensor, weights, task.setting);
        adam.step(gradients.squeeze([0]), learningRateAt(step, { steps, learningRate }));
      });
      const [found] = evaluate(vectors(), data, [task]);
      assert.ok(Math.abs(found.loss - loss) < 1e-10, `loss ${found.loss} and not ${loss}`);
      if (kind === 'classification') assert.equal(found.accuracy! * T, Math.round(accuracy * T));
      const vector = valuesOf(vectors());
      const largest = Math.max(...final.map((value, i) => Math.abs(value - vector[i])));
      // Adam divides by the gradient's size: where a gradient is 0 except for rounding, its direction is rounding too.
      assert.ok(largest < 1e-7, `weights differ by ${largest}`);
    });
  });
}

test('the same seed gives the same result, another seed another', async () => {
  const [a, b, c] = [await memorize(small), await memorize(small), await memorize({ ...small, seed: 1 })];
  assert.deepEqual(timeless(a), timeless(b));
  assert.notEqual(a.loss, c.loss);
});

test('a model trained in a stack ends as it does alone, also beside one of another size and a diverging one', async () => {
  for (const contexts of ['random', 'shared', 'perm'] as const) {
    const configs = [
      memorizationConfig({ ...small, contexts }),
      memorizationConfig({ ...small, contexts, seed: 5 }),
      memorizationConfig({ ...small, contexts, examples: 27, steps: 210 }),
      memorizationConfig({ ...small, contexts, seed: 2, learningRate: 1e30 }),
    ];
    const together = await memorizeTogether(configs);
    assert.ok(together[3] instanceof Diverged);
    assert.match(together[3].message, /seed 2: expected a finite loss, got NaN or infinity after \d+ steps/);
    for (const i of [0, 1, 2]) {
      const [alone] = await memorizeTogether([configs[i]]);
      assert.deepEqual(timeless(together[i]), timeless(alone));
    }
  }
});

test('5000 steps leave exactly as many tensors as one', async () => {
  const counts = new Set<number>();
  const before = tf.memory().numTensors;
  await memorize(
    { ...small, contexts: 'perm', steps: 5000, evaluateEvery: 100, earlyStop: false },
    { onEvaluation: () => counts.add(tf.memory().numTensors) },
  );
  assert.equal(counts.size, 1, `counts seen: ${[...counts].join(', ')}`);
  assert.equal(tf.memory().numTensors, before);
});

test('classification stops at accuracy 1, regression at `stopAtLoss`', async () => {
  const sorted = await memorize({ ...small, steps: 5000 });
  assert.equal(sorted.accuracy, 1);
  assert.ok(sorted.steps < 5000 && sorted.steps % 50 === 0);
  const regressed = await memorize({ ...small, task: 'regression', stopAtLoss: 0.02, steps: 5000 });
  assert.ok(regressed.loss <= 0.02 && regressed.steps < 5000, `loss ${regressed.loss} after ${regressed.steps} steps`);
  assert.equal(regressed.accuracy, null);
});

test('the best checkpoint counts, not the last', async () => {
  const { evaluations, loss, bestStep } = await memorize({ ...small, steps: 400, learningRate: 0.3, earlyStop: false });
  const best = evaluations.reduce((a, b) => (b.loss < a.loss ? b : a));
  assert.deepEqual([loss, bestStep], [best.loss, best.step]);
});

test('saturation is counted for every example', async () => {
  const { saturation } = await memorize({ ...small, learningRate: 0.1 });
  const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
  assert.equal(saturation.examplesBySaturatedHeads.length, 3);
  assert.equal(sum(saturation.examplesBySaturatedHeads), 20);
  assert.equal(sum(saturation.largestWeights), 40);
  const single = await memorize({ ...small, context: 1, steps: 10 });
  assert.equal(single.saturation.meanSaturatedHeads, 2, 'the only token of a context has all the weight');
});

const script = `
  const { memorizeTogether } = require('attention-capacity/memorization/training/trainer');
  const { memorizationConfig } = require('attention-capacity/memorization/config');
  const [configs, checkpoint] = JSON.parse(process.argv[1]);
  memorizeTogether(configs.map(memorizationConfig), { checkpoint, checkpointSeconds: 0.05 }).then((outcomes) =>
    process.stdout.write(JSON.stringify(outcomes)));
`;

test('killed again and again, a training ends as if nothing had happened', async () => {
  const checkpoint = path.join(folder, 'killed.checkpoint');
  const long = { ...small, context: 6, steps: 1200, evaluateEvery: 100, earlyStop: false };
  const configs = [memorizationConfig(long), memorizationConfig({ ...long, seed: 3, examples: 30, steps: 500 })];
  const undisturbed = await memorizeTogether(configs);
  let kills = 0;
  for (let attempt = 0; ; attempt++) {
    assert.ok(attempt < 60, 'it never ended');
    const child = spawn(process.execPath, ['-e', script, JSON.stringify([[long, configs[1]], checkpoint])], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
    const stepsBefore = readCheckpoint(checkpoint)?.step ?? 0;
    if (kills < 3) {
      const progress = setInterval(() => {
        if ((readCheckpoint(checkpoint)?.step ?? 0) > stepsBefore + 7 * kills) child.kill('SIGKILL');
      }, 5);
      await once(child, 'close');
      clearInterval(progress);
      if (child.signalCode === 'SIGKILL') kills++;
    } else {
      await once(child, 'close');
    }
    if (output === '') continue;
    assert.equal(kills, 3);
    const outcomes = JSON.parse(output) as MemorizationResult[];
    // The outcome of a model that ended before a kill was handed over then; the first is still in training.
    assert.deepEqual(timeless(outcomes[0]), JSON.parse(JSON.stringify(timeless(undisturbed[0]))));
    break;
  }
  assert.ok(!existsSync(checkpoint), 'the checkpoint goes when all is done');
});

test('an interrupt keeps what was done', async () => {
  const checkpoint = path.join(folder, 'interrupted.checkpoint');
  const long = { ...small, steps: 100_000, earlyStop: false };
  await assert.rejects(
    memorize(long, { checkpoint, onEvaluation: (_, { step }) => void (step === 200 && interruptWork()) }),
    Interrupted,
  );
  assert.equal(readCheckpoint(checkpoint)?.step, 200);
  const bytes = readFileSync(checkpoint);
  writeFileSync(checkpoint, bytes.subarray(0, bytes.length - 100));
  assert.equal(readCheckpoint(checkpoint), null, 'a file that was cut short is not read');
});

const nonsense: [Partial<MemorizationOptions>, RegExp][] = [
  [{ heads: 0 }, /^heads: expected a whole number of at least 1, got 0\.$/],
  [{ headSize: 9 }, /^head size: expected at most the width, 8, got 9\.$/],
  [{ learningRate: -1 }, /^learning rate: expected a positive number, got -1\.$/],
  [{ contexts: 'fixed' as 'shared' }, /^contexts: expected shared or random or perm, got 'fixed'\.$/],
  [{ task: 'regress' as 'regression' }, /^task: expected classification or regression, got 'regress'\.$/],
  [{ classes: 1 }, /^classes: expected a whole number of at least 2, got 1\.$/],
  [{ width: 7, headSize: 3 }, /^width: expected an even number, for sinusoidal positions, got 7\.$/],
  [
    { context: 501, contexts: 'perm' },
    /^context: expected at most the 500 rows of the bag for perm contexts, got 501\.$/,
  ],
  [{ steps: 2.5 }, /^steps: expected a whole number of at least 1, got 2\.5\.$/],
  [{ stopAtLoss: 0 }, /^stopAtLoss: expected a positive number, got 0\.$/],
  [{ precision: 'float16' as 'float32' }, /^precision: expected float32 or float64, got 'float16'\.$/],
];
for (const [options, message] of nonsense) {
  test(`bad input: ${JSON.stringify(options)}`, () => {
    assert.throws(
      () => memorizationConfig({ ...small, ...options }),
      (error) => error instanceof InputError && message.test(error.message),
    );
  });
}

test('the reference’s defaults', () => {
  const config = memorizationConfig({
    heads: 20,
    context: 32,
    examples: 100,
    contexts: 'random',
    task: 'classification',
  });
  assert.equal(config.batch, 100, 'a batch larger than the examples is cut');
  assert.deepEqual([config.headSize, config.width, config.classes, config.learningRate], [64, 64, 100, 1e-3]);
  assert.equal(config.steps, 50_000);
  assert.equal(memorizationConfig({ ...config, batch: 256, steps: undefined, examples: 90_000 }).steps, 175_781);
});
