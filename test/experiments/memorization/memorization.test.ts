/** Exact capacities and trained models as panels, tables and words. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { adamFigure, memorizationFigure } from 'attention-capacity/experiments/memorization/figures';
import { memorizationFindings } from 'attention-capacity/experiments/memorization/findings';
import { growthOf } from 'attention-capacity/experiments/memorization/growth';
import {
  adamEdges,
  adamPoints,
  measurePanels,
  panelLayers,
  panelsOf,
  type PanelPoint,
} from 'attention-capacity/experiments/memorization/measure';
import {
  adamEdgeTable,
  adamTable,
  exactCapacityTable,
  growthTable,
} from 'attention-capacity/experiments/memorization/tables';
import { largestWeightFigure, saturatedHeadsFigure } from 'attention-capacity/experiments/saturation/figures';
import { saturationFindings } from 'attention-capacity/experiments/saturation/findings';
import { saturationTable } from 'attention-capacity/experiments/saturation/tables';
import { functionalDimension } from 'attention-capacity/memorization/capacity/dimension';
import { memorizationConfig } from 'attention-capacity/memorization/config';
import type { SweepResult } from 'attention-capacity/memorization/sweep/results';

const sizes = {
  heads: 2,
  context: 3,
  headSize: 3,
  width: 4,
  classes: 3,
  seeds: 2,
  starts: 1,
  iterations: 60,
  resolution: 40,
};

/** A training of T examples of which `fitted` are memorized. */
function finished(heads: number, examples: number, fitted: number, seed = 0): SweepResult {
  const shape = { heads, context: 4, headSize: 4, width: 8, examples, seed, steps: 10, embedding: 'fixed' } as const;
  const saturation = {
    threshold: 0.99,
    examplesBySaturatedHeads: [(3 * examples) / 4, examples / 4],
    meanSaturatedHeads: 0.25,
    largestWeights: [3 * examples, examples],
  };
  const result = {
    config: memorizationConfig({ ...shape, contexts: 'shared', task: 'regression' }),
    parameters: 100,
    steps: 10,
    seconds: 12.34,
    bestStep: 10,
    evaluations: [],
    loss: 0.5,
    accuracy: null,
    fitted,
    saturation,
  };
  const machine = { cpu: '', threads: 1, host: '' };
  return { run: `H${heads}-T${examples}-s${seed}`, panel: 'a', result, versions: {}, machine, finished: '' };
}

/** A panel of heads with two seeds, whose capacities follow `capacity` up to `slack` more. */
function panelOf(values: readonly number[], capacity: (x: number, seed: number) => number, slack = 1) {
  const { layer } = panelLayers(sizes).find(({ axis }) => axis === 'heads')!;
  const points = values.map((x): PanelPoint => ({
    axis: 'heads',
    x,
    layer: { ...layer, heads: x, keyValueHeads: x },
    dimension: 30 * x,
    bound: 30 * x,
    theorem: 3 * x + 1,
    fixedAttention: 4 * x + 1,
    capacities: [0, 1, 2].map((seed) => {
      const fittedAt = capacity(x, seed);
      return { seed, fittedAt, notFittedAt: fittedAt + slack };
    }),
  }));
  return panelsOf(points)[0];
}

describe('exact capacities', () => {
  it('are measured for both tasks and contexts, past n in head size, and lie below the dimension', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'panels-'));
    const before = process.env.ATTENTION_CACHE;
    process.env.ATTENTION_CACHE = folder;
    try {
      const points = await measurePanels({ ...sizes, seeds: 1 });
      assert.equal(panelsOf(points).length, 12);
      assert.ok(points.some(({ axis, x, layer }) => axis === 'headSize' && x > layer.context));
      for (const { layer, dimension, bound, capacities } of points) {
        for (const { fittedAt, notFittedAt } of capacities) assert.ok(fittedAt <= bound && notFittedAt <= bound + 1);
        assert.equal(bound, Math.floor(dimension / layer.classes));
      }
      // The dimension that is drawn is the Jacobian's rank.
      const some = points.filter(({ axis, x }) => axis === 'heads' && x === 2);
      assert.equal(some.length, 4);
      for (const { layer, dimension } of some) assert.equal(functionalDimension(layer).dimension, dimension);
      const figure = memorizationFigure(points, 'headSize');
      assert.deepEqual(
        [...new Set(figure.data.map((one) => (one as { xaxis: string }).xaxis))],
        ['x', 'x2', 'x3', 'x4'],
      );
      assert.doesNotMatch(JSON.stringify([figure, exactCapacityTable(points).rows]), /NaN|undefined/);
    } finally {
      if (before === undefined) delete process.env.ATTENTION_CACHE;
      else process.env.ATTENTION_CACHE = before;
      rmSync(folder, { recursive: true });
    }
  });

  it('bend where the intervals prove it, and a single head is left out of the line', () => {
    const verdict = (...of: Parameters<typeof panelOf>) => growthOf(panelOf(...of)).verdict;
    assert.equal(
      verdict([1, 2, 4, 6], (x) => (x === 1 ? 5 : 20 * x)),
      'no bend found',
    );
    assert.equal(
      verdict([2, 4, 6], (x) => 20 * x ** 2),
      'speeds up',
    );
    assert.equal(
      verdict([2, 4, 6], (x) => 20 * Math.min(x, 4)),
      'levels off',
    );
    assert.equal(
      verdict([2, 4, 6], (x) => 20 * Math.min(x, 4) + 5 * x),
      'slows down',
    );
    // The same means prove nothing where seeds differ, or where each capacity is known roughly.
    assert.equal(
      verdict([2, 4, 6], (x, seed) => 20 * Math.min(x, 4) + 7.5 * (seed - 1) * (x - 4) ** 2),
      'no bend found',
    );
    assert.equal(
      verdict([2, 4, 6], (x) => 20 * Math.min(x, 4), 60),
      'no bend found',
    );
    const { before, after, bend } = growthOf(panelOf([2, 4, 6], (x) => 20 * x));
    assert.deepEqual([before, after, bend], [[20, 20], [20, 20], [0, 0]]); // prettier-ignore
  });

  it('are put into words that their tables carry', () => {
    const panel = panelOf([1, 2, 4, 6], (x) => (x === 1 ? 20 : 29 * x));
    const growths = [growthOf(panel)];
    const adam = adamPoints([finished(4, 20, 20), finished(4, 40, 40), finished(4, 40, 38, 1), finished(4, 60, 50)]);
    const { headline, all } = memorizationFindings(panel.points, growths, adam, [{ run: 'd-1' }]);
    assert.match(headline, /^In 9 of 9 searches with two heads and more, .* 90 % .* and in 0 more than the dimension/);
    assert.match(headline, /Adam, within 0\.01, fitted all examples of a regression up to 18 % of it\.$/);
    assert.match(all, /A single head stays below 90 % of its dimension in 3 of 3 searches \(shares of 67 %\)/);
    assert.match(
      all,
      /regression, shared contexts, by heads: a straight line is not refuted \(difference 0 to 0\); 29 to 29 examples more/,
    );
    assert.match(
      all,
      /every seed memorized all of 20 examples, \*\*18 %\*\* of the dimension's 109; of 40, some seed did not/,
    );
    assert.match(all, /- Missing: d-1\.$/);
    assert.equal(growthTable(growths).rows[0].verdict, 'no bend found');
  });
});

describe('Adam beside them', () => {
  it('is counted by examples, up to the first T that a seed did not memorize whole', () => {
    const results = [finished(4, 20, 20), finished(4, 40, 40), finished(4, 40, 38, 1), finished(4, 60, 60)];
    const points = adamPoints(results);
    // H = n = d_h = 4, d = 8, shared: 4 (3 (8 + 3 - 3) + 3) + 1.
    assert.deepEqual(adamEdges(points), [
      { kind: 'regression, shared contexts', bound: 109, trainings: 4, allAt: 20, notAllAt: 40, most: 60 },
    ]);
    assert.equal(adamTable(points).rows.length, 4);
    assert.equal(adamEdgeTable(points).rows[0].share, 20 / 109);
    assert.doesNotMatch(JSON.stringify(adamFigure(points)), /NaN|undefined/);
    // Results that were written before examples were counted are left out.
    const { fitted: _, ...old } = results[0].result;
    assert.deepEqual(adamPoints([{ ...results[0], result: old as never }]), []);
  });
});

describe('saturation', () => {
  it('is counted by examples and by heads', () => {
    const two = [finished(1, 200, 0), finished(2, 200, 0)];
    const [{ shareOfHeads, examplesWithOne }] = saturationTable(two).rows;
    assert.deepEqual([shareOfHeads, examplesWithOne], [0.25, 0.25]);
    const { all, headline } = saturationFindings(two);
    assert.match(headline, /^Trained heads saturate on part of the examples: 25 % and 13 % of head-example pairs/);
    assert.match(all, /H = 2, T = 200, 10 steps, .*: on average \*\*0\.25 of 2 heads\*\* \(13 %\)/);
    for (const figure of [saturatedHeadsFigure(two), largestWeightFigure(two)]) {
      assert.deepEqual(figure.data.map((one) => (one as { yaxis: string }).yaxis), ['y', 'y2']); // prettier-ignore
      assert.doesNotMatch(JSON.stringify(figure), /NaN|undefined/);
    }
  });
});
