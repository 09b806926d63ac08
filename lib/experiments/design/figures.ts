import type { Data } from 'plotly.js';
import { bestDesign, nameOf, type MeasuredDesign, type TrainedDesign } from './measure';
import { figure, type Figure } from '../../report/display';
import { formatNumber } from '../../report/format';
import { panels } from '../../report/panels';
import { meanings, neutral } from '../../report/theme';
import { trace } from '../../report/traces';
import { groupBy } from '../../statistics';

/** Examples memorized against head size, a panel for each n; the number of heads stands below each head size. */
export function designFigure(measured: readonly MeasuredDesign[], trained: readonly TrainedDesign[]): Figure {
  const byContext = [...groupBy(measured, ({ setting }) => setting.context)]
    .sort(([a], [b]) => a - b)
    .map(([, own]) => own.sort((a, b) => a.setting.headSize - b.setting.headSize));
  const top = 1.3 * Math.max(...measured.map(({ rank }) => rank), ...trained.flatMap(({ memorized }) => memorized));
  const { layout, axes } = panels(
    byContext.map(([{ setting }]) => `<i>n</i> = ${setting.context}`),
    324,
    (panel) => ({
      xaxis: {
        type: 'category',
        categoryarray: sizesOf(byContext[panel]),
        tickvals: sizesOf(byContext[panel]),
        ticktext: byContext[panel].map(({ setting }) => `${setting.headSize}<br>${setting.heads}`),
        title: { text: panel === 0 ? 'head size <i>d<sub>h</sub></i> (above), heads <i>H</i> (below)' : '' },
      },
      yaxis: {
        type: 'log',
        range: [-0.1, Math.log10(top)],
        dtick: 1,
        ...(panel === 0 ? { title: { text: 'examples memorized' } } : { showticklabels: false }),
      },
    }),
    byContext.length,
  );
  const data = byContext.flatMap((own, panel) => {
    const ownTrained = trained.filter(({ setting }) => setting.context === own[0].setting.context);
    const place = { ...axes(panel), showlegend: panel === 0 };
    return [...curves(own, place), trainedMarks(ownTrained, place)];
  });
  const { setting } = measured[0];
  const best = bestDesign(measured, ({ rank }) => rank);
  return figure({
    name: 'designs',
    title: 'Layers of equal size: which memorizes most?',
    alt:
      'For each number of context tokens, examples memorized against head size, with as many heads as the budget of parameters allows: what Theorem 1 promises, the rank of the feature matrix at two tolerances, and trained layers. ' +
      `The greatest rank, ${best.rank}, has ${nameOf(best)}.`,
    note: `d = ${setting.width}, ${setting.examples} examples, ${setting.contexts} contexts; no layer has more parameters than the budget. The highest mark is the layer to build.`,
    data,
    layout: {
      ...layout,
      grid: { ...layout.grid, xgap: 0.08 },
      legend: { orientation: 'h', x: 0, y: -0.3, yanchor: 'top' },
      margin: { t: 84 },
    },
  });
}

const sizesOf = (own: readonly { readonly setting: { readonly headSize: number } }[]) =>
  own.map(({ setting }) => String(setting.headSize));

function curves(own: readonly MeasuredDesign[], place: object): Partial<Data>[] {
  const lines = [
    { name: 'rank of Z, float64’s tolerance', of: 'rank', line: { color: meanings.float64 }, symbol: 'square' },
    {
      name: 'rank of Z, float32’s tolerance',
      of: 'rankAtFloat32',
      line: { color: meanings.float32, dash: 'dash' },
      symbol: 'diamond',
    },
    { name: 'Theorem 1', of: 'theorem', line: { color: neutral, dash: 'dot' }, symbol: 'triangle-up' },
  ] as const;
  return lines.map(({ name, of, line, symbol }) =>
    trace({
      ...place,
      mode: 'lines+markers',
      name,
      x: sizesOf(own),
      y: own.map((design) => design[of]),
      text: own.map((design) => `${nameOf(design)}, ${formatNumber(design.parameters)} parameters`),
      line,
      marker: { color: line.color, symbol },
      hover: `%{text}: {value}<extra>${name}</extra>`,
    }),
  );
}

function trainedMarks(trained: readonly TrainedDesign[], place: object): Partial<Data> {
  const marks = trained.flatMap((design) => design.memorized.map((memorized) => ({ design, memorized })));
  return trace({
    ...place,
    mode: 'markers',
    name: 'trained',
    x: sizesOf(marks.map(({ design }) => design)),
    // A logarithmic axis has no zero.
    y: marks.map(({ memorized }) => Math.max(memorized, 1)),
    text: marks.map(({ design }) => nameOf(design)),
    marker: { symbol: 'circle-open', size: 11, color: meanings.trained, line: { width: 2 } },
    hover: '%{text}: {value}<extra>trained</extra>',
    values: marks.map(({ memorized }) => memorized),
    format: 'integer',
  });
}
