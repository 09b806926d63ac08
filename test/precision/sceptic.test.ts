import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { InputError } from 'attention-capacity';
import { vitLayer, type ViTModel } from 'attention-capacity/models';
import { VIT_B16, vitInitialisation, vitShapes, type ViTConfig } from 'attention-capacity/models/vit';
import { randomWeights } from 'attention-capacity/models/weights/random';
import { forwardError } from 'attention-capacity/precision/sceptic';
import { noiseImages } from '../assumptions/fake-layer';

/** n = 5, d = 12, two heads. */
const config: ViTConfig = {
  ...VIT_B16,
  ...{ hiddenSize: 12, depth: 1, heads: 2, intermediateSize: 24, patchSize: 2, imageSize: 4 },
};
const model: ViTModel = {
  ...{ name: 'small-vit', title: 'small ViT', config, inputSize: 4, provenance: { seed: 5 }, attentionSeed: 0 },
  preprocessing: () => ({
    ...{ resize: { height: 4, width: 4 }, resample: 'bilinear', rescale: 1 / 255 },
    ...{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  }),
  weights: () => Promise.resolve(randomWeights(5, 'vit', vitShapes(config), vitInitialisation)),
};

describe('the error of the forward pass against double-double arithmetic', () => {
  const cacheBefore = process.env.ATTENTION_CACHE;
  let folder: string;
  before(() => (process.env.ATTENTION_CACHE = folder = mkdtempSync(join(tmpdir(), 'sceptic-'))));
  after(() => {
    if (cacheBefore === undefined) delete process.env.ATTENTION_CACHE;
    else process.env.ATTENTION_CACHE = cacheBefore;
    rmSync(folder, { recursive: true });
  });

  for (const output of ['attention', 1] as const) {
    const studied = { model, output, layer: vitLayer(model, output) };

    it(`is that of the rows asked for, and of all d where there are no more (${output})`, async () => {
      const measure = (rows: number) => forwardError(studied, noiseImages(20), { rows, seed: 0 });
      const [one, all, more] = [await measure(1), await measure(12), await measure(768)];
      assert.deepEqual([one.rowsMeasured, all.rowsMeasured, more.rowsMeasured], [1, 12, 12]);
      assert.deepEqual(more, all);
      assert.ok(one.largestRowError > 0 && one.largestRowError <= all.largestRowError);
      // The two computations agree to float64's rounding: some units of 2^-52 of a vector's length.
      assert.ok(all.largestRowError < 100 * 2 ** -52 * all.sigmaMax, `${all.largestRowError}`);
      assert.equal(all.errorNorm, Math.sqrt(12) * all.largestRowError);
      // Weyl.
      assert.ok(Math.abs(all.sigmaMinPerturbed - all.sigmaMin) <= all.perturbation + 1e-15 * all.sigmaMax);
    });
  }

  it('needs as many images as a subset has vectors', async () => {
    await assert.rejects(
      forwardError({ model, output: 1, layer: vitLayer(model, 1) }, noiseImages(11), { rows: 1, seed: 0 }),
      (error) => error instanceof InputError && /a subset of 12 query vectors needs as many images/.test(error.message),
    );
  });
});
