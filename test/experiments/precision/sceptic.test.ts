import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { InputError } from 'attention-capacity';
import { layerOf, randomAttention } from 'attention-capacity/models';
import { forwardErrorsOf } from 'attention-capacity/experiments/precision/sceptic';
import { noiseImages } from '../../features/fake-layer';
import { smallViT } from '../depth/small-vit';

const model = smallViT(1);

describe('the error of the forward pass against double-double arithmetic', () => {
  const cacheBefore = process.env.ATTENTION_CACHE;
  let folder: string;
  before(() => (process.env.ATTENTION_CACHE = folder = mkdtempSync(join(tmpdir(), 'sceptic-'))));
  after(() => {
    if (cacheBefore === undefined) delete process.env.ATTENTION_CACHE;
    else process.env.ATTENTION_CACHE = cacheBefore;
    rmSync(folder, { recursive: true });
  });

  it('is that of the rows asked for, and of all d where there are no more', async () => {
    const studied = [
      { model, output: 'attention' as const, layer: randomAttention(model, 0) },
      { model, output: 1 as const, layer: layerOf(model, 1) },
    ];
    const measure = (rows: number) => forwardErrorsOf(studied, noiseImages(20), { rows, seed: 0 });
    const [ones, alls, mores] = [await measure(1), await measure(12), await measure(768)];
    assert.deepEqual(mores, alls);
    assert.equal(alls.length, 2);
    for (const [index, all] of alls.entries()) {
      const [one, more] = [ones[index], mores[index]];
      assert.deepEqual([one.rowsMeasured, all.rowsMeasured, more.rowsMeasured], [1, 12, 12]);
      assert.ok(one.largestRowError > 0 && one.largestRowError <= all.largestRowError);
      // The two computations agree to float64's rounding: some units of 2^-52 of a vector's length.
      assert.ok(all.largestRowError < 100 * 2 ** -52 * all.sigmaMax, `${all.largestRowError}`);
      assert.equal(all.errorNorm, Math.sqrt(12) * all.largestRowError);
      // Weyl, and that the noise reached the vectors.
      assert.ok(Math.abs(all.sigmaMinPerturbed - all.sigmaMin) <= all.perturbation + 1e-15 * all.sigmaMax);
      assert.ok(all.perturbation > 0);
      const [alone] = await forwardErrorsOf([studied[index]], noiseImages(20), { rows: 1, seed: 0 });
      assert.ok(Math.abs(alone.perturbation / all.perturbation - 1) < 1e-2, 'alone or together, the same noise');
    }
  });

  it('needs as many images as a subset has vectors', async () => {
    await assert.rejects(
      forwardErrorsOf([{ model, output: 1, layer: layerOf(model, 1) }], noiseImages(11), { rows: 1, seed: 0 }),
      (error) =>
        error instanceof InputError &&
        /expected at least 12 images for a subset of 12 query vectors, got 11/.test(error.message),
    );
  });
});
