import type { Data } from 'plotly.js';
import type { LayerSpectra, ToleranceSweep } from './spectra';
import type { Precision } from '../../tensor';
import { figure, type Figure } from '../../report/display';
import { formatNumber } from '../../report/format';
import { logAxis } from '../../report/log-axis';
import { bySystem, panels } from '../../report/panels';
import { precisionColours } from '../../report/theme';
import { trace } from '../../report/traces';

const precisions: readonly Precision[] = ['float32', 'float64'];

/** sigma_i / sigma_1 of random d-subsets, one panel per system, with what each precision counts as zero. */
export function spectrumFigure(results: readonly LayerSpectra[]): Figure {
  const systems = bySystem(results);
  const scales = systems.map((same) =>
    logAxis(
      same.flatMap(({ spectra }) => spectra.flat()),
      { shown: same.map(({ tolerance }) => tolerance) },
    ),
  );
  const { layout, axes, horizontalLine, zeros } = panels(
    systems.map(([{ title }]) => title),
    330,
    (panel, isLast) => ({
      xaxis: { range: [0, systems[panel][0].d * 1.02], ...(isLast && { title: { text: '<i>i</i>' } }) },
      yaxis: { ...scales[panel].axis, title: { text: 'σ<sub><i>i</i></sub>/σ<sub>1</sub>' } },
    }),
    Math.min(systems.length, 2),
  );
  const data: Partial<Data>[] = [];
  systems.forEach((same, panel) => {
    for (const { precision, spectra, d, tolerance } of same) {
      spectra.forEach((values, draw) =>
        data.push(
          trace({
            mode: 'lines',
            name: `${precision} features`,
            showlegend: panel === 0 && draw === 0,
            x: values.map((_, index) => index + 1),
            y: values.map(scales[panel].place),
            line: { width: 1.5, dash: precision === 'float32' ? 'solid' : 'dash', color: precisionColours[precision] },
            hover: `i = %{x} of ${d}: σ<sub>i</sub>/σ<sub>1</sub> = {value}<br>random subset ${draw + 1} of ${spectra.length}<extra>${precision} features</extra>`,
            values,
            format: 'scientific',
            ...axes(panel),
          }),
        ),
      );
      horizontalLine(panel, tolerance, `below: zero in ${precision}`, precisionColours[precision]);
    }
    zeros(panel, 'y', scales[panel]);
  });
  return figure({
    name: 'spectra',
    title: 'Singular values of random d-subsets',
    alt:
      'For each system, singular values over the largest, on a logarithmic axis, of float32 and of float64 features, with the two tolerances as lines. ' +
      results.map((one) => `${one.title}, ${one.precision}: smallest ratio ${smallest(one)}`).join('; ') +
      '.',
    note: 'All singular values are computed in float64. Where the float32 features part from the float64 ones, float32’s own rounding shows. A grey strip holds singular values that are exactly 0.',
    data,
    layout,
  });
}

function smallest({ spectra }: LayerSpectra): string {
  return formatNumber(Math.min(...spectra.map((values) => values[values.length - 1])), 'scientific');
}

/** The share of independent subsets as a function of what counts as zero: k = d and k = n, one panel per system. */
export function toleranceFigure(results: readonly ToleranceSweep[]): Figure {
  const systems = bySystem(results);
  const { layout, axes, verticalLine } = panels(
    systems.map(([{ title }]) => title),
    200,
    (_, isLast) => ({
      xaxis: {
        type: 'log',
        range: [-18, -1],
        dtick: 4,
        ...(isLast && { title: { text: 'ratio to σ<sub>max</sub> that counts as zero (rtol)' } }),
      },
      yaxis: { range: [-0.05, 1.05], tickformat: '.0%', nticks: 3, title: { text: 'independent' } },
    }),
    Math.min(systems.length, 2),
  );
  const data: Partial<Data>[] = [];
  systems.forEach((same, panel) => {
    for (const sweep of same) {
      for (const [name, test] of [
        ['k = d', sweep.generalPosition],
        ['k = n', sweep.assumption1],
      ] as const) {
        const ratios = test.sigmaRatio.values.filter((value) => value > 0).sort((a, b) => a - b);
        const share = (left: number) => left / test.sigmaRatio.values.length;
        // A subset is independent at every rtol below its own ratio; with a ratio of 0 it is at none.
        const x = [1e-18, ...ratios.flatMap((ratio) => [ratio, ratio]), 1];
        const y = [
          share(ratios.length),
          ...ratios.flatMap((_, i) => [share(ratios.length - i), share(ratios.length - i - 1)]),
          0,
        ];
        const color = precisionColours[sweep.precision];
        data.push(
          trace({
            mode: 'lines',
            name: `${name}, ${sweep.precision} features`,
            showlegend: panel === 0,
            x,
            y,
            line: { width: 2, color, dash: name === 'k = d' ? 'solid' : 'dot' },
            hover: `rtol {value} of ${formatNumber(test.draws)} random subsets independent<extra>${name}, ${sweep.precision} features</extra>`,
            values: x.map((rtol, i) => `${formatNumber(rtol, 'scientific')}: ${formatNumber(y[i], 'percent')}`),
            ...axes(panel),
          }),
        );
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
      'For each system, the share of random subsets that are independent, against the ratio that counts as zero, for k = d and k = n in both precisions; vertical lines at the tolerance of float32 and of float64. ' +
      'The share falls from 1 to 0 within a narrow range of tolerances.',
    note: 'Vertical lines: max(k, d) times the spacing of float32 and float64 numbers at 1, the usual tolerances.',
    data,
    layout,
  });
}
