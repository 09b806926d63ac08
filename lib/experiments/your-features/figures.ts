import type { Data } from 'plotly.js';
import type { FeatureAnalysis, VerdictsAtTolerance } from './measure';
import { curveTraces } from '../curve/figures';
import { figure, type Figure } from '../../report/display';
import { formatCell, formatNumber } from '../../report/format';
import { logAxis, stripShape } from '../../report/log-axis';
import { legendAbove, neutral, precisionColours } from '../../report/theme';
import { trace, type Trace } from '../../report/traces';

/** sigma_i / sigma_1 of all rows together, with what each tolerance takes for zero. */
export function singularValueFigure({ features, spectrum, verdicts, summary }: FeatureAnalysis): Figure {
  const ratios = Array.from(spectrum, (value) => (spectrum[0] === 0 ? 0 : value / spectrum[0]));
  const scale = logAxis(ratios, { shown: verdicts.map(({ tolerance }) => tolerance) });
  const data = [
    trace({
      mode: ratios.length > 60 ? 'lines' : 'lines+markers',
      name: 'singular values',
      x: ratios.map((_, i) => i + 1),
      y: ratios.map(scale.place),
      line: { width: 2, color: neutral },
      hover: `i = %{x} of ${ratios.length}: σ<sub>i</sub>/σ<sub>1</sub> = {value}`,
      values: ratios,
      format: 'scientific',
    }),
    ...verdicts.map(({ rtol, tolerance, rank }) =>
      trace({
        mode: 'lines',
        name: `zero below, ${rtol}: rank ${rank}`,
        x: [1, ratios.length],
        y: [tolerance, tolerance],
        line: { width: 1.5, dash: rtol === 'float32' ? 'solid' : 'dash', color: precisionColours[rtol] },
        hover: `zero below {value}<extra>${rtol}</extra>`,
        format: 'scientific',
      }),
    ),
  ];
  const finer = verdicts.filter(({ belowResolution }) => belowResolution).map(({ rtol }) => rtol);
  return figure({
    name: 'singular-values',
    title: `Singular values of all ${features.shape[0]} rows`,
    alt:
      `Singular values over the largest, on a logarithmic axis, falling to ${formatNumber(ratios[ratios.length - 1], 'scientific')}, with the tolerances of float32 and float64 as lines. ` +
      verdicts.map(({ rtol, rank }) => `Rank at ${rtol}'s tolerance: ${rank} of ${ratios.length}`).join('; ') +
      '.',
    ...(finer.length > 0 && {
      note: `The numbers are spaced ${formatNumber(summary.resolution, 'scientific')} apart, relative to their size: what lies near the line of ${finer.join(' and of ')} is rounding.`,
    }),
    data,
    layout: {
      height: 420,
      xaxis: { title: { text: '<i>i</i>' } },
      yaxis: { ...scale.axis, title: { text: 'σ<sub><i>i</i></sub>/σ<sub>1</sub>' } },
      shapes: scale.strip ? [stripShape(scale.strip, 'y')] : [],
      legend: legendAbove,
    },
  });
}

/** The share of independent k-subsets for every k, the tests as dots, and below them what is certain. */
export function featureCurveFigure({ features, verdicts }: FeatureAnalysis): Figure {
  const most = Math.min(...features.shape);
  const data = verdicts.flatMap((verdict, i) => [...estimates(verdict), ...certainties(verdict, most, barHeight(i))]);
  return figure({
    name: 'feature-curve',
    title: 'Share of independent k-subsets, and what is certain for all of them',
    alt:
      'Share of random k-subsets of the rows that are independent, against k, at the tolerance of float32 and of float64; below, a bar up to the k for which every subset is proved independent, and a cross where a dependent set was found. ' +
      verdicts.map(inWords).join('; ') +
      '.',
    note: 'Curves and dots are estimates (bands and error bars: 95 %). Below zero stands what is certain, a bar for each tolerance: thick up to the k for which every subset is proved independent, dotted where nothing is decided, a cross at the size of a dependent set that was found.',
    data,
    layout: {
      height: 500,
      xaxis: { range: [0, most * 1.04], title: { text: '<i>k</i>' } },
      yaxis: {
        range: [barHeight(verdicts.length) + 0.06, 1.06],
        tickvals: [0, 0.25, 0.5, 0.75, 1],
        tickformat: '.0%',
        title: { text: 'independent' },
      },
      legend: legendAbove,
      annotations: verdicts.map((verdict, i) => ({
        x: 0,
        y: barHeight(i),
        xanchor: 'left',
        yanchor: 'bottom',
        yshift: 4,
        showarrow: false,
        text: barText(verdict),
        font: { size: 11, color: precisionColours[verdict.rtol] },
      })),
    },
  });
}

/** Where the bar of a tolerance stands, below the curves, with room for its text. */
const barHeight = (index: number) => -0.17 * (index + 1);

/** What a bar says, beside it. */
function barText({ rtol, bounds: { atLeast, atMost, witness } }: VerdictsAtTolerance): string {
  const found = witness ? `; ${witness.length} dependent rows found` : '';
  const open = atMost > atLeast ? `, undecided up to ${atMost}` : '';
  return `${rtol}: all subsets independent up to ${atLeast}${open}${found}`;
}

function estimates({ rtol, curve, tests }: VerdictsAtTolerance): Partial<Data>[] {
  const color = precisionColours[rtol];
  return [
    ...curveTraces(curve, rtol),
    trace({
      mode: 'markers',
      legendgroup: rtol,
      x: tests.map(({ k }) => k),
      y: tests.map(({ fraction }) => fraction),
      error_y: {
        type: 'data',
        symmetric: false,
        array: tests.map(({ fraction, ci95 }) => ci95[1] - fraction),
        arrayminus: tests.map(({ fraction, ci95 }) => fraction - ci95[0]),
      },
      marker: { size: 7, color, symbol: rtol === 'float32' ? 'circle' : 'square-open' },
      hover: `k = %{x}: {value}<extra>${rtol}, random subsets</extra>`,
      values: tests.map(({ satisfied, draws, ci95 }) => {
        return `${formatNumber(satisfied)} of ${formatNumber(draws)} independent<br>95 %: ${formatCell(ci95, 'fraction')}`;
      }),
      showlegend: false,
    }),
  ];
}

/** A bar at the height `y`, below the curves. */
function certainties({ rtol, bounds }: VerdictsAtTolerance, most: number, y: number): Partial<Data>[] {
  const { atLeast, atMost, witness } = bounds;
  const color = precisionColours[rtol];
  const bar = (from: number, to: number, line: Trace['line'], says: string, marker?: Trace['marker']) =>
    trace({
      mode: marker ? 'markers' : 'lines',
      legendgroup: rtol,
      showlegend: false,
      x: [from, to],
      y: [y, y],
      line,
      marker,
      hover: `${rtol}: ${says}`,
    });
  return [
    bar(0, atLeast, { width: 7, color }, `every set of up to ${atLeast} rows is independent, certified`),
    bar(atLeast, atMost, { width: 2, dash: 'dot', color }, `not decided from ${atLeast + 1} to ${atMost}`),
    ...(witness && witness.length <= most
      ? [
          bar(witness.length, witness.length, {}, `${witness.length} dependent rows, proved`, {
            size: 10,
            symbol: 'x',
            color,
          }),
        ]
      : []),
  ];
}

function inWords({ rtol, bounds, curve }: VerdictsAtTolerance): string {
  const { atLeast, atMost, witness } = bounds;
  const found = witness ? `, ${witness.length} dependent rows found` : '';
  return `${rtol}: no sampled subset fails up to ${Math.min(...curve.lengths)}, certified from ${atLeast} to ${atMost}${found}`;
}
