/** Trained models as panels, tables and words. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memorizationFigure } from 'attention-capacity/experiments/memorization/figures';
import { memorizationFindings } from 'attention-capacity/experiments/memorization/findings';
import { panelPoints, panelsOf } from 'attention-capacity/experiments/memorization/measure';
import { memorizationTable, slopeTable } from 'attention-capacity/experiments/memorization/tables';
import { largestWeightFigure, saturatedHeadsFigure } from 'attention-capacity/experiments/saturation/figures';
import { saturationFindings } from 'attention-capacity/experiments/saturation/findings';
import { saturationTable } from 'attention-capacity/experiments/saturation/tables';
import { memorizationConfig } from 'attention-capacity/memorization/config';
import type { SweepResult } from 'attention-capacity/memorization/sweep/results';

/** A classification of 200 examples with 10 classes, of which `heads` heads know 20 each and one more. */
function finished(panel: string, heads: number, seed = 0): SweepResult {
  const [examples, classes] = [200, 10];
  const shape = { heads, context: 4, headSize: 8, width: 8, examples, classes, seed, steps: 10 } as const;
  const saturation = {
    threshold: 0.99,
    examplesBySaturatedHeads: [150, 50],
    meanSaturatedHeads: 0.25,
    largestWeights: [300, 100],
  };
  const memorized = 20 * heads + 1;
  const result = {
    config: memorizationConfig({ ...shape, contexts: panel === 'b' ? 'random' : 'shared', task: 'classification' }),
    parameters: 100,
    steps: 10,
    seconds: 12.34,
    bestStep: 10,
    evaluations: [],
    loss: 0.5,
    accuracy: (memorized / examples) * (1 - 1 / classes) + 1 / classes,
    saturation,
  };
  return {
    run: `${panel}-${heads}`,
    panel,
    result,
    versions: {},
    machine: { cpu: '', threads: 1, host: '' },
    finished: '',
  };
}

const results = ['a', 'b', 'c'].flatMap((panel) => [1, 2, 4].map((heads) => finished(panel, heads)));
const points = panelPoints(results);

describe('memorized examples', () => {
  it('lie on a line for each panel', () => {
    const panels = panelsOf(points, 'heads');
    assert.deepEqual(panels.map(({ title }) => title.split(', T')[0]), [
      'classification, shared contexts',
      'classification, random contexts',
      'classification, shared contexts',
    ]); // prettier-ignore
    for (const { trained, theorem, fixedAttention } of panels) {
      assert.ok(Math.abs(trained.slope - 20) < 1e-9 && Math.abs(trained.intercept - 1) < 1e-9);
      // H (min(n, d_h) - 1) + 1.
      assert.ok(Math.abs(theorem.slope - 3) < 1e-12);
      assert.ok(fixedAttention.slope >= theorem.slope);
    }
    assert.deepEqual(panelsOf(points, 'context'), []);
  });

  it('are drawn in rows of two panels, each with its axes, and listed', () => {
    const { data, layout, alt } = memorizationFigure(points, 'heads');
    assert.deepEqual((layout.grid as { rows: number; columns: number }).rows, 2);
    const axes = new Set(data.map((one) => (one as { xaxis: string }).xaxis));
    assert.deepEqual([...axes], ['x', 'x2', 'x3']);
    for (const axis of axes) assert.ok(axis.replace('x', 'xaxis') in layout);
    assert.match(
      alt,
      /^3 panels .* classification, random contexts, T = 200: slope 20(\.0)? \(95 %: 20(\.0)? to 20(\.0)?\)/,
    );
    const [trained] = data as { customdata: string[]; hovertemplate: string }[];
    assert.deepEqual(trained.customdata, ['21', '41', '81']);
    assert.equal(trained.hovertemplate, '%{x}: %{customdata} examples<br>%{text}<extra></extra>');
    assert.deepEqual(slopeTable(points).rows.map(({ models, increases }) => [models, increases]), [[3, true], [3, true], [3, true]]); // prettier-ignore
    assert.equal(memorizationTable(points).rows.length, 9);
    const { all, headline } = memorizationFindings(points, [{ run: 'd-1' }]);
    assert.match(headline, /in 3 of 3 panels/);
    assert.match(all, /more examples for each further head; a straight line explains 100 %\.\n/);
    assert.match(all, /- Missing: d-1\.$/);
  });
});

describe('saturation', () => {
  it('is counted by examples and by heads', () => {
    const two = [finished('a', 1), finished('a', 2)];
    const [{ shareOfHeads, examplesWithOne }] = saturationTable(two).rows;
    assert.deepEqual([shareOfHeads, examplesWithOne], [0.25, 0.25]);
    const { all, headline } = saturationFindings(two);
    assert.match(headline, /^Trained heads saturate on part of the examples: 25 % and 13 % of head-example pairs/);
    assert.match(all, /H = 2, T = 200, 10 steps, accuracy 0\.2845: on average \*\*0\.25 of 2 heads\*\* \(13 %\)/);
    for (const figure of [saturatedHeadsFigure(two), largestWeightFigure(two)]) {
      assert.deepEqual(figure.data.map((one) => (one as { yaxis: string }).yaxis), ['y', 'y2']); // prettier-ignore
      assert.doesNotMatch(JSON.stringify(figure), /NaN|undefined/);
    }
  });
});
