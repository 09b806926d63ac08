import type { LayerRank } from './measure';
import { figure, type Figure } from '../../report/display';
import { formatNumber } from '../../report/format';
import { meanings, neutral } from '../../report/theme';
import { trace, type Trace } from '../../report/traces';
import { groupBy, mean, median } from '../../statistics';

const SYMBOLS = ['circle', 'square-open', 'diamond', 'triangle-up-open'];

/** Rank against the number of examples: it follows T up to the formula and stays there. */
export function rankByExamplesFigure(ranks: readonly LayerRank[]): Figure {
  const groups = groupBy(ranks, ({ contexts, heads }) => `${contexts} contexts, H = ${heads}`);
  const data = [...groups].map(([name, own], i) =>
    trace({
      mode: 'lines+markers',
      name,
      x: own.map(({ examples }) => examples),
      y: own.map(({ rank }) => rank),
      line: { color: own[0].contexts === 'shared' ? meanings.sharedContexts : meanings.ownContexts },
      marker: { symbol: SYMBOLS[i % SYMBOLS.length], size: 8 },
      hover: `T = %{x} examples: rank {value}<extra>${name}</extra>`,
    }),
  );
  const [{ context, width, headSize }] = ranks;
  return figure({
    name: 'rank-by-examples',
    title: 'Rank of the feature matrix, by number of examples',
    alt:
      'The rank of Z equals the number of examples until it reaches the capacity of the layer, and stays there. ' +
      [...groups].map(([name, own]) => `${name}: ${Math.max(...own.map(({ rank }) => rank))}`).join('; ') +
      '.',
    note: `n = ${context}, d = ${width}, d_h = ${headSize}, float64; weights at their initial values. Where a line turns flat, one more example can no longer be fitted.`,
    data,
    layout: {
      height: 420,
      xaxis: { title: { text: 'examples <i>T</i>' } },
      yaxis: { title: { text: 'rank of <i>Z</i>' } },
    },
  });
}

/** Rank against head size: full from d_h = 3 on in float64, much less at 1, and far below at float32's tolerance. */
export function rankByHeadSizeFigure(ranks: readonly LayerRank[]): Figure {
  return precisionFigure(ranks, {
    name: 'rank-by-head-size',
    title: 'Rank of the feature matrix, by head size',
    xOf: ({ headSize }) => headSize,
    xTitle: 'head size <i>d<sub>h</sub></i>',
    note: 'Exact arithmetic would give the full rank at every head size; the theorem promises less where d_h < n.',
  });
}

/** Rank against the scale of the scores: softmax saturation and precision lower it from both sides. */
export function rankByLogitScaleFigure(ranks: readonly LayerRank[]): Figure {
  return precisionFigure(ranks, {
    name: 'rank-by-logit-scale',
    title: 'Rank of the feature matrix, by scale of the scores',
    xOf: ({ logitScale }) => logitScale,
    xTitle: 'factor on all attention scores',
    note:
      'Small scores: the softmax is nearly linear, and what a head computes crowds along few directions. Large scores: it saturates, and weights become 0 in floating point. Mean largest weight: ' +
      [...groupBy(ranks, ({ logitScale }) => String(logitScale))]
        .map(([scale, own]) => `${formatNumber(mean(own.map((rank) => rank.meanLargestWeight ?? 0)))} at ${scale}`)
        .join(', ') +
      '.',
  });
}

/** The median rank over seeds at both tolerances, against one number of the layers. */
function precisionFigure(
  ranks: readonly LayerRank[],
  {
    xOf,
    xTitle,
    note,
    ...named
  }: {
    readonly name: string;
    readonly title: string;
    readonly xOf: (rank: LayerRank) => number;
    readonly xTitle: string;
    readonly note: string;
  },
): Figure {
  const byX = [...groupBy(ranks, (rank) => String(xOf(rank)))].map(([x, own]) => ({ x: Number(x), own }));
  const series = (label: string, of: (rank: LayerRank) => number | null, line: Trace['line'], mode?: Trace['mode']) =>
    trace({
      mode: mode ?? 'lines+markers',
      name: label,
      x: byX.map(({ x }) => x),
      y: byX.map(({ own }) => median(own.map((rank) => of(rank) ?? NaN))),
      line,
      hover: `%{x}: rank {value}, median of ${byX[0].own.length} seeds<extra>${label}</extra>`,
    });
  const [{ heads, context, width, examples }] = ranks;
  const ends = byX.map(({ x, own }) => `${x}: ${median(own.map(({ rank }) => rank))}`).join(', ');
  return figure({
    ...named,
    alt: `Median rank of Z over seeds. At float64's tolerance: ${ends}. The formula says ${ranks[0].formula}.`,
    note: `H = ${heads}, n = ${context}, d = ${width}, shared context, T = ${examples}. ${note}`,
    data: [
      series('float64’s tolerance', ({ rank }) => rank, { color: meanings.float64 }),
      series('float32’s tolerance', ({ rankAtFloat32 }) => rankAtFloat32, { color: meanings.float32 }),
      series('H(n − 1) + 1', ({ formula }) => formula, { color: neutral, dash: 'dash' }, 'lines'),
      series('Theorem 1', ({ theorem }) => theorem, { color: neutral, dash: 'dot' }, 'lines'),
    ],
    layout: {
      height: 420,
      // The values that were measured, and no others.
      xaxis: {
        type: 'log',
        title: { text: xTitle },
        tickvals: byX.map(({ x }) => x),
        ticktext: byX.map(({ x }) => String(x)),
      },
      yaxis: { rangemode: 'tozero', title: { text: 'rank of <i>Z</i>' } },
    },
  });
}
