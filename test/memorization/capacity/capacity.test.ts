import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacity } from 'attention-capacity/memorization/capacity/capacity';
import type { ContextKind, SettingOptions } from 'attention-capacity/memorization/config';
import { featureMatrix, featureRank } from 'attention-capacity/memorization/capacity/feature-matrix';
import { labelledFeatures } from 'attention-capacity/memorization/capacity/labelled-features';
import { initialParameters } from 'attention-capacity/memorization/parameters';
import { drawTask } from 'attention-capacity/memorization/task';
import { expectedRank, independentColumns, theoremLowerBound } from 'attention-capacity/memorization/theorem';
import { setting as settingOf } from 'attention-capacity/memorization/config';
import { watchWith } from 'attention-capacity/work';
import { inPrecision, tf } from 'attention-capacity/tensor';

const layer = (heads: number, context: number, headSize: number, contexts: ContextKind, width = 64) => ({
  heads,
  context,
  headSize,
  contexts,
  width,
  task: 'regression' as const,
});

/** Singular values of all of Z decide, not the shortcut of `capacity`. */
async function measuredRank(options: SettingOptions): Promise<number> {
  const setting = settingOf(options);
  return featureRank(await featureMatrix(drawTask(setting, 'float64'), initialParameters(setting))).rank;
}

test('the rank of Z is min(T, H(n-1)+1) for a shared context, also where d_h < n promises less', async () => {
  const mismatches: string[] = [];
  for (const heads of [1, 2, 4, 8]) {
    for (const context of [1, 2, 5, 10, 20, 32]) {
      for (const headSize of [3, 8, 64]) {
        const shape = layer(heads, context, headSize, 'shared');
        const full = expectedRank(shape);
        assert.equal(full, heads * (context - 1) + 1);
        for (const examples of [Math.ceil(full / 2), full + 20]) {
          const rank = await measuredRank({ ...shape, examples });
          if (rank !== Math.min(examples, full)) {
            mismatches.push(`H=${heads} n=${context} d_h=${headSize} T=${examples}: ${rank} and not ${full}`);
          }
        }
      }
    }
  }
  assert.deepEqual(mismatches, []);
});

test('the rank of Z is min(T, H d) where each example has its own context of n >= 2, and d for n = 1', async () => {
  for (const contexts of ['random', 'perm'] as const) {
    for (const heads of [1, 3, 6]) {
      for (const context of [1, 2, 7, 16]) {
        for (const headSize of [3, 16]) {
          const shape = layer(heads, context, headSize, contexts, 16);
          const full = expectedRank(shape);
          assert.equal(full, context === 1 ? 16 : 16 * heads);
          for (const examples of [full - 3, full + 10]) {
            const rank = await measuredRank({ ...shape, examples });
            assert.equal(rank, Math.min(examples, full), `${contexts} H=${heads} n=${context} d_h=${headSize}`);
          }
        }
      }
    }
  }
});

test(
  'ranks at full size, T large: 32, 125, 249, 621 and 37; 256 and 512',
  { skip: !process.env.ATTENTION_TEST_ALL && 'npm run test:all' },
  async () => {
    for (const [heads, context, rank] of [
      [1, 32, 32],
      [4, 32, 125],
      [8, 32, 249],
      [20, 32, 621],
      [4, 10, 37],
    ]) {
      assert.equal(await measuredRank({ ...layer(heads, context, 64, 'shared'), examples: rank + 50 }), rank);
    }
    for (const [heads, rank] of [
      [4, 256],
      [8, 512],
    ]) {
      assert.equal(await measuredRank({ ...layer(heads, 32, 64, 'random'), examples: rank + 50 }), rank);
    }
  },
);

const atCapacity: Record<string, SettingOptions> = {
  'shared contexts': { ...layer(4, 10, 64, 'shared'), examples: 37 },
  'shared contexts, classes as labels': { ...layer(3, 12, 16, 'shared', 16), examples: 34, task: 'classification' },
  'shared contexts of more tokens than dimensions': { ...layer(2, 12, 8, 'shared', 8), examples: 16 },
  'random contexts': { ...layer(3, 8, 16, 'random', 16), examples: 48 },
  'random contexts of one token': { ...layer(3, 1, 16, 'random', 16), examples: 16 },
  'perm contexts, classes as labels': { ...layer(2, 6, 16, 'perm', 16), examples: 32, task: 'classification' },
};

for (const [name, options] of Object.entries(atCapacity)) {
  test(`capacity examples are memorized by the solved weights, one more is not: ${name}`, async () => {
    for (const seed of [0, 1]) {
      const fits = await capacity({ ...options, seed });
      assert.equal(fits.featureRank, options.examples);
      assert.equal(fits.memorized, true, `largest residual ${fits.maxResidual}`);
      const oneMore = await capacity({ ...options, seed, examples: options.examples + 1 });
      assert.equal(oneMore.featureRank, options.examples);
      assert.equal(oneMore.memorized, false);
      assert.ok(oneMore.maxResidual! > 1e-4, `largest residual ${oneMore.maxResidual}`);
    }
  });
}

test('many more examples than columns: the triangle of blocks has the singular values of Z', async () => {
  const setting = settingOf({ ...layer(3, 5, 8, 'shared', 8), examples: 300 });
  const task = drawTask(setting, 'float64');
  const vector = initialParameters(setting);
  const exact = featureRank(await featureMatrix(task, vector)).singularValues;
  // The first are well conditioned and go through Cholesky; with all columns R is singular, and QR takes each block.
  const all = Array.from({ length: 15 }, (_, i) => i);
  const { data, shape } = await labelledFeatures(task, vector, all);
  const withoutLabels = { data: data.filter((_, i) => i % shape[1] < 15), shape: [shape[0], 15] as const };
  const { rank, singularValues } = featureRank(withoutLabels, 300);
  assert.equal(rank, 13);
  exact.forEach((value, i) => assert.ok(Math.abs(value - singularValues[i]) < 1e-14 * exact[0]));

  const capacityOfAll = await capacity(setting);
  assert.equal(independentColumns(setting).length, 13);
  assert.equal(capacityOfAll.featureRank, 13);
  const ratio = exact[12] / exact[0];
  assert.ok(capacityOfAll.sigmaRatio > 0 && capacityOfAll.sigmaRatio <= 1.2 * ratio, 'the bound is one from below');
});

test('with head size 1 the rank collapses in float64, and the answer says so', async () => {
  const { featureRank: rank, memorized, maxResidual } = await capacity({ ...layer(4, 32, 1, 'shared'), examples: 125 });
  assert.ok(rank < 70, `rank ${rank}`);
  assert.equal(memorized, false);
  assert.ok(maxResidual! < 1, `the fit stays bounded: ${maxResidual}`);
});

test('the theorem is silent where contexts have more tokens than dimensions', () => {
  assert.equal(theoremLowerBound(layer(2, 9, 8, 'shared', 8)), null);
  assert.equal(theoremLowerBound(layer(20, 32, 15, 'shared')), 20 * 14 + 1);
});

test('a linear solve leaves no tensor, no bar and no watch for Ctrl-C behind', async () => {
  const begun: string[] = [];
  const ended: string[] = [];
  watchWith({
    begin(label) {
      begun.push(label);
      return { update: () => undefined, end: () => void ended.push(label) };
    },
  });
  try {
    const solve = async () => {
      for (const examples of [7, 40]) await capacity({ ...layer(1, 8, 4, 'shared', 16), examples });
    };
    await solve(); // constants are kept from here on
    const tensors = inPrecision('float64', () => tf.memory().numTensors);
    await solve();
    assert.ok(begun.length > 0);
    assert.deepEqual(ended, begun);
    assert.equal(
      inPrecision('float64', () => tf.memory().numTensors),
      tensors,
    );
    assert.equal(process.listenerCount('SIGINT'), 0);
  } finally {
    watchWith();
  }
});
