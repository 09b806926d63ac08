/** Sentences of findings say what the tables beside them hold: numbers are read out of the one and compared with the other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { designFindings } from 'attention-capacity/experiments/design/findings';
import { bestOf, designs, drawnDesigns, measureDesigns } from 'attention-capacity/experiments/design/measure';
import {
  designTable,
  drawnDesignTable,
  querySpanTable,
  standardDesignTable,
} from 'attention-capacity/experiments/design/tables';
import { memorizationFindings } from 'attention-capacity/experiments/memorization/findings';
import { growthOf } from 'attention-capacity/experiments/memorization/growth';
import {
  panelLayers,
  panelsOf,
  type AdamPoint,
  type PanelPoint,
} from 'attention-capacity/experiments/memorization/measure';
import { adamEdgeTable, exactCapacityTable, growthTable } from 'attention-capacity/experiments/memorization/tables';
import { paperMark } from 'attention-capacity/experiments/paper';
import { precisionFindings } from 'attention-capacity/experiments/precision/findings';
import { forwardErrorTable, recheckTable, smallCopyTable } from 'attention-capacity/experiments/precision/tables';
import { theoremFindings } from 'attention-capacity/experiments/theorem/findings';
import { layerRanks } from 'attention-capacity/experiments/theorem/measure';
import { layerRankTable } from 'attention-capacity/experiments/theorem/tables';
import { capacity } from 'attention-capacity/memorization/capacity/capacity';
import { memorizationConfig } from 'attention-capacity/memorization/config';
import { clopperPearson, partialRankCorrelation } from 'attention-capacity/statistics';

/** The numbers of the one sentence that matches, in order. */
function numbers(all: string, sentence: RegExp): number[] {
  const found = all.split('\n').filter((line) => sentence.test(line));
  assert.equal(found.length, 1, `${sentence} in ${found.length} sentences of:\n${all}`);
  return [...found[0].replaceAll('\u2009', '').matchAll(/(?<![\w.])[−-]?\d+(\.\d+)?(?![\w])/g)].map(([text]) =>
    Number(text.replace('−', '-')),
  );
}

const sizes = {
  heads: 2,
  context: 3,
  headSize: 3,
  width: 4,
  classes: 3,
  seeds: 3,
  starts: 1,
  iterations: 1,
  resolution: 1,
};
const points = panelLayers(sizes)
  .filter(({ axis }) => axis === 'heads')
  .map((point): PanelPoint => ({
    ...point,
    dimension: 20 * point.x,
    bound: 20 * point.x,
    theorem: 2 * point.x + 1,
    fixedAttention: 3 * point.x + 1,
    capacities: [0, 1, 2].map((seed) => ({
      seed,
      fittedAt: 20 * point.x - seed - 1,
      notFittedAt: 20 * point.x - seed,
    })),
  }));
const growths = panelsOf(points).map(growthOf);
const adam = [
  [20, 20],
  [30, 30],
  [50, 41],
].map(([examples, fitted]): AdamPoint => ({
  config: memorizationConfig({
    heads: 2,
    context: 3,
    headSize: 3,
    width: 4,
    contexts: 'shared',
    task: 'regression',
    examples,
    steps: 1,
  }),
  steps: 1,
  seconds: 1,
  loss: 0,
  fitted,
  bound: 40,
}));

test('notebook 5: four kinds of sentence', () => {
  const { all } = memorizationFindings(points, growths, adam);
  const rows = exactCapacityTable(points).rows;
  const shares = rows
    .filter(({ heads }) => (heads as number) > 1)
    .flatMap(({ fittedAtBySeed, bound }) => (fittedAtBySeed as number[]).map((fitted) => fitted / (bound as number)));
  const [reached, searches, , , above] = numbers(all, /^- In .* searches with two heads/);
  assert.deepEqual([reached, searches], [shares.filter((share) => share >= 0.9).length, shares.length]);
  assert.equal(above, 0);
  const single = rows.filter(({ heads }) => heads === 1);
  const [, short, of] = numbers(all, /A single head/);
  assert.equal(of, single.flatMap(({ fittedAtBySeed }) => fittedAtBySeed as number[]).length);
  assert.equal(short, single.flatMap((row) => (row.fittedAtBySeed as number[]).filter((T) => T / (row.bound as number) < 0.9)).length); // prettier-ignore
  const growth = growthTable(growths).rows[0];
  const text = numbers(all, /^- regression, shared contexts, by heads/);
  assert.deepEqual(text.slice(0, 2), growth.bend);
  assert.deepEqual(text.slice(2, 4), growth.before);
  const edge = adamEdgeTable(adam).rows[0];
  const [allAt, share, bound, notAllAt, most] = numbers(all, /^- Adam, /);
  assert.deepEqual([allAt, bound, notAllAt, most], [edge.allAt, edge.bound, edge.notAllAt, edge.most]);
  assert.equal(share, 100 * (edge.share as number));
});

test('notebook 9: five kinds of sentence', async () => {
  const space = { width: 6, contexts: 'shared', context: 4, outputs: 1, weights: 200, cache: Infinity } as const;
  const measured = await measureDesigns(designs({ ...space, headSizes: [2, 3], valueSizes: () => [1] }));
  const panels = [{ title: 'small', measured }];
  const fitted = measured.map((design) => ({
    ...design,
    fittedAt: design.dimension - 2,
    notFittedAt: design.dimension + 1,
  }));
  const span = { system: 'a', title: 'A', examples: 500, n: 197, d: 768, heads: 12, float32: 400, float64: 768 };
  const { all, headline } = designFindings(panels, fitted, drawnDesigns(), [span], [64]);
  const rows = designTable(panels, fitted).rows;
  const largest = Math.max(...rows.map(({ dimension }) => dimension as number));
  const [dimension, weights] = numbers(all, /^- small: the largest dimension/);
  assert.equal(dimension, largest);
  assert.equal(weights, bestOf(measured).best.weights);
  const drawn = drawnDesignTable(drawnDesigns()).rows;
  const confirmed = numbers(all, /^- Confirmed/);
  const near = [...drawn, ...fitted.map((one) => ({ share: one.fittedAt / one.dimension }))].filter(
    ({ share }) => (share as number) >= 0.9,
  );
  assert.deepEqual(confirmed.slice(1, 4), [near.length, drawn.length + fitted.length, drawn.length]);
  assert.match(headline, new RegExp(`in ${near.length} of ${drawn.length + fitted.length} designs`));
  const most = Math.max(...rows.map(({ rankAtFloat32 }) => rankAtFloat32 as number));
  assert.ok(numbers(all, /^- small: float64 tells/).includes(most));
  const standard = standardDesignTable([64]).rows[0];
  assert.ok(numbers(all, /^- d = 64/).some((number) => Math.abs(number - 100 * (standard.share as number)) <= 5));
  const [spanRow] = querySpanTable([span]).rows;
  assert.deepEqual(numbers(all, /^- A: /), [spanRow.examples, spanRow.float32, spanRow.float64, spanRow.d]);
});

test('notebook 3: the base draws and their counter-examples are counted where "all" is said', () => {
  const recheck = {
    system: 's',
    title: 'S',
    change: 'other crops',
    images: 'photos',
    imageCount: 9,
    draws: 40,
    satisfied: 40,
    sigmaRatio: 2e-10,
    tolerance: 1e-13,
  };
  const error = {
    system: 's',
    title: 'S',
    k: 768,
    subsets: 10,
    sigmaMin: 3e-9,
    sigmaMax: 1,
    rowsMeasured: 20,
    largestRowError: 1e-12,
    errorNorm: 3e-11,
    perturbation: 1e-12,
    sigmaMinPerturbed: 3e-9,
  };
  const base = {
    title: 'S',
    system: 's',
    precision: 'float64',
    n: 4,
    d: 6,
    generalPosition: { satisfied: 9, draws: 10 },
    assumption1: {},
  };
  const embeddings = { ...base, system: 'e', generalPosition: { satisfied: 0, draws: 10 } };
  const copies = [
    {
      system: 's',
      images: 7,
      n: 5,
      d: 6,
      seed: 0,
      subsets: 7,
      independent: 7,
      smallestPivotRatio: 1e-9,
      independentAtFloat32: 7,
    },
  ];
  const { all, headline } = precisionFindings([base, embeddings] as never, [recheck], [error], copies as never);
  assert.match(
    headline,
    /^In float64, 9 of 10 \(1 is a counter-example\) random d-subsets .* 40 of 40; .* worst of 10 subsets .* on 20 rows\.$/,
  );
  const rechecked = recheckTable([recheck]).rows[0];
  assert.deepEqual(numbers(all, /^- Other weights/).slice(0, 2), [rechecked.satisfied, rechecked.draws]);
  const [errorRow] = forwardErrorTable([error]).rows;
  const said = numbers(all, /^- S: the error/);
  assert.ok(
    [errorRow.rowsMeasured, errorRow.k, errorRow.subsets, errorRow.errorMargin].every((value) =>
      said.includes(value as number),
    ),
    said.join(),
  );
  assert.deepEqual(numbers(all, /^- Weyl/), [1, 768, 20]);
  assert.deepEqual(numbers(all, /^- Small copies/).slice(0, 2), [7, smallCopyTable(copies as never).rows[0].subsets]);
  const doubtful = precisionFindings([base] as never, [recheck], [{ ...error, errorNorm: 1e-8 }], copies as never);
  assert.match(doubtful.all, /\(undecided\)/);
});

test('notebook 7: the formula, the solves, and what is beyond the theorem', async () => {
  const layer = { heads: 2, context: 4, headSize: 2, width: 8, contexts: 'shared', task: 'regression' } as const;
  const ranks = await layerRanks([1, 2, 3].map((heads) => ({ ...layer, heads, examples: 40 })));
  const solved = [await capacity({ ...layer, examples: 7 }), await capacity({ ...layer, examples: 8 })];
  const { all } = theoremFindings(ranks, solved);
  const rows = layerRankTable('ranks', ranks, 'Ranks').rows;
  const agree = rows.filter(({ rank, formula }) => rank === formula).length;
  assert.deepEqual(numbers(all, /^- The rank of Z/).slice(0, 2), [agree, rows.length]);
  assert.deepEqual(numbers(all, /^- In \d+ of \d+ tasks/).slice(0, 2), [2, solved.length]);
  const beyond = rows.filter(({ rank, theorem }) => (rank as number) > (theorem as number)).length;
  assert.deepEqual(numbers(all, /layers can do more/).slice(0, 2), [beyond, rows.length]);
});

test('a mark is undecided while its interval holds 0.99', () => {
  assert.equal(paperMark({ ci95: clopperPearson(20, 20) }), 'undecided');
  assert.equal(paperMark({ ci95: clopperPearson(368, 368) }), 'holds');
  assert.equal(paperMark({ ci95: clopperPearson(4949, 5000) }), 'undecided');
  assert.equal(paperMark({ ci95: clopperPearson(4900, 5000) }), 'fails');
  assert.equal(paperMark({ ci95: [0.98, 0.98] }), 'fails');
});

test('a correlation that both owe to depth is none once depth is taken out', () => {
  const depth = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  const noise = [1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1];
  const other = [1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1];
  const { correlation, ci95 } = partialRankCorrelation(
    depth.map((x, i) => x + noise[i]),
    depth.map((x, i) => x + other[i]),
    depth,
  );
  assert.ok(ci95[0] < 0 && ci95[1] > 0, `${correlation}: ${ci95.join()}`);
  const same = partialRankCorrelation(
    noise.map((x, i) => x + 0.1 * i),
    noise.map((x, i) => x + 0.1 * i),
    depth,
  );
  assert.ok(same.correlation > 0.99);
});
