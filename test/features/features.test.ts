import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { computeFeatures, prepareFeatures } from 'attention-capacity/features/features';
import { interruptWork, Interrupted, watchWith } from 'attention-capacity/work';
import { inPrecision, tf, toTensor, valuesOf } from 'attention-capacity/tensor';
import { preprocess } from 'attention-capacity/data';
import { singularValues } from 'attention-capacity/rank';
import type { FeatureLayer } from 'attention-capacity/models';
import { D, fakeLayer, N, noiseImages } from './fake-layer';

describe('features of a layer', () => {
  let folder: string;
  const cacheBefore = process.env.ATTENTION_CACHE;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'features-'))));
  beforeEach(() => (process.env.ATTENTION_CACHE = mkdtempSync(join(folder, 'cache-'))));
  after(() => {
    if (cacheBefore === undefined) delete process.env.ATTENTION_CACHE;
    else process.env.ATTENTION_CACHE = cacheBefore;
    rmSync(folder, { recursive: true });
  });

  it('have one row an image, in the precision that was asked for', async () => {
    for (const precision of ['float32', 'float64'] as const) {
      const [features] = await computeFeatures([fakeLayer('plain')], noiseImages(21), { precision });
      assert.deepEqual(features.queries.shape, [21, D]);
      assert.equal(features.queries.data.constructor, precision === 'float64' ? Float64Array : Float32Array);
      assert.deepEqual(features.contexts?.meanShifted.shape, [21, D]);
      assert.deepEqual([...features.contexts!.ranks], new Array(21).fill(N));
    }
  });

  it('shift the query by the mean of its own context', async () => {
    const layer = fakeLayer('plain');
    const images = noiseImages(5);
    const [{ queries, contexts }] = await computeFeatures([layer], images, { precision: 'float64' });
    const loaded = await layer.load('float64');
    for (let row = 0; row < images.count; row++) {
      const pixels = preprocess(images.load(row), layer.preprocessing, 'float64');
      const context = inPrecision('float64', () =>
        valuesOf(loaded.contexts(toTensor(pixels, [1, 3, 4, 4]) as tf.Tensor4D)),
      );
      for (let column = 0; column < D; column++) {
        let mean = 0;
        for (let token = 0; token < N; token++) mean += context[token * D + column] / N;
        const expected = queries.data[row * D + column] + mean;
        assert.ok(Math.abs(contexts!.meanShifted.data[row * D + column] - expected) < 1e-13);
      }
    }
  });

  it('are read from the cache the second time, to the last bit', async () => {
    const layer = fakeLayer('plain');
    const [first] = await computeFeatures([layer], noiseImages(30), { precision: 'float64' });
    const passes = layer.passes;
    assert.ok(passes > 0);
    const [second] = await computeFeatures([layer], noiseImages(30), { precision: 'float64' });
    assert.equal(layer.passes, passes);
    assert.deepEqual(second.queries, first.queries);
    assert.deepEqual(second.contexts, first.contexts);
    const [queriesOnly] = await computeFeatures([layer], noiseImages(30), { precision: 'float64', contexts: false });
    assert.equal(layer.passes, passes, 'queries that are there already are not computed again');
    assert.equal(queriesOnly.contexts, null);
  });

  it('keep what was asked of each layer: queries, ranks, or how far some contexts are from a lower rank', async () => {
    const [first, second] = [fakeLayer('first'), fakeLayer('second')];
    const images = noiseImages(211);
    const wish = {
      precision: 'float64',
      contexts: (layer: FeatureLayer) => layer === second,
      contextSigmas: true,
    } as const;
    await prepareFeatures([first, second], images, wish);
    const passes = first.passes + second.passes;
    const [queriesOnly, whole] = await computeFeatures([first, second], images, wish);
    const [plain] = await computeFeatures([second], images, { precision: 'float64' });
    assert.equal(first.passes + second.passes, passes, 'all of it was prepared');
    assert.equal(plain.contexts!.sigmaRatios, null);
    assert.equal(queriesOnly.contexts, null);
    // Eight of the first part of 200 images, eight of the second, which has eleven.
    const { sigmaRatios, ranks } = whole.contexts!;
    assert.equal(ranks.length, 211);
    assert.equal(sigmaRatios!.length, 16);
    const loaded = await second.load('float64');
    for (const [image, position] of [
      [0, 0],
      [7, 7],
      [203, 11],
    ]) {
      const pixels = preprocess(images.load(image), second.preprocessing, 'float64');
      const context = inPrecision('float64', () => loaded.contexts(toTensor(pixels, [1, 3, 4, 4]) as tf.Tensor4D));
      const sigmas = singularValues({ data: valuesOf(context), shape: [N, D] });
      context.dispose();
      assert.ok(Math.abs(sigmaRatios![position] / (sigmas[N - 1] / sigmas[0]) - 1) < 1e-9);
    }
  });

  it('have contexts of as many images as were asked for, and the query vectors of all', async () => {
    const [some, all] = [fakeLayer('plain'), fakeLayer('plain')];
    const images = noiseImages(450);
    const [whole] = await computeFeatures([all], images, { precision: 'float64' });
    for (const contextExamples of [210, 200, 7, 450, 1000]) {
      process.env.ATTENTION_CACHE = mkdtempSync(join(folder, 'cache-'));
      const wish = { precision: 'float64', contextExamples } as const;
      const [features] = await computeFeatures([some], images, wish);
      const count = Math.min(contextExamples, 450);
      assert.deepEqual(features.queries, whole.queries);
      assert.deepEqual(features.contexts!.ranks, whole.contexts!.ranks.slice(0, count));
      const { data, shape } = features.contexts!.meanShifted;
      assert.deepEqual(shape, [count, D]);
      assert.deepEqual(data, whole.contexts!.meanShifted.data.slice(0, count * D));
      const passes = some.passes;
      assert.deepEqual(await computeFeatures([some], images, wish), [features], 'and so it is read again');
      assert.equal(some.passes, passes);
    }
    await assert.rejects(
      computeFeatures([some], images, { precision: 'float64', contextExamples: 0.5 }),
      /contextExamples: expected a whole number of at least 1, got 0.5/,
    );
  });

  it('of other images, another precision or another layer are other features', async () => {
    const layer = fakeLayer('plain');
    await computeFeatures([layer], noiseImages(8), { precision: 'float64' });
    await computeFeatures([layer], noiseImages(8), { precision: 'float32' });
    await computeFeatures([layer], noiseImages(8, 'others'), { precision: 'float64' });
    assert.equal(layer.passes, 3);
    assert.equal(readdirSync(join(process.env.ATTENTION_CACHE!, 'features')).length, 3);
  });

  it('go on where they were after an interruption', async () => {
    const layer = fakeLayer('plain');
    const images = noiseImages(450);
    await interruptedAt(220, () => computeFeatures([slowly(layer)], images, { precision: 'float64' }));
    const before = layer.passes;
    assert.ok(before < 450 / 8, 'it was interrupted on the way');
    const [resumed] = await computeFeatures([layer], images, { precision: 'float64' });
    assert.ok(layer.passes - before < 450 / 8 - 20, 'the first 200 images were not computed again');
    process.env.ATTENTION_CACHE = mkdtempSync(join(folder, 'cache-'));
    const [whole] = await computeFeatures([layer], images, { precision: 'float64' });
    assert.deepEqual(resumed.queries, whole.queries);
  });

  it('go on where each input was: what is finished of one is not computed again because another lacks it', async () => {
    const [first, other] = [fakeLayer('first'), fakeLayer('other', { mean: 0.4 })];
    const images = noiseImages(210);
    await interruptedAt(205, () => computeFeatures([slowly(first), other], images, { precision: 'float64' }));
    assert.deepEqual(
      [first.passes, other.passes],
      [25 + 1, 0],
      'the first of two parts was done for one of the layers',
    );
    const announced: number[] = [];
    watchWith({
      begin: (_, total) => {
        announced.push(total);
        return { update: () => undefined, end: () => undefined };
      },
    });
    try {
      await computeFeatures([first, other], images, { precision: 'float64' });
    } finally {
      watchWith();
    }
    assert.deepEqual([first.passes, other.passes], [25 + 1 + 2, 25 + 2]);
    assert.deepEqual(announced, [10 + 210]);
  });

  it('leave no tensor behind', async () => {
    const layer = fakeLayer('plain');
    await computeFeatures([layer], noiseImages(9), { precision: 'float64' });
    const { numTensors } = tf.memory();
    await computeFeatures([layer], noiseImages(9, 'others'), { precision: 'float64' });
    await computeFeatures([layer], noiseImages(9, 'others'), { precision: 'float32' });
    assert.equal(tf.memory().numTensors, numTensors);
  });
});

/** Runs `work`, which is interrupted as soon as so many images are done. */
async function interruptedAt(images: number, work: () => Promise<unknown>): Promise<void> {
  watchWith({
    begin: () => ({
      update: (done) => {
        if (done >= images) interruptWork();
      },
      end: () => undefined,
    }),
  });
  try {
    await assert.rejects(work(), Interrupted);
  } finally {
    watchWith();
  }
}

/** The same layer, slow enough for the progress (and with it the interruption) to be looked at in every batch. */
function slowly(layer: ReturnType<typeof fakeLayer>): ReturnType<typeof fakeLayer> {
  const load = layer.network.load;
  const network = {
    name: layer.network.name,
    load: async (...given: Parameters<typeof load>) => {
      const loaded = await load(...given);
      return {
        ...loaded,
        run: (...batch: Parameters<typeof loaded.run>) => {
          const until = performance.now() + 45;
          while (performance.now() < until);
          return loaded.run(...batch);
        },
      };
    },
  };
  return Object.assign(Object.create(layer) as ReturnType<typeof fakeLayer>, { network });
}
