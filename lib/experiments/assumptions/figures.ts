import type { Data } from 'plotly.js';
import type { AssumptionResult } from './measure';
import { marginOf, statements } from './tables';
import { paperFinding } from '../paper';
import { rankRange } from '../tables';
import { figure, type Figure } from '../../report/display';
import { formatCell, formatNumber } from '../../report/format';
import { logAxis, stripShape } from '../../report/log-axis';
import { bySystem, panels } from '../../report/panels';
import { legendAbove, neutral, precisionColours } from '../../report/theme';
import { trace } from '../../report/traces';

/**
 * Ranks of the random d-subsets (general position), one panel per system: float32's tolerance beside float64's, with the
 * paper's range behind them and lines at n and d.
 */
export function rankHistogram(results: readonly AssumptionResult[]): Figure {
  const systems = bySystem(results.filter(({ statement }) => statement === 'general-position'));
  // One scale for all systems, whatever their d.
  const widest = Math.max(...systems.map(([{ d }]) => d));
  const { layout, axes, verticalLine, band } = panels(
    systems.map(([{ title }]) => title),
    140,
    (_, isLast) => ({
      xaxis: { range: [0, widest * 1.05], ...(isLast && { title: { text: 'rank of a random <i>d</i>-subset' } }) },
      yaxis: { range: [0, 1.05], tickformat: '.0%', nticks: 3, title: { text: 'share of<br>the subsets' } },
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
          width: widest / 200,
          marker: { color: precisionColours[precision] },
          hover: `rank %{x}: {value} of ${formatNumber(ranksDraws)} random ${d}-subsets<extra>${precision}</extra>`,
          format: 'percent',
          ...axes(panel),
        }),
      );
    }
    const range = paperFinding(system, 'general-position')?.ranks;
    if (range && system !== 'trained-vit-s') band(panel, range[0] - widest / 400, range[1] + widest / 400, '');
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
 * The margin of single subsets, sigma_min / sigma_max over the ratio below which the precision counts a singular value as
 * zero: every system and statement, a panel for each precision. How far every verdict is from its opposite.
 */
export function marginFigure(results: readonly AssumptionResult[]): Figure {
  const drawn = results.filter(({ margin }) => margin !== null);
  const names = [...new Set(drawn.map(rowName))];
  const sides = (['float32', 'float64'] as const).map((precision) => {
    const points = drawn
      .filter((result) => result.precision === precision)
      .flatMap((result) =>
        result.margin!.values.map((ratio) => {
          const { tolerance } = result.margin!;
          return { result, ratio, tolerance, margin: ratio / tolerance };
        }),
      );
    return {
      precision,
      points,
      scale: logAxis(
        points.map(({ margin }) => margin),
        { shown: [1] },
      ),
    };
  });
  const { layout, axes, verticalLine, zeros } = panels(
    sides.map(({ precision }) => `${precision} features, ${precision}’s tolerance`),
    60 + 30 * names.length,
    (panel) => ({
      xaxis: {
        ...sides[panel].scale.axis,
        title: { text: 'margin: σ<sub>min</sub>/σ<sub>max</sub> over the tolerance' },
      },
      yaxis: { ...rowAxis(names), ...(panel > 0 && { showticklabels: false }) },
    }),
    sides.length,
  );
  const data = sides.map(({ precision, points, scale }, panel) =>
    trace({
      ...axes(panel),
      mode: 'markers',
      name: precision,
      showlegend: false,
      x: points.map(({ margin }) => scale.place(margin)),
      y: points.map(({ result }) => rowName(result)),
      marker: { size: 7, opacity: 0.5, color: precisionColours[precision], symbol: SYMBOLS[precision] },
      hover: `%{y}<br>{value}<extra>${precision}</extra>`,
      values: points.map(({ result: { k, draws }, ratio, tolerance, margin }) => {
        const number = (value: number) => formatNumber(value, 'scientific');
        return `margin ${formatNumber(margin)}: σ_min/σ_max ${number(ratio)}, zero below ${number(tolerance)}<br>one of ${formatNumber(draws)} random ${k}-subsets`;
      }),
    }),
  );
  sides.forEach(({ scale }, panel) => {
    zeros(panel, 'x', scale);
    verticalLine(panel, 1, 'zero to the left');
  });
  return figure({
    name: 'margins',
    title: 'How far every verdict is from its opposite',
    alt:
      'Two panels, float32 and float64. Dots: smallest over largest singular value of random subsets, over the ratio that counts as zero in that precision, on a logarithmic axis; subsets to the left of 1 are called dependent. ' +
      drawn.map((one) => `${rowName(one)}, ${one.precision}: median ${formatNumber(marginOf(one)!)}`).join('; ') +
      '.',
    note: 'Each dot is one random subset. To the left of 1 it is called dependent. The grey strip holds the subsets whose smallest singular value is exactly 0.',
    data,
    layout: { ...layout, grid: { ...layout.grid, xgap: 0.06 }, legend: {}, margin: { t: 60 } },
  });
}

const SYMBOLS = { float32: 'circle', float64: 'diamond' } as const;

/** The margin of Assumption 1 and general position at one precision, one set of images beside another. */
export function imageComparison(results: readonly AssumptionResult[]): Figure {
  const drawn = results.filter(({ margin, statement }) => margin !== null && statement !== 'A3');
  const names = [...new Set(drawn.map(rowName))];
  const sets = [...new Set(drawn.map(({ examples }) => examples))];
  const scale = logAxis(
    drawn.map((result) => marginOf(result)!),
    { shown: [1] },
  );
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
    note: 'All at float32’s tolerance. To the right of 1 the median subset passes; the labels give the share of the draws that do. The grey strip holds medians that are exactly 0.',
    data: sets.map((examples, i) => {
      const same = drawn.filter((result) => result.examples === examples);
      return trace({
        mode: 'text+markers',
        name: examples,
        x: same.map((result) => scale.place(marginOf(result)!)),
        y: same.map(rowName),
        text: same.map(share),
        textposition: i === 0 ? 'top center' : 'bottom center',
        marker: { size: 11, symbol: i === 0 ? 'circle' : 'square-open', color: precisionColours.float32 },
        hover: `%{y}: {value}<extra>${examples}</extra>`,
        values: same.map((result) => {
          const interval = formatCell(result.ci95, 'fraction');
          const draws = `${formatNumber(result.satisfied)} of ${formatNumber(result.draws)} draws pass`;
          return `margin ${formatNumber(marginOf(result)!)} (median)<br>${draws}, 95 %: ${interval}`;
        }),
      });
    }),
    layout: {
      height: 170 + 48 * names.length,
      xaxis: { ...scale.axis, title: { text: 'margin: σ<sub>min</sub>/σ<sub>max</sub> over the tolerance' } },
      yaxis: rowAxis(names),
      shapes: [
        { type: 'line', x0: 1, x1: 1, yref: 'paper', y0: 0, y1: 1, line: { dash: 'dot', width: 1.5, color: neutral } },
        ...(scale.strip ? [stripShape(scale.strip, 'x')] : []),
      ],
      legend: legendAbove,
    },
  });
}
