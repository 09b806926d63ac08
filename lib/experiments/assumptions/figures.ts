import type { Data } from 'plotly.js';
import type { AssumptionResult } from './measure';
import { marginOf, statements } from './tables';
import { paperFinding } from '../paper';
import { rankRange } from '../tables';
import { figure, type Figure } from '../../report/display';
import { formatNumber } from '../../report/format';
import { bySystem, panels } from '../../report/panels';
import { legendAbove, precisionColours, sigmaAxis } from '../../report/theme';
import { trace } from '../../report/traces';

/** sigma ratios below this are drawn at the edge of the axis: an exact zero has no place on a logarithmic one. */
const SMALLEST_DRAWN = 1e-17;

/**
 * Ranks of the random d-subsets (general position), one panel per system: float32's tolerance beside float64's, with the
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
      data.push(
        trace({
          type: 'bar',
          name: `${precision} tolerance`,
          showlegend: panel === 0,
          x: Object.keys(ranks).map(Number),
          y: Object.values(ranks).map((count) => count / ranksDraws),
          width: d / 200,
          marker: { color: precisionColours[precision] },
          hover: `rank %{x}: {value} of the subsets<extra>${precision}</extra>`,
          format: 'percent',
          ...axes(panel),
        }),
      );
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
      'For each system, a histogram of the rank of random subsets of d query vectors. ' +
      systems.map((rows) => `${rows[0].title}: ${rows.map(ranksInWords).join('; ')}`).join('. ') +
      '.',
    note: 'Share of the subsets with each rank. Grey: the range that the paper reports for the same system.',
    data,
    layout: { ...layout, barmode: 'overlay' },
  });
}

function ranksInWords({ precision, ranks, d }: AssumptionResult): string {
  return `rank ${rankRange(ranks).join(' to ')} of ${d} at ${precision}'s tolerance`;
}

/** One row for each system and statement of a figure, the first of them at the top. */
const rowName = ({ title, statement }: AssumptionResult) => `${title}, ${statements[statement].short}`;
const rowAxis = (names: readonly string[]) =>
  ({ categoryorder: 'array', categoryarray: [...names].reverse(), automargin: true }) as const;

/**
 * sigma_min / sigma_max of single subsets, every system and statement, in both precisions, beside the ratio below which each
 * precision counts a singular value as zero: how far every verdict is from its opposite.
 */
export function marginFigure(results: readonly AssumptionResult[]): Figure {
  const drawn = results.filter(({ margin }) => margin !== null);
  const names = [...new Set(drawn.map(rowName))];
  const data: Partial<Data>[] = [];
  for (const precision of ['float32', 'float64'] as const) {
    const same = drawn.filter((result) => result.precision === precision);
    const points = same.flatMap((result) => result.margin!.values.map((value) => ({ value, name: rowName(result) })));
    const [symbol, color] = [precision === 'float32' ? 'circle' : 'diamond', precisionColours[precision]];
    data.push(
      trace({
        mode: 'markers',
        name: `${precision} features`,
        legendgroup: precision,
        x: points.map(({ value }) => Math.max(value, SMALLEST_DRAWN)),
        y: points.map(({ name }) => name),
        marker: { size: 7, opacity: 0.5, color, symbol },
        hover: `%{y}: σ_min/σ_max = {value}<extra>${precision}</extra>`,
        values: points.map(({ value }) => value),
        format: 'scientific',
      }),
      trace({
        mode: 'markers',
        name: `${precision} tolerance`,
        legendgroup: precision,
        x: same.map(({ margin }) => margin!.tolerance),
        y: same.map(rowName),
        marker: { symbol: 'line-ns-open', size: 18, color, line: { width: 3 } },
        hover: `below {value} counts as zero<extra>${precision}</extra>`,
        values: same.map(({ margin }) => margin!.tolerance),
        format: 'scientific',
      }),
    );
  }
  return figure({
    name: 'margins',
    title: 'How far every verdict is from its opposite',
    alt:
      'Dots: smallest over largest singular value of random subsets, on a logarithmic axis; bars: the ratio that counts as zero in each precision. ' +
      'Subsets to the left of the bar of their precision are called dependent.',
    note: 'A subset to the left of its precision’s bar is called dependent. Ratios of 0 are drawn at the left edge.',
    data,
    layout: {
      height: 160 + 34 * names.length,
      xaxis: { ...sigmaAxis, dtick: 2 },
      yaxis: rowAxis(names),
      legend: legendAbove,
    },
  });
}

/** The margin of Assumption 1 and general position at one precision, one set of images beside another. */
export function imageComparison(results: readonly AssumptionResult[]): Figure {
  const drawn = results.filter(({ margin, statement }) => margin !== null && statement !== 'A3');
  const names = [...new Set(drawn.map(rowName))];
  const sets = [...new Set(drawn.map(({ examples }) => examples))];
  const lowest = 1e-6;
  const share = ({ fraction }: AssumptionResult) => formatNumber(fraction, 'fraction');
  return figure({
    name: 'images-compared',
    title: 'The float32 verdict depends on the images',
    alt:
      'Median of σ_min/σ_max over the float32 tolerance, for each system and statement, one mark for each set of images: ' +
      drawn
        .map((result) => `${rowName(result)}, ${result.examples}: a share of ${share(result)} of the draws passes`)
        .join('; ') +
      '.',
    note: 'To the right of 1 the median subset passes. The labels give the share of the draws that do.',
    data: sets.map((examples, i) => {
      const same = drawn.filter((result) => result.examples === examples);
      return trace({
        mode: 'text+markers',
        name: examples,
        x: same.map((result) => Math.max(marginOf(result)!, lowest)),
        y: same.map(rowName),
        text: same.map(share),
        textposition: i === 0 ? 'top center' : 'bottom center',
        marker: { size: 11, symbol: i === 0 ? 'circle' : 'square' },
        hover: '%{y}: margin {value}',
        values: same.map(marginOf),
      });
    }),
    layout: {
      height: 170 + 48 * names.length,
      xaxis: { type: 'log', title: { text: 'margin: σ<sub>min</sub> / σ<sub>max</sub> over the tolerance' } },
      yaxis: rowAxis(names),
      shapes: [
        { type: 'line', x0: 1, x1: 1, yref: 'paper', y0: 0, y1: 1, line: { dash: 'dot', width: 1.5, color: 'gray' } },
      ],
      legend: legendAbove,
    },
  });
}
