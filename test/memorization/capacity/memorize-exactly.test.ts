import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { InputError } from 'attention-capacity';
import { exactCapacity } from 'attention-capacity/memorization/capacity/exact-capacity';
import { memorizeExactly, type ExactResult } from 'attention-capacity/memorization/capacity/memorize-exactly';
import type { LayerOptions } from 'attention-capacity/memorization/config';
import { tf } from 'attention-capacity/tensor';
import { Interrupted, interruptWork, watchWith } from 'attention-capacity/work';

const folder = mkdtempSync(path.join(tmpdir(), 'exact-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Dimension 55. */
const small = {
  heads: 2,
  context: 4,
  headSize: 4,
  width: 8,
  contexts: 'shared',
  embedding: 'fixed',
  task: 'regression',
} as const;
const timeless = (result: ExactResult) => ({ ...result, seconds: null });

const layers: [string, LayerOptions][] = [
  ['shared contexts, 0.94 of 109', { ...small, heads: 4, examples: 102 }],
  ['random contexts, 0.95 of 73', { ...small, headSize: 2, contexts: 'random', examples: 69 }],
  ['perm contexts, a trained embedding', { ...small, contexts: 'perm', embedding: 'trained', examples: 100 }],
  ['logits of two classes', { ...small, heads: 4, task: 'classification', classes: 2, examples: 50 }],
  ['two key-value heads of four, d_v = 2', { ...small, heads: 4, keyValueHeads: 2, valueSize: 2, examples: 80 }],
  ['more weights than it takes', { ...small, heads: 6, contexts: 'random', examples: 40 }],
];
for (const [name, options] of layers) {
  test(`fitted to 1e-8: ${name}`, async () => {
    const { memorized, maxResidual, config } = await memorizeExactly(options);
    assert.ok(memorized && maxResidual <= 1e-8, `largest error ${maxResidual}`);
    assert.equal(config.examples, options.examples);
  });
}

test('beyond the dimension no start fits, and the answer says so', async () => {
  const { memorized, maxResidual, starts } = await memorizeExactly({ ...small, examples: 60 }, { starts: 2 });
  assert.equal(memorized, false);
  assert.equal(starts, 2);
  assert.ok(maxResidual > 1e-4, `largest error ${maxResidual}`);
});

test('the same seed gives the same search, another seed another, and no tensor is left', async () => {
  const run = (seed: number) => memorizeExactly({ ...small, examples: 40, seed });
  const first = await run(0);
  const tensors = tf.memory().numTensors;
  assert.deepEqual(timeless(await run(0)), timeless(first));
  assert.notEqual((await run(1)).maxResidual, first.maxResidual);
  assert.equal(tf.memory().numTensors, tensors);
});

test('interrupted, it resumes and ends as if nothing had happened', async () => {
  const checkpoint = path.join(folder, 'interrupted');
  const options = { ...small, examples: 58 };
  const search = { starts: 2, iterations: 80 };
  const undisturbed = await memorizeExactly(options, search);
  assert.equal(undisturbed.iterations, 160);
  watchWith({
    begin: () => ({ update: (done) => void (done > 3 && interruptWork()), end: () => undefined }),
  });
  try {
    await assert.rejects(memorizeExactly(options, { ...search, checkpoint }), Interrupted);
  } finally {
    watchWith();
  }
  assert.ok(existsSync(checkpoint));
  assert.deepEqual(timeless(await memorizeExactly(options, { ...search, checkpoint })), timeless(undisturbed));
  assert.ok(!existsSync(checkpoint), 'the state goes when all is done');
});

test('exact capacity: an interval around the edge, at most the dimension; trials are kept', async () => {
  const own = path.join(folder, 'trials');
  const found = await exactCapacity({ ...small, heads: 4 }, { folder: own, resolution: 0.03, starts: 2 });
  assert.equal(found.bound, 109);
  assert.ok(
    found.fittedAt >= 103 && found.fittedAt < found.notFittedAt && found.notFittedAt <= 110,
    JSON.stringify(found),
  );
  assert.ok(found.notFittedAt - found.fittedAt <= 3);
  assert.deepEqual(
    found.trials.map(({ config, memorized }) => memorized === config.examples <= found.fittedAt),
    found.trials.map(() => true),
  );
  const files = readdirSync(own);
  assert.equal(files.length, found.trials.length);
  assert.deepEqual(await exactCapacity({ ...small, heads: 4 }, { folder: own, resolution: 0.03, starts: 2 }), found);
  assert.deepEqual(readdirSync(own), files);
});

test('what makes no sense is refused in one sentence', async () => {
  const refused: [LayerOptions, RegExp][] = [
    [{ ...small, examples: 10, keyValueHeads: 3 }, /^key-value heads: expected a divisor of the 2 heads, got 3\.$/],
    [{ ...small, examples: 10, valueSize: 0 }, /^value size: expected a whole number of at least 1, got 0\.$/],
    [{ ...small, examples: 10, embedding: 'none' as 'fixed' }, /^embedding: expected trained or fixed, got 'none'\.$/],
    [
      { ...small, examples: 10_000_000 },
      /^Levenberg-Marquardt with 10000000 targets and \d+ weights needs .* of memory/,
    ],
  ];
  for (const [options, message] of refused) {
    await assert.rejects(
      memorizeExactly(options),
      (error) => error instanceof InputError && message.test(error.message),
    );
  }
});
