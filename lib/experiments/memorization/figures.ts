import type { Data } from 'plotly.js';
import { kindOf, panelsOf, type AdamPoint, type Panel, type PanelAxis, type PanelPoint } from './measure';
import { axisNames, rangeOf } from './tables';
import type { MemorizationConfig } from '../../memorization/config';
import type { Evaluation } from '../../memorization/training/evaluate';
import { figure, type Figure } from '../../report/display';
import { formatNumber } from '../../report/format';
import { panels } from '../../report/panels';
import { liveFigure } from '../../report/show';
import { meanings, neutral } from '../../report/theme';
import { trace } from '../../report/traces';
import { groupBy } from '../../statistics';

const axisTitles: Record<PanelAxis, string> = {
  heads: 'heads <i>H</i>',
  context: 'context size <i>n</i>',
  headSize: 'head size <i>d<sub>h</sub></i>',
};
/** One for each seed, in every panel the same. */
const symbols = ['circle', 'diamond', 'square', 'cross', 'triangle-up'];

/**
 * Exact capacity against one axis, a panel for each task and kind of context: what each seed fitted, as an interval, between
 * the dimension above it and, below it, the rank of Z and Theorem 1. The vertical axis is logarithmic, so that all are seen.
 */
export function memorizationFigure(points: readonly PanelPoint[], axis: PanelAxis): Figure {
  const own = panelsOf(points, axis);
  const { layout, axes } = panels(
    own.map(({ title }) => title),
    300,
    () => ({
      xaxis: { rangemode: 'tozero', title: { text: axisTitles[axis] } },
      yaxis: { type: 'log', dtick: 1, title: { text: 'examples' } },
    }),
    Math.min(own.length, 2),
  );
  return figure({
    name: `memorized-by-${axis === 'headSize' ? 'head-size' : axis}`,
    title: `Examples memorized exactly, by ${axisNames[axis]}`,
    alt:
      `${own.length} panels with the exact capacity of layers against ${axisNames[axis]}, between their dimension and Theorem 1. ` +
      own.map(({ title, points }) => `${title}: ${shareText(points)} of the dimension fitted`).join('; ') +
      '.',
    note:
      'A mark: all of that many examples fitted to 1e-8, one seed each; its bar ends at the largest T below the first that no start fitted. ' +
      'Dimension: rank of the Jacobian by all weights, over the outputs of an example; no more is possible. ' +
      'Attention fixed: rank of Z; no more while the attention weights stay.',
    data: own.flatMap((panel, i) => panelTraces(panel, { ...axes(i), showlegend: i === 0 })),
    layout,
  });
}

function shareText(points: readonly PanelPoint[]): string {
  const shares = points.flatMap(({ capacities, bound }) => capacities.map(({ fittedAt }) => fittedAt / bound));
  return rangeOf(shares)
    .map((share) => formatNumber(share, 'percent'))
    .join(' to ');
}

function panelTraces({ points }: Panel, axes: object): Partial<Data>[] {
  const marks = points.flatMap(({ x, capacities }) => capacities.map((capacity) => ({ x, ...capacity })));
  const xs = points.map(({ x }) => x);
  const line = (name: string, y: readonly (number | null)[], look: object) =>
    trace({ ...axes, mode: 'lines', name, x: xs, y, line: look, hover: `%{x}: {value}<extra>${name}</extra>` });
  return [
    line(
      'dimension',
      points.map(({ bound }) => bound),
      { color: neutral, width: 2 },
    ),
    trace({
      ...axes,
      mode: 'markers',
      name: 'fitted exactly',
      x: marks.map(({ x }) => x),
      y: marks.map(({ fittedAt }) => fittedAt),
      text: marks.map(({ seed, notFittedAt }) => `seed ${seed}; not fitted at ${notFittedAt}`),
      error_y: {
        type: 'data',
        symmetric: false,
        array: marks.map(({ fittedAt, notFittedAt }) => notFittedAt - 1 - fittedAt),
        arrayminus: marks.map(() => 0),
        thickness: 1.5,
        width: 3,
      },
      marker: { color: meanings.trained, size: 8, symbol: marks.map(({ seed }) => symbols[seed % symbols.length]) },
      hover: '%{x}: {value} examples<br>%{text}',
      format: 'integer',
    }),
    line(
      'attention fixed',
      points.map(({ fixedAttention }) => fixedAttention),
      { color: contextColour(points[0].layer), width: 2, dash: 'dash' },
    ),
    line(
      'Theorem 1 promises',
      points.map(({ theorem }) => theorem),
      { color: neutral, width: 2, dash: 'dot' },
    ),
  ];
}

const contextColour = ({ contexts }: { readonly contexts: string }) =>
  contexts === 'shared' ? meanings.sharedContexts : meanings.ownContexts;

/** Share of the examples that Adam memorized, against their number over the dimension; a line for each kind of layer. */
export function adamFigure(points: readonly AdamPoint[]): Figure {
  const kinds = [...groupBy(points, ({ config }) => kindOf(config))];
  const share = ({ config, bound }: AdamPoint) => config.examples / bound;
  return figure({
    name: 'adam-beside-the-dimension',
    title: 'What Adam memorizes of T examples, beside the dimension',
    alt:
      'For each kind of layer, the share of its examples that training by Adam memorized, against their number over the dimension. ' +
      kinds
        .map(([kind, own]) => {
          const [first, last] = [own, own].map((all, i) =>
            all.reduce((a, b) => ((i === 0 ? share(b) < share(a) : share(b) > share(a)) ? b : a)),
          );
          const text = (one: AdamPoint) =>
            `${formatNumber(one.fitted / one.config.examples, 'percent')} at ${formatNumber(share(one), 'percent')} of the dimension`;
          return `${kind}: ${text(first)}, ${text(last)}`;
        })
        .join('; ') +
      '.',
    note: 'Memorized: right answers of a classification, outputs within 0.01 of their labels of a regression (one in fifty by chance; exact fits are to 1e-8). The dotted line is the dimension.',
    data: kinds.map(([kind, own], i) => {
      const sorted = [...own].sort((a, b) => share(a) - share(b));
      return trace({
        mode: 'markers',
        name: kind,
        x: sorted.map(share),
        y: sorted.map(({ fitted, config }) => fitted / config.examples),
        text: sorted.map(({ config, fitted }) => `${fitted} of ${config.examples}, seed ${config.seed}`),
        marker: { color: contextColour(own[0].config), size: 9, symbol: symbols[i % symbols.length] },
        hover: `%{text}: {value}<extra>${kind}</extra>`,
        format: 'fraction',
      });
    }),
    layout: {
      height: 420,
      xaxis: { title: { text: '<i>T</i> / (dimension / <i>C</i>)' }, rangemode: 'tozero' },
      yaxis: { title: { text: 'share of the examples memorized' }, range: [-0.03, 1.05] },
      shapes: [
        { type: 'line', x0: 1, x1: 1, yref: 'paper', y0: 0, y1: 1, line: { color: neutral, width: 1.5, dash: 'dot' } },
      ],
    },
  });
}

/** Loss (and accuracy) against the steps of one training. */
function trainingCurve(evaluations: readonly Evaluation[], title = 'Training'): Figure {
  const accuracies = evaluations.filter(({ accuracy }) => accuracy !== null);
  const last = evaluations.at(-1);
  const data = [
    trace({
      mode: 'lines+markers',
      name: 'loss',
      x: evaluations.map(({ step }) => step),
      y: evaluations.map(({ loss }) => loss),
      line: { color: meanings.trained },
    }),
  ];
  if (accuracies.length > 0) {
    data.push(
      trace({
        mode: 'lines+markers',
        name: 'accuracy',
        yaxis: 'y2',
        x: accuracies.map(({ step }) => step),
        y: accuracies.map(({ accuracy }) => accuracy),
        line: { color: neutral, dash: 'dash' },
        format: 'fraction',
      }),
    );
  }
  return figure({
    name: 'training',
    title,
    alt: last
      ? `Loss falls to ${formatNumber(last.loss)} in ${last.step} steps${last.accuracy === null ? '' : `, accuracy reaches ${formatNumber(last.accuracy, 'fraction')}`}.`
      : 'Nothing has been evaluated yet.',
    data,
    layout: {
      height: 360,
      xaxis: { title: { text: 'step' } },
      yaxis: { title: { text: 'loss' }, rangemode: 'tozero' },
      yaxis2: {
        title: { text: 'accuracy' },
        overlaying: 'y',
        side: 'right',
        showgrid: false,
        range: [0, 1.02],
        // Without a distance plotly sets the ticks beside those of the loss: 0.277, 0.554, 0.83.
        dtick: 0.25,
      },
    },
  });
}

/**
 * Draws the curve of the running cell's training while it runs, for `onEvaluation` of `memorize`: one figure in the
 * page that grows with each evaluation. Outside a notebook it does nothing.
 */
export function liveTrainingCurve(title = 'Training'): (config: MemorizationConfig, evaluation: Evaluation) => void {
  const evaluations: Evaluation[] = [];
  const draw = liveFigure();
  return (_, evaluation) => {
    evaluations.push(evaluation);
    draw(trainingCurve(evaluations, title));
  };
}
