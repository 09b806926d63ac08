import { randomUUID } from 'node:crypto';
import type { Data, Layout } from 'plotly.js';
import type { MemorizationConfig } from '../../memorization/config';
import type { Evaluation } from '../../memorization/training/evaluate';
import { fitLine, type Line, type PanelAxis, type PanelPoint } from './measure';
import { figure, table, type Figure, type Table } from '../../report/display';
import { shapeColumns } from '../tables';
import { pageOfCell } from '../../report/notebook';
import { mimeBundle } from '../../report/show';
import { colours, neutral } from '../../report/theme';

const axisTitles: Record<PanelAxis, string> = {
  heads: 'heads <i>H</i>',
  context: 'context size <i>n</i>',
  headSize: 'head size <i>d<sub>h</sub></i>',
};
const axisNames: Record<PanelAxis, string> = { heads: 'heads', context: 'context size', headSize: 'head size' };

/** One for each number of examples, in every panel the same. */
const symbols = ['circle', 'diamond', 'square', 'cross', 'triangle-up'];

/** The points of one panel: one task, one kind of context, one axis. */
interface Panel {
  readonly points: readonly PanelPoint[];
  readonly config: MemorizationConfig;
  readonly title: string;
}

function panelsOf(points: readonly PanelPoint[], axis: PanelAxis): Panel[] {
  const own = points.filter((point) => point.axis === axis);
  return [...new Set(own.map(({ panel }) => panel))].map((name) => {
    const panel = own.filter(({ panel }) => panel === name);
    const { config } = panel[0];
    const sizes = [...new Set(panel.map((point) => point.config.examples))];
    return { points: panel, config, title: `${config.task}, ${config.contexts} contexts, T = ${sizes.join(', ')}` };
  });
}

/**
 * Memorized examples against one axis, a panel for each task and kind of context: trained models (one mark a seed; a
 * colour for each T), their straight line, what Theorem 1 promises, and what the attention weights fixed at their initial
 * values can fit.
 */
export function memorizationFigure(points: readonly PanelPoint[], axis: PanelAxis): Figure {
  const panels = panelsOf(points, axis);
  const columns = Math.min(panels.length, 2);
  const rows = Math.ceil(panels.length / columns);
  const data: Partial<Data>[] = [];
  const layout: Record<string, unknown> = {
    grid: { rows, columns, pattern: 'independent', xgap: 0.16, ygap: 0.42 },
    height: 150 + 320 * rows,
    legend: { orientation: 'h', x: 0, y: 1.12 + 0.06 / rows, yanchor: 'bottom' },
  };
  const annotations: unknown[] = [];
  panels.forEach(({ points: own, title }, index) => {
    const fitted = `slope ${slopeText(slopeOf(own))}; Theorem 1: ${theoremSlope(own).toFixed(1)}`;
    const suffix = index === 0 ? '' : `${index + 1}`;
    const axes = { xaxis: `x${suffix}`, yaxis: `y${suffix}`, showlegend: index === 0 };
    layout[`xaxis${suffix}`] = { rangemode: 'tozero', title: { text: axisTitles[axis] } };
    layout[`yaxis${suffix}`] = { rangemode: 'tozero', title: { text: 'examples memorized' } };
    annotations.push({
      ...{ xref: `x${suffix} domain`, yref: `y${suffix} domain`, x: 0, y: 1.03, xanchor: 'left', yanchor: 'bottom' },
      ...{ text: `<b>${title}</b><br>${fitted}`, align: 'left', showarrow: false },
    });
    data.push(...panelTraces(own, axes));
  });
  return figure({
    name: `memorized-by-${axis === 'headSize' ? 'head-size' : axis}`,
    title: `Examples memorized, by ${axisNames[axis]}`,
    alt:
      `${panels.length} panels of trained models with the number of examples each memorized, against ${axisNames[axis]}. ` +
      panels.map((panel) => `${panel.title}: slope ${slopeText(slopeOf(panel.points))}`).join('; ') +
      '.',
    note:
      'Classification counts right answers less what guessing gives; regression counts T (1 − MSE / variance). "Attention fixed, readout solved" is the rank of the feature matrix ' +
      'of the untrained layer, cut at T: H(n − 1) + 1 for a shared context, Hd otherwise (d for n = 1).',
    data,
    layout: { ...layout, annotations } as Partial<Layout>,
  });
}

function panelTraces(points: readonly PanelPoint[], axes: object): Partial<Data>[] {
  const sizes = [...new Set(points.map(({ config }) => config.examples))];
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const at = (x: number) => points.find((point) => point.x === x)!;
  const traces: object[] = sizes.map((examples, i) => {
    const own = points.filter(({ config }) => config.examples === examples);
    return {
      ...{ type: 'scatter', mode: 'markers', name: 'trained, the reference’s recipe', legendgroup: 'trained', ...axes },
      ...(sizes.length > 1 && { name: `trained, T = ${examples}`, legendgroup: `T${examples}` }),
      x: own.map(({ x }) => x),
      y: own.map(({ memorized }) => memorized),
      text: own.map(({ config }) => `seed ${config.seed}`),
      marker: { color: colours[i % colours.length], size: 8, symbol: symbols[i % symbols.length] },
      hovertemplate: '%{x}: %{y:.0f} examples<br>%{text}<extra></extra>',
    };
  });
  const line = slopeOf(points);
  traces.push({
    ...{ type: 'scatter', mode: 'lines', name: 'straight line through them', legendgroup: 'line', ...axes },
    x: [xs[0], xs.at(-1)],
    y: [xs[0], xs.at(-1)!].map((x) => line.intercept + line.slope * x),
    line: { color: colours[0], width: 1.5 },
    hoverinfo: 'skip',
  });
  traces.push({
    ...{ type: 'scatter', mode: 'lines', name: 'attention fixed, readout solved', legendgroup: 'fixed', ...axes },
    x: xs,
    y: xs.map((x) => at(x).fixedAttention),
    line: { color: colours[1], width: 2, dash: 'dash' },
    hovertemplate: '%{x}: %{y} (rank of Z)<extra></extra>',
  });
  traces.push({
    ...{ type: 'scatter', mode: 'lines', name: 'Theorem 1 promises', legendgroup: 'theorem', ...axes },
    x: xs,
    y: xs.map((x) => at(x).theorem),
    line: { color: neutral, width: 2, dash: 'dot' },
    hovertemplate: '%{x}: %{y} (theorem)<extra></extra>',
  });
  return traces as Partial<Data>[];
}

function slopeOf(points: readonly PanelPoint[]): Line {
  return fitLine(points.map(({ x, memorized }) => ({ x, y: memorized })));
}

function slopeText({ slope, ci95 }: Line): string {
  const interval = ci95 ? ` (95 %: ${ci95.map((end) => end.toFixed(1)).join(' to ')})` : '';
  return `${slope.toFixed(1)}${interval}`;
}

/** Of the line through what the theorem promises; 0 where it is silent. */
function theoremSlope(points: readonly PanelPoint[]): number {
  return fitLine(points.map(({ x, theorem }) => ({ x, y: theorem ?? 0 }))).slope;
}

/** One row a panel: the slope of memorized examples with its interval, beside the theorem's and fixed attention's. */
export function slopeTable(points: readonly PanelPoint[]): Table {
  const rows = (['context', 'heads', 'headSize'] as const).flatMap((axis) =>
    panelsOf(points, axis).map(({ points: own, config }) => {
      const { slope, ci95, r2 } = slopeOf(own);
      const fixed = fitLine(own.map(({ x, fixedAttention }) => ({ x, y: fixedAttention })));
      return {
        axis: axisNames[axis],
        task: config.task,
        contexts: config.contexts,
        models: own.length,
        slope,
        ci95,
        r2,
        theoremSlope: theoremSlope(own),
        fixedAttentionSlope: fixed.slope,
        increases: ci95 !== null && ci95[0] > 0,
      };
    }),
  );
  return table(
    'memorization-slopes',
    rows,
    [
      { key: 'axis', title: 'per unit of' },
      { key: 'task' },
      { key: 'contexts' },
      { key: 'models', format: 'integer' },
      { key: 'slope', title: 'more examples memorized', about: 'slope of the least-squares line' },
      { key: 'ci95', title: '95 % interval', about: 'of the slope, Student’s t' },
      { key: 'r2', title: 'R²', about: 'share of the variance that the line explains' },
      { key: 'theoremSlope', title: 'Theorem 1', about: 'slope of what it promises' },
      { key: 'fixedAttentionSlope', title: 'attention fixed', about: 'slope of the rank of Z, cut at T' },
      { key: 'increases', title: 'grows?', about: 'the interval lies above 0' },
    ],
    {
      title: 'How many more examples one more head, token or dimension memorizes',
      note: 'Trained attention adapts to its examples, so it may memorize more than fixed attention can; short training, less.',
    },
  );
}

/** Every trained model: what the figures are made of. */
export function memorizationTable(points: readonly PanelPoint[]): Table {
  return table(
    'memorization-runs',
    points.map(({ panel, config, loss, accuracy, memorized, theorem, fixedAttention, steps, seconds }) => {
      const { heads, context, headSize, width, examples, contexts, task, classes, seed, learningRate } = config;
      const model = { heads, context, headSize, width, examples, contexts, task, classes, seed, learningRate };
      return { panel, ...model, steps, loss, accuracy, memorized, theorem, fixedAttention, seconds };
    }),
    [
      { key: 'panel' },
      ...shapeColumns(['heads', 'context', 'headSize', 'examples']),
      { key: 'seed' },
      { key: 'steps', format: 'integer' },
      { key: 'loss' },
      { key: 'accuracy', format: 'fraction' },
      { key: 'memorized', format: 'integer' },
      { key: 'theorem', title: 'Theorem 1', format: 'integer' },
      { key: 'fixedAttention', title: 'attention fixed', format: 'integer' },
      { key: 'seconds', format: 'seconds' },
    ],
    { title: 'All trained models' },
  );
}

/** Loss (and accuracy) against the steps of one training. */
function trainingCurve(evaluations: readonly Evaluation[], title = 'Training'): Figure {
  const accuracies = evaluations.filter(({ accuracy }) => accuracy !== null);
  const last = evaluations.at(-1);
  const data: object[] = [
    {
      ...{ type: 'scatter', mode: 'lines+markers', name: 'loss' },
      x: evaluations.map(({ step }) => step),
      y: evaluations.map(({ loss }) => loss),
      line: { color: colours[0] },
    },
  ];
  if (accuracies.length > 0) {
    data.push({
      ...{ type: 'scatter', mode: 'lines+markers', name: 'accuracy', yaxis: 'y2' },
      x: accuracies.map(({ step }) => step),
      y: accuracies.map(({ accuracy }) => accuracy),
      line: { color: colours[1] },
    });
  }
  return figure({
    name: 'training',
    title,
    alt: last
      ? `Loss falls to ${last.loss.toPrecision(3)} in ${last.step} steps${last.accuracy === null ? '' : `, accuracy reaches ${last.accuracy.toFixed(3)}`}.`
      : 'Nothing has been evaluated yet.',
    data: data as Partial<Data>[],
    layout: {
      height: 360,
      xaxis: { title: { text: 'step' } },
      yaxis: { title: { text: 'loss' }, rangemode: 'tozero' },
      yaxis2: {
        ...{ title: { text: 'accuracy' }, overlaying: 'y', side: 'right', showgrid: false },
        // Without a distance plotly sets the ticks beside those of the loss: 0.277, 0.554, 0.83.
        ...{ range: [0, 1.02], dtick: 0.25 },
      },
    },
  });
}

/**
 * Draws the curve of the running cell's training while it goes on, for `onEvaluation` of `memorize`: one figure in the
 * page that grows with each evaluation. Outside of a notebook it does nothing.
 */
export function liveTrainingCurve(title = 'Training'): (config: MemorizationConfig, evaluation: Evaluation) => void {
  const evaluations: Evaluation[] = [];
  const id = randomUUID();
  return (_, evaluation) => {
    evaluations.push(evaluation);
    pageOfCell()?.send(mimeBundle(trainingCurve(evaluations, title)), id, evaluations.length > 1);
  };
}
