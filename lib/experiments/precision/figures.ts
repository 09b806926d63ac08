import type { Data } from 'plotly.js';
import type { ForwardError, Recheck } from './sceptic';
import type { SmallCopy } from './small-copy';
import type { LayerSpectra, ToleranceSweep } from './spectra';
import type { Precision } from '../../tensor';
import type { Findings } from '../assumptions/findings';
import { figure, table, type Figure, type Table } from '../../report/display';
import { bySystem, panels } from '../../report/panels';
import { precisionColours } from '../../report/theme';

/** Singular values that are exactly zero have no place on a logarithmic axis; they are drawn here. */
const SMALLEST_DRAWN = 1e-19;

const precisions: readonly Precision[] = ['float32', 'float64'];

/** sigma_i / sigma_1 of random d-subsets, one panel a system, with what each precision takes for zero. */
export function spectrumFigure(results: readonly LayerSpectra[]): Figure {
  const systems = bySystem(results);
  const { layout, axes, horizontalLine } = panels(
    systems.map(([{ title }]) => title),
    190,
    (panel, isLast) => ({
      xaxis: { range: [0, systems[panel][0].d * 1.02], ...(isLast && { title: { text: '<i>i</i>' } }) },
      yaxis: {
        type: 'log',
        range: [Math.log10(SMALLEST_DRAWN), 0.5],
        dtick: 4,
        exponentformat: 'power',
        title: { text: 'σ<sub><i>i</i></sub> / σ<sub>1</sub>' },
      },
    }),
  );
  const data: Partial<Data>[] = [];
  systems.forEach((same, panel) => {
    for (const { precision, spectra, d, tolerance } of same) {
      spectra.forEach((values, draw) =>
        data.push({
          type: 'scatter',
          mode: 'lines',
          name: `${precision} features`,
          legendgroup: precision,
          showlegend: panel === 0 && draw === 0,
          x: values.map((_, index) => index + 1),
          y: values.map((value) => Math.max(value, SMALLEST_DRAWN)),
          line: { width: 1.5, dash: precision === 'float32' ? 'solid' : 'dash', color: precisionColours[precision] },
          hovertemplate: `i = %{x} of ${d}: %{y:.2e}<extra>${precision}</extra>`,
          ...axes(panel),
        } as Partial<Data>),
      );
      horizontalLine(panel, tolerance, `below: zero in ${precision}`, precisionColours[precision]);
    }
  });
  return figure({
    name: 'spectra',
    title: 'Singular values of random d-subsets',
    alt:
      'One panel a system: singular values over the largest, on a logarithmic axis, of float32 and of float64 features, with the two tolerances as lines. ' +
      results
        .map((one) => `${one.title}, ${one.precision}: smallest ratio ${smallest(one).toExponential(1)}`)
        .join('; ') +
      '.',
    note: 'All singular values are computed in float64. Where the float32 features leave the float64 ones, one sees float32’s own rounding.',
    data,
    layout,
  });
}

function smallest({ spectra }: LayerSpectra): number {
  return Math.min(...spectra.map((values) => values[values.length - 1]));
}

/** The share of independent subsets as a function of what counts as zero: k = d and k = n, one panel a system. */
export function toleranceFigure(results: readonly ToleranceSweep[]): Figure {
  const systems = bySystem(results);
  const { layout, axes, verticalLine } = panels(
    systems.map(([{ title }]) => title),
    150,
    (_, isLast) => ({
      xaxis: {
        type: 'log',
        range: [-18, -1],
        dtick: 2,
        exponentformat: 'power',
        ...(isLast && { title: { text: 'ratio to σ<sub>max</sub> that counts as zero (rtol)' } }),
      },
      yaxis: { range: [-0.05, 1.05], tickformat: '.0%', nticks: 3 },
    }),
  );
  const data: Partial<Data>[] = [];
  systems.forEach((same, panel) => {
    for (const sweep of same) {
      for (const [name, test] of [
        ['k = d', sweep.generalPosition],
        ['k = n', sweep.assumption1],
      ] as const) {
        const ratios = test.sigmaRatio.values.map((value) => Math.max(value, 1e-18)).sort((a, b) => a - b);
        data.push({
          type: 'scatter',
          mode: 'lines',
          name: `${name}, ${sweep.precision} features`,
          legendgroup: `${name} ${sweep.precision}`,
          showlegend: panel === 0,
          // A subset is independent at every rtol below its own ratio.
          x: [1e-18, ...ratios.flatMap((ratio) => [ratio, ratio]), 1],
          y: [1, ...ratios.flatMap((_, i) => [1 - i / ratios.length, 1 - (i + 1) / ratios.length]), 0],
          line: {
            width: 2,
            color: precisionColours[sweep.precision],
            dash: name === 'k = d' ? 'solid' : 'dot',
          },
          hovertemplate: 'rtol %{x:.1e}: %{y:.0%} independent<extra>' + name + '</extra>',
          ...axes(panel),
        } as Partial<Data>);
      }
    }
    for (const precision of precisions) {
      const sweep = same.find((one) => one.precision === precision);
      if (sweep) verticalLine(panel, sweep.generalPosition.tolerance, precision);
    }
  });
  return figure({
    name: 'verdict-by-tolerance',
    title: 'The verdict as a function of the tolerance',
    alt:
      'One panel a system: the share of random subsets that are independent, against the ratio that counts as zero, for k = d and k = n in both precisions; vertical lines at the tolerance of float32 and of float64. ' +
      'The share falls from 1 to 0 within a narrow range of tolerances.',
    note: 'Vertical lines: max(k, d) times the spacing of float32 and float64 numbers at 1, the usual tolerances.',
    data,
    layout,
  });
}

/** General position in float64 under other weights and other images. */
export function recheckTable(results: readonly Recheck[]): Table {
  return table(
    'rechecks',
    results.map((result) => ({ ...result, margin: result.sigmaRatio / result.tolerance })),
    [
      { key: 'title', title: 'System' },
      { key: 'change', title: 'What was changed' },
      { key: 'images' },
      { key: 'imageCount', title: 'number', format: 'integer' },
      { key: 'draws', format: 'integer' },
      { key: 'satisfied', title: 'independent', format: 'integer' },
      { key: 'sigmaRatio', title: 'smallest σ_min/σ_max', format: 'scientific' },
      {
        key: 'margin',
        title: 'over the tolerance',
        format: 'number',
        about: 'smallest ratio seen over float64’s tolerance',
      },
    ],
    { title: 'Random d-subsets in float64, features and tolerance' },
  );
}

/** Rounding and noise set against sigma_min (Weyl's inequality). */
export function forwardErrorTable(results: readonly ForwardError[]): Table {
  return table(
    'forward-errors',
    results.map((result) => ({
      ...result,
      errorMargin: result.sigmaMin / result.errorNorm,
      perturbationMargin: result.sigmaMin / result.perturbation,
      sigmaMinChange: Math.abs(result.sigmaMinPerturbed - result.sigmaMin) / result.sigmaMin,
    })),
    [
      { key: 'title', title: 'System' },
      { key: 'k', format: 'integer' },
      { key: 'sigmaMin', title: 'σ_min', format: 'scientific' },
      {
        key: 'rowsMeasured',
        title: 'rows measured',
        format: 'integer',
        about: 'rows computed again in double-double arithmetic',
      },
      {
        key: 'errorNorm',
        title: '‖E‖₂ ≤',
        format: 'scientific',
        about: 'square root of k times the largest error of a measured row',
      },
      { key: 'errorMargin', title: 'σ_min over it', format: 'number' },
      { key: 'perturbation', title: '‖X′ − X‖₂', format: 'scientific', about: 'pixels perturbed by 1e-13' },
      { key: 'perturbationMargin', title: 'σ_min over it', format: 'number' },
      {
        key: 'sigmaMinChange',
        title: 'change of σ_min',
        format: 'scientific',
        about: 'relative, after the perturbation',
      },
    ],
    {
      title: 'Is σ_min larger than the errors?',
      note: 'Weyl: no singular value moves by more than the 2-norm of the error. Where σ_min is larger than ‖E‖₂, the exact vectors of this subset are independent, as far as the rows that were measured speak for the others.',
    },
  );
}

/** Every subset of a small network, in double-double arithmetic. */
export function smallCopyTable(results: readonly SmallCopy[]): Table {
  return table(
    'small-copies',
    results.map((result) => ({ ...result })),
    [
      { key: 'system', title: 'Small copy' },
      { key: 'n' },
      { key: 'd' },
      { key: 'images', format: 'integer' },
      { key: 'subsets', title: 'd-subsets, all', format: 'integer' },
      { key: 'independent', title: 'independent, 32 digits', format: 'integer' },
      { key: 'smallestPivotRatio', title: 'smallest pivot ratio', format: 'scientific' },
      { key: 'independentAtFloat32', title: 'at float32’s tolerance', format: 'integer' },
    ],
    { title: 'Every subset of a small network' },
  );
}

/** The notebook's findings in words; Markdown, and the sentence to remember. */
export function precisionFindings(
  rechecks: readonly Recheck[],
  errors: readonly ForwardError[],
  copies: readonly SmallCopy[],
): Findings {
  const draws = rechecks.reduce((sum, one) => sum + one.draws, 0);
  const satisfied = rechecks.reduce((sum, one) => sum + one.satisfied, 0);
  const lowest = rechecks.reduce((a, b) => (a.sigmaRatio / a.tolerance < b.sigmaRatio / b.tolerance ? a : b));
  const margin = Math.min(...errors.map(({ sigmaMin, errorNorm }) => sigmaMin / errorNorm));
  const subsets = copies.reduce((sum, one) => sum + one.subsets, 0);
  const independent = copies.reduce((sum, one) => sum + one.independent, 0);
  return {
    headline: `In float64, ${satisfied} of ${draws} random d-subsets are independent, on other weights and images too; the smallest singular value is at least ${margin.toPrecision(2)} times the rounding error.`,
    all: [
      `Other weights, other images: **${satisfied} of ${draws}** random d-subsets are independent in float64; the smallest ratio seen, ${lowest.sigmaRatio.toExponential(1)} (${lowest.title}, ${lowest.change}), is ${(lowest.sigmaRatio / lowest.tolerance).toPrecision(2)} times what counts as zero.`,
      ...errors.map(
        (one) =>
          `${one.title}: the error of the float64 features, measured against 32 digits on ${one.rowsMeasured} rows, moves no singular value by more than ${one.errorNorm.toExponential(1)}; σ_min is ${one.sigmaMin.toExponential(1)}, **${(one.sigmaMin / one.errorNorm).toPrecision(2)} times** as much.`,
      ),
      `Small copies: **${independent} of ${subsets}** subsets, which are all there are, are independent to 32 digits.`,
    ]
      .map((sentence) => `- ${sentence}`)
      .join('\n'),
  };
}
