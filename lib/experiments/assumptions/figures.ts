import type { Data } from 'plotly.js';
import type { AssumptionResult } from './measure';
import { figure, type Figure } from '../../report/display';
import { bySystem, panels } from '../../report/panels';
import { paperFinding } from '../paper';
import { precisionColours } from '../../report/theme';

/** sigma ratios below this are drawn at the edge of the axis: an exact zero has no place on a logarithmic one. */
const SMALLEST_DRAWN = 1e-17;

/**
 * Ranks of the random d-subsets (general position), one panel a system: float32's tolerance beside float64's, with the
 * paper's range behind them and lines at n and d.
 */
export function rankHistogram(results: readonly AssumptionResult[]): Figure {
  const systems = bySystem(results.filter(({ statement }) => statement === 'general-position'));
  const { layout, axes, verticalLine, band } = panels(
    systems.map(([{ title }]) => title),
    130,
    (panel, isLast) => ({
      xaxis: {
        range: [0, systems[panel][0].d * 1.05],
        ...(isLast && { title: { text: 'rank of a random d-subset' } }),
      },
      yaxis: { range: [0, 1.05], tickformat: '.0%', nticks: 3 },
    }),
  );
  const data: Partial<Data>[] = [];
  systems.forEach((rows, panel) => {
    const { n, d, system } = rows[0];
    for (const { precision, ranks, ranksDraws } of rows) {
      data.push({
        type: 'bar',
        name: `${precision} tolerance`,
        legendgroup: precision,
        showlegend: panel === 0,
        x: Object.keys(ranks).map(Number),
        y: Object.values(ranks).map((count) => count / ranksDraws),
        width: d / 200,
        marker: { color: precisionColours[precision] },
        ...axes(panel),
        hovertemplate: `rank %{x}: %{y:.1%} of the subsets<extra>${precision}</extra>`,
      } as Partial<Data>);
    }
    const range = paperFinding(system, 'general-position')?.ranks;
    if (range && system !== 'trained-vit-s') band(panel, range[0] - d / 400, range[1] + d / 400, '');
    verticalLine(panel, n, `<i>n</i> = ${n}`);
    verticalLine(panel, d, `<i>d</i> = ${d}`);
  });
  return figure({
    name: 'rank-histogram',
    title: 'Ranks of random d-subsets of the query vectors',
    alt:
      'One histogram a system of the rank of random subsets of d query vectors. ' +
      systems.map((rows) => `${rows[0].title}: ${rows.map(rangeText).join('; ')}`).join('. ') +
      '.',
    note: 'Share of the subsets with each rank. Grey: the range that the paper reports for the same system.',
    data,
    layout: { ...layout, barmode: 'overlay' },
  });
}

function rangeText({ precision, ranks, d }: AssumptionResult): string {
  const values = Object.keys(ranks).map(Number);
  return `rank ${Math.min(...values)} to ${Math.max(...values)} of ${d} at ${precision}'s tolerance`;
}

const shortStatements = { 'general-position': 'k = d', A1: 'A1', A2: 'A2', A3: 'A3' } as const;

/**
 * sigma_min / sigma_max of single subsets, every system and statement, in both precisions, beside the ratio that each
 * precision takes for zero: how far every verdict is from its opposite.
 */
export function marginFigure(results: readonly AssumptionResult[]): Figure {
  const drawn = results.filter(({ margin }) => margin !== null);
  const rowName = (result: AssumptionResult) => `${result.title}, ${shortStatements[result.statement]}`;
  const names = [...new Set(drawn.map(rowName))];
  const data: Partial<Data>[] = [];
  for (const precision of ['float32', 'float64'] as const) {
    const same = drawn.filter((result) => result.precision === precision);
    const points = same.flatMap((result) => result.margin!.values.map((value) => ({ value, name: rowName(result) })));
    const stars = same.map((result) => ({ value: result.margin!.tolerance, name: rowName(result) }));
    data.push(
      {
        type: 'scatter',
        mode: 'markers',
        name: `${precision} features`,
        legendgroup: precision,
        x: points.map(({ value }) => Math.max(value, SMALLEST_DRAWN)),
        y: points.map(({ name }) => name),
        marker: {
          size: 7,
          opacity: 0.5,
          color: precisionColours[precision],
          symbol: precision === 'float32' ? 'circle' : 'diamond',
        },
        hovertemplate: '%{y}: σ_min/σ_max = %{x:.2e}<extra>' + precision + '</extra>',
      },
      {
        type: 'scatter',
        mode: 'markers',
        name: `${precision} tolerance`,
        legendgroup: precision,
        x: stars.map(({ value }) => value),
        y: stars.map(({ name }) => name),
        marker: { symbol: 'line-ns-open', size: 18, color: precisionColours[precision], line: { width: 3 } },
        hovertemplate: 'below %{x:.2e} counts as zero<extra>' + precision + '</extra>',
      },
    );
  }
  return figure({
    name: 'margins',
    title: 'How far every verdict is from its opposite',
    alt:
      'Dots: smallest over largest singular value of random subsets, on a logarithmic axis; bars: the ratio that counts as zero in each precision. ' +
      'Subsets left of the bar of their precision are called dependent.',
    note: 'A subset left of its precision’s bar is called dependent. Ratios of 0 are drawn at the left edge.',
    data,
    layout: {
      height: 160 + 34 * names.length,
      xaxis: { type: 'log', title: { text: 'σ<sub>min</sub> / σ<sub>max</sub>' }, exponentformat: 'power', dtick: 2 },
      yaxis: { categoryorder: 'array', categoryarray: [...names].reverse(), automargin: true },
      legend: { orientation: 'h', y: 1.02, yanchor: 'bottom' },
    },
  });
}

/** The margin of Assumption 1 and general position at one precision, one set of images beside another. */
export function imageComparison(results: readonly AssumptionResult[]): Figure {
  const drawn = results.filter(({ margin, statement }) => margin !== null && statement !== 'A3');
  const rowName = (result: AssumptionResult) => `${result.title}, ${shortStatements[result.statement]}`;
  const names = [...new Set(drawn.map(rowName))];
  const sets = [...new Set(drawn.map(({ images }) => images))];
  const lowest = 1e-6;
  return figure({
    name: 'images-compared',
    title: 'The float32 verdict depends on the images',
    alt:
      'Median of σ_min/σ_max over the float32 tolerance, for each system and statement, one mark for each set of images: ' +
      drawn.map((result) => `${rowName(result)}, ${result.images}: ${result.fraction} of the draws hold`).join('; ') +
      '.',
    note: 'Right of 1 the median subset passes. The labels give the share of the draws that do.',
    data: sets.map((images) => {
      const same = drawn.filter((result) => result.images === images);
      return {
        type: 'scatter',
        mode: 'text+markers',
        name: images,
        x: same.map(({ margin }) => Math.max(margin!.median / margin!.tolerance, lowest)),
        y: same.map(rowName),
        text: same.map(({ fraction }) => (fraction === 0 || fraction === 1 ? `${fraction}` : fraction.toFixed(4))),
        textposition: images === sets[0] ? 'top center' : 'bottom center',
        marker: { size: 11, symbol: images === sets[0] ? 'circle' : 'square' },
      };
    }),
    layout: {
      height: 170 + 48 * names.length,
      xaxis: {
        type: 'log',
        title: { text: 'margin: σ<sub>min</sub> / σ<sub>max</sub> over the tolerance' },
        exponentformat: 'power',
      },
      yaxis: { categoryorder: 'array', categoryarray: [...names].reverse(), automargin: true },
      shapes: [
        { type: 'line', x0: 1, x1: 1, yref: 'paper', y0: 0, y1: 1, line: { dash: 'dot', width: 1.5, color: 'gray' } },
      ],
      legend: { orientation: 'h', y: 1.02, yanchor: 'bottom' },
    },
  });
}
