import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { designFigure } from 'attention-capacity/experiments/design/figures';
import { designFindings } from 'attention-capacity/experiments/design/findings';
import {
  bestOf,
  designs,
  drawnDesigns,
  fitDesigns,
  measureDesigns,
  querySpans,
  type Design,
  type DesignSpace,
} from 'attention-capacity/experiments/design/measure';
import {
  designTable,
  drawnDesignTable,
  querySpanTable,
  standardDesign,
  standardDesignTable,
  standardSpaces,
} from 'attention-capacity/experiments/design/tables';
import { D, fakeLayer, noiseImages } from '../../features/fake-layer';
import { functionalDimension } from 'attention-capacity/memorization/capacity/dimension';

const space: DesignSpace = {
  width: 6,
  contexts: 'shared',
  context: 4,
  outputs: 1,
  weights: 300,
  cache: Infinity,
  headSizes: [1, 2, 3, 6],
  valueSizes: () => [1],
};

describe('the designs that budgets pay for', () => {
  let folder: string;
  const cacheBefore = process.env.ATTENTION_CACHE;
  before(() => (process.env.ATTENTION_CACHE = folder = mkdtempSync(join(tmpdir(), 'designs-'))));
  after(() => {
    if (cacheBefore === undefined) delete process.env.ATTENTION_CACHE;
    else process.env.ATTENTION_CACHE = cacheBefore;
    rmSync(folder, { recursive: true });
  });

  it('have as many heads as weights and cache allow, and not one more', () => {
    for (const cache of [Infinity, 6]) {
      for (const { sharing, layer, weights, cache: kept } of designs({ ...space, cache })) {
        const { heads: H, keyValueHeads: G, headSize: r } = layer;
        const cost = (h: number, g: number) => 6 * (h * r + g * r + g + h);
        assert.equal(weights, cost(H, G));
        assert.equal(kept, G * (r + 1));
        assert.ok(weights <= 300 && kept <= cache);
        const [h, g] = { 'multi-head': [1, 1], 'grouped-query': [4, 1], 'multi-query': [1, 0] }[sharing];
        assert.ok(cost(H + h, G + g) > 300 || kept + g * (r + 1) > cache, `${sharing} ${H} ${G} ${r}`);
        assert.equal(H % G, 0);
      }
    }
    assert.throws(() => designs({ ...space, weights: 10 }), { name: 'InputError', message: /got 10 weights/ });
  });

  it('are counted by the dimension, which the rank of the Jacobian confirms', async () => {
    const all = [
      ...designs({ ...space, headSizes: [2, 3] }),
      ...designs({ ...space, contexts: 'random', headSizes: [3] }),
    ];
    for (const { layer, dimension, rank, rankAtFloat32, sharing } of await measureDesigns(all)) {
      assert.equal(rank, dimension, `${sharing} ${JSON.stringify(layer)}`);
      assert.ok(rankAtFloat32 <= rank && rankAtFloat32 > 0);
      assert.equal(functionalDimension({ ...layer, seed: 1 }).dimension, dimension);
    }
  });

  it('are chosen by dimension, and all within 5 % are named beside the choice', () => {
    const [one] = designs(space);
    const at = (dimension: number, cache: number): Design => ({ ...one, dimension, cache });
    const [a, b, c, d] = [at(100, 9), at(96, 2), at(95, 9), at(94, 1)];
    assert.deepEqual(bestOf([d, b, a, c]), { best: a, near: [b, c] });
    const frugal = at(100, 3);
    assert.equal(bestOf([a, frugal]).best, frugal);
  });

  it('cost no more than standard attention in the table for real widths, and are never below it', () => {
    for (const width of [64, 256, 768]) {
      for (const { space } of standardSpaces(width)) {
        const standard = standardDesign(space);
        assert.equal(standard.weights, 4 * width ** 2);
        assert.equal(standard.cache, 2 * width);
        const { best } = bestOf(designs(space));
        assert.ok(
          best.weights <= 4 * width ** 2 && best.cache <= space.cache && best.dimension <= best.weights + width,
        );
        // A quarter of the cache may cost something.
        if (space.cache >= 2 * width) assert.ok(best.dimension >= standard.dimension);
      }
    }
    assert.equal(standardDesignTable([64]).rows.length, 6);
  });

  it('memorize nearly their dimension, and none of those drawn by a rule more', async () => {
    const [design] = designs({ ...space, weights: 120, headSizes: [2], contexts: 'random' });
    const [fitted] = await fitDesigns([design], { starts: 2, iterations: 300, resolution: 10 });
    assert.ok(fitted.fittedAt >= 0.85 * design.dimension && fitted.fittedAt <= design.dimension);
    assert.ok(fitted.notFittedAt <= design.dimension + 1);

    const drawn = drawnDesigns();
    assert.equal(drawn.length, 30);
    assert.ok(drawn.filter(({ share }) => share >= 0.95).length >= 25);
    assert.ok(
      drawn.every(
        ({ fittedAt, bound, notFittedAt, heads }) => fittedAt <= bound && notFittedAt <= bound + 1 && heads >= 2,
      ),
    );
    assert.equal(drawnDesignTable(drawn).rows.length, 30);
  });

  it('are put into a table, a figure and words, which name no order that intervals leave open', async () => {
    const measured = await measureDesigns(designs({ ...space, headSizes: [2, 3] }));
    const panels = [{ title: 'first', measured }];
    const fitted = measured
      .slice(0, 3)
      .map((design, i) => ({ ...design, dimension: 100 + i, fittedAt: 90 + 5 * i, notFittedAt: [96, 97, 101][i] }));
    const spans = [{ system: 'a', title: 'A', examples: 500, n: 197, d: 768, heads: 12, float32: 400, float64: 768 }];
    const figure = designFigure(panels, fitted);
    const tables = [designTable(panels, fitted), querySpanTable(spans)];
    assert.doesNotMatch(JSON.stringify([figure, tables.map(({ rows }) => rows)]), /NaN|undefined/);
    assert.equal(tables[0].rows.length, measured.length);
    assert.ok((tables[1].rows[0].share as number) < 1);
    const { headline, all } = designFindings(panels, fitted, drawnDesigns(), spans, [64]);
    const { best } = bestOf(measured);
    assert.match(all, new RegExp(`the largest dimension, \\*\\*${best.dimension}\\*\\* with ${best.weights} weights`));
    // 90 to 95, 95 to 96, 100: the first two touch.
    assert.match(all, /Of 3 pairs .* orders 2 as the dimension does and 0 the other way; in 1 the intervals overlap/);
    assert.match(all, /A: 500 query vectors span \*\*400\*\* at float32's tolerance, 768 at float64's, of d = 768/);
    assert.match(headline, /exact capacity is within 10 % of the dimension in 33 of 33 designs\.$/);
  });

  it('know the span of query vectors: three colours of one pixel, and a constant', async () => {
    const layers = [fakeLayer('pixels'), fakeLayer('constant', { constantQuery: true })];
    const found = await querySpans(layers, noiseImages(40));
    assert.deepEqual(
      found.map(({ float32, float64, examples, d }) => [float32, float64, examples, d]),
      [
        [3, 3, 40, D],
        [1, 1, 40, D],
      ],
    );
  });
});
