import type { Data, Layout } from 'plotly.js';
import { groupBy } from '../../statistics';
import type { Capacity } from '../../memorization/capacity/capacity';
import type { LayerRank } from './measure';
import { mean, median } from '../../rank';
import { figure, table, type Figure, type Row, type Table } from '../../report/display';
import { shapeColumns } from '../tables';
import { colours, neutral } from '../../report/theme';

/** Ranks of feature matrices beside the formulas, one row a layer. */
export function layerRankTable(name: string, ranks: readonly LayerRank[], title: string): Table {
  return table(
    name,
    ranks.map((rank): Row => ({ ...rank, agrees: rank.rank === rank.formula })),
    [
      { key: 'contexts' },
      ...shapeColumns(['heads', 'context', 'headSize', 'width', 'examples']),
      { key: 'theorem', title: 'Theorem 1', format: 'integer', about: 'H(min(n, d_h) − 1) + 1' },
      {
        key: 'formula',
        title: 'min(T, formula)',
        format: 'integer',
        about: 'H(n − 1) + 1 shared; H d, or d for n = 1, else',
      },
      { key: 'rank', title: 'rank of Z', format: 'integer', about: 'float64, at float64’s tolerance' },
      { key: 'agrees' },
      {
        key: 'sigmaRatio',
        title: 'σ_min/σ_max',
        format: 'scientific',
        about: 'of the singular values that should count',
      },
    ],
    { title },
  );
}

/** What the solved weights did, one row a task. */
export function capacityTable(found: readonly Capacity[]): Table {
  return table(
    'capacity',
    found.map(
      ({ config, theoremLowerBound, sharedUpperBound, featureRank, memorized, maxResidual, sigmaRatio }): Row => {
        const { heads, context, headSize, contexts, task, examples, seed } = config;
        const shape = { contexts, task, heads, context, headSize, examples, seed };
        return { ...shape, theoremLowerBound, sharedUpperBound, featureRank, memorized, maxResidual, sigmaRatio };
      },
    ),
    [
      { key: 'contexts' },
      { key: 'task' },
      ...shapeColumns(['heads', 'context', 'headSize']),
      { key: 'theoremLowerBound', title: 'Theorem 1', format: 'integer' },
      { key: 'featureRank', title: 'rank of Z', format: 'integer' },
      ...shapeColumns(['examples']),
      {
        key: 'memorized',
        title: 'memorized?',
        about: 'largest error at most 1e-8 when the solved weights run in the model',
      },
      {
        key: 'maxResidual',
        title: 'largest error',
        format: 'scientific',
        about: 'over all examples, labels within [0, 1]',
      },
    ],
    { title: 'Value and output weights found by one linear solve, run in the model' },
  );
}

/** Rank against the number of examples: it follows T up to the formula and stays there. */
export function rankByExamplesFigure(ranks: readonly LayerRank[]): Figure {
  const groups = groupBy(ranks, ({ contexts, heads }) => `${contexts} contexts, H = ${heads}`);
  const data = [...groups].map(([name, own], i) => ({
    ...{ type: 'scatter', mode: 'lines+markers', name },
    x: own.map(({ examples }) => examples),
    y: own.map(({ rank }) => rank),
    line: { color: colours[i % colours.length], dash: own[0].contexts === 'shared' ? 'solid' : 'dash' },
  }));
  const [{ context, width, headSize }] = ranks;
  return figure({
    name: 'rank-by-examples',
    title: 'Rank of the feature matrix, by number of examples',
    alt:
      'The rank of Z equals the number of examples until it reaches the capacity of the layer, and stays there. ' +
      [...groups].map(([name, own]) => `${name}: ${Math.max(...own.map(({ rank }) => rank))}`).join('; ') +
      '.',
    note: `n = ${context}, d = ${width}, d_h = ${headSize}, float64; weights at their initial values. Where a line turns, one example more can no longer be fitted.`,
    data: data as Partial<Data>[],
    layout: {
      height: 420,
      xaxis: { title: { text: 'examples <i>T</i>' } },
      yaxis: { title: { text: 'rank of <i>Z</i>' } },
    },
  });
}

/** Rank against head size: full from d_h = 3 on in float64, collapsing at 1, far below at float32's tolerance. */
export function rankByHeadSizeFigure(ranks: readonly LayerRank[]): Figure {
  return precisionFigure({
    ranks,
    name: 'rank-by-head-size',
    title: 'Rank of the feature matrix, by head size',
    xOf: ({ headSize }) => headSize,
    xTitle: 'head size <i>d<sub>h</sub></i>',
    note: 'Exact arithmetic would give the full rank at every head size; the theorem promises less where d_h < n.',
  });
}

/** Rank against the scale of the scores: how softmax saturation and precision eat it from both sides. */
export function rankByLogitScaleFigure(ranks: readonly LayerRank[]): Figure {
  return precisionFigure({
    ranks,
    name: 'rank-by-logit-scale',
    title: 'Rank of the feature matrix, by scale of the scores',
    xOf: ({ logitScale }) => logitScale,
    xTitle: 'factor on all attention scores',
    note:
      'Small scores: the softmax is nearly linear and the features of a head crowd along few directions. Large ones: it saturates, and weights become 0 in floating point. Mean largest weight: ' +
      [...groupBy(ranks, ({ logitScale }) => String(logitScale))]
        .map(([scale, own]) => `${mean(own.map((rank) => rank.meanLargestWeight ?? 0)).toFixed(2)} at ${scale}`)
        .join(', ') +
      '.',
  });
}

interface PrecisionFigure {
  readonly ranks: readonly LayerRank[];
  readonly name: string;
  readonly title: string;
  readonly xOf: (rank: LayerRank) => number;
  readonly xTitle: string;
  readonly note: string;
}

function precisionFigure({ ranks, name, title, xOf, xTitle, note }: PrecisionFigure): Figure {
  const byX = [...groupBy(ranks, (rank) => String(xOf(rank)))].map(([x, own]) => ({ x: Number(x), own }));
  const series = (label: string, of: (rank: LayerRank) => number | null, style: object) => ({
    ...{ type: 'scatter', mode: 'lines+markers', name: label, ...style },
    x: byX.map(({ x }) => x),
    y: byX.map(({ own }) => median(own.map((rank) => of(rank) ?? NaN))),
  });
  const [{ heads, context, width, examples }] = ranks;
  const ends = byX.map(({ x, own }) => `${x}: ${median(own.map(({ rank }) => rank))}`).join(', ');
  return figure({
    name,
    title,
    alt: `Median rank of Z over seeds. At float64's tolerance: ${ends}. The formula says ${ranks[0].formula}.`,
    note: `H = ${heads}, n = ${context}, d = ${width}, shared context, T = ${examples}. ${note}`,
    data: [
      series('float64’s tolerance', ({ rank }) => rank, { line: { color: colours[1] } }),
      series('float32’s tolerance', ({ rankAtFloat32 }) => rankAtFloat32, { line: { color: colours[0] } }),
      series('H(n − 1) + 1', ({ formula }) => formula, { mode: 'lines', line: { color: neutral, dash: 'dash' } }),
      series('Theorem 1', ({ theorem }) => theorem, { mode: 'lines', line: { color: neutral, dash: 'dot' } }),
    ] as Partial<Data>[],
    layout: {
      height: 420,
      xaxis: { type: 'log', title: { text: xTitle } },
      yaxis: { rangemode: 'tozero', title: { text: 'rank of <i>Z</i>' } },
    } as Partial<Layout>,
  });
}
