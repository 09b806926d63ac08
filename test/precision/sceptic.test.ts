import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { InputError } from 'attention-capacity';
import { vitLayer } from 'attention-capacity/models';
import { forwardError } from 'attention-capacity/precision/sceptic';
import { noiseImages } from '../assumptions/fake-layer';
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
