import type { Data } from 'plotly.js';
import { slopeText } from './findings';
import { panelsOf, type Panel, type PanelAxis, type PanelPoint } from './measure';
import { axisNames } from './tables';
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
/** One for each number of examples, in every panel the same. */
const symbols = ['circle', 'diamond', 'square', 'cross', 'triangle-up'];

/**
 * Memorized examples against one axis, a panel for each task and kind of context: trained models (one mark per seed, a
 * colour for each T), their straight line, what Theorem 1 promises, and what a layer can fit whose attention weights stay at
 * their initial values.
 */
export function memorizationFigure(points: readonly PanelPoint[], axis: PanelAxis): Figure {
  const own = panelsOf(points, axis);
  const { layout, axes } = panels(
    own.map(
      (panel) =>
        `${panel.title}</b><br>slope ${slopeText(panel.trained)}; Theorem 1: ${formatNumber(panel.theorem.slope)}<b>`,
    ),
    300,
    () => ({
      xaxis: { rangemode: 'tozero', title: { text: axisTitles[axis] } },
      yaxis: { rangemode: 'tozero', title: { text: 'examples memorized' } },
    }),
    Math.min(own.length, 2),
  );
  return figure({
    name: `memorized-by-${axis === 'headSize' ? 'head-size' : axis}`,
    title: `Examples memorized, by ${axisNames[axis]}`,
    alt:
      `${own.length} panels of trained models with the number of examples each memorized, against ${axisNames[axis]}. ` +
      own.map(({ title, trained }) => `${title}: slope ${slopeText(trained)}`).join('; ') +
      '.',
    note:
      'Classification counts right answers less what guessing gives; regression counts T (1 − MSE / variance). "Attention fixed, readout solved" is the rank of the feature matrix ' +
      'of the untrained layer, cut at T: H(n − 1) + 1 for a shared context, Hd otherwise (d for n = 1).',
    data: own.flatMap((panel, i) => panelTraces(panel, { ...axes(i), showlegend: i === 0 })),
    layout,
  });
}

function panelTraces({ points, trained }: Panel, axes: object): Partial<Data>[] {
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const ends = [xs[0], xs[xs.length - 1]];
  const at = (x: number) => points.find((point) => point.x === x)!;
  const bySize = [...groupBy(points, ({ config }) => config.examples)];
  const { contexts } = points[0].config;
  return [
    ...bySize.map(([examples, own], i) =>
      trace({
        ...axes,
        mode: 'markers',
        name: bySize.length > 1 ? `trained, T = ${examples}` : 'trained, the reference’s recipe',
        x: own.map(({ x }) => x),
        y: own.map(({ memorized }) => memorized),
        text: own.map(({ config }) => `seed ${config.seed}`),
        marker: { color: meanings.trained, size: 8, symbol: symbols[i % symbols.length] },
        hover: '%{x}: {value} examples<br>%{text}',
        format: 'integer',
      }),
    ),
    trace({
      ...axes,
      mode: 'lines',
      name: 'straight line through them',
      x: ends,
      y: ends.map((x) => trained.intercept + trained.slope * x),
      line: { color: meanings.trained, width: 1.5 },
      hover: null,
    }),
    trace({
      ...axes,
      mode: 'lines',
      name: 'attention fixed, readout solved',
      x: xs,
      y: xs.map((x) => at(x).fixedAttention),
      line: { color: contexts === 'shared' ? meanings.sharedContexts : meanings.ownContexts, width: 2, dash: 'dash' },
      hover: '%{x}: {value} (rank of Z)',
    }),
    trace({
      ...axes,
      mode: 'lines',
      name: 'Theorem 1 promises',
      x: xs,
      y: xs.map((x) => at(x).theorem),
      line: { color: neutral, width: 2, dash: 'dot' },
      hover: '%{x}: {value} (theorem)',
    }),
  ];
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
