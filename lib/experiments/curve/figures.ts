import type { Data } from 'plotly.js';
import type { LayerCurve } from './measure';
import { curveFall, type KruskalCurve } from '../../rank';
import type { Precision } from '../../tensor';
import { paperFall } from '../paper';
import { figure, type Figure } from '../../report/display';
import { formatCell, formatNumber } from '../../report/format';
import { bySystem, panels } from '../../report/panels';
import { precisionColours } from '../../report/theme';
import { trace } from '../../report/traces';

/**
 * The share of independent k-subsets for every k, one panel per system, one curve per precision, with 95 % bands, lines
 * at n and d, and the stretch in which the paper's own curve falls.
 */
export function kruskalCurveFigure(curves: readonly LayerCurve[]): Figure {
  const systems = bySystem(curves);
  const { layout, axes, verticalLine, band } = panels(
    systems.map(([{ title }]) => title),
    170,
    (panel, isLast) => ({
      xaxis: { range: [0, systems[panel][0].d * 1.03], ...(isLast && { title: { text: '<i>k</i>' } }) },
      yaxis: { range: [-0.03, 1.06], tickformat: '.0%', nticks: 4, title: { text: 'independent' } },
    }),
  );
  const data: Partial<Data>[] = [];
  systems.forEach((same, panel) => {
    for (const { precision, curve } of same) {
      data.push(...curveTraces(curve, precision, { ...axes(panel), showlegend: panel === 0 }));
    }
    const [{ system, n, d }] = same;
    const fall = paperFall(system);
    if (fall) band(panel, ...fall, 'falls here<br>in the paper');
    verticalLine(panel, n, `<i>n</i> = ${n}`);
    verticalLine(panel, d, `<i>d</i> = ${d}`);
  });
  return figure({
    name: 'kruskal-curve',
    title: 'Share of independent k-subsets of the query vectors',
    alt:
      'For each system, the share of random k-subsets that are linearly independent, against k, at the tolerance of float32 and of float64. ' +
      curves.map((curve) => `${curve.title}, ${curve.precision}: ${fallText(curve)}`).join('; ') +
      '.',
    note: 'Bands: pointwise 95 % intervals. Every prefix of a random permutation is a random subset, so one permutation gives a verdict for every k.',
    data,
    layout,
  });
}

/** One curve and its 95 % band at the tolerance of `precision`; `own` goes to both (axes), `showlegend` to the curve. */
export function curveTraces(
  { points, permutations }: KruskalCurve,
  precision: Precision,
  own: { readonly showlegend?: boolean; readonly xaxis?: string; readonly yaxis?: string } = {},
): Partial<Data>[] {
  const color = precisionColours[precision];
  const ks = points.map(({ k }) => k);
  const common = { mode: 'lines', legendgroup: precision, ...own } as const;
  return [
    trace({
      ...common,
      name: `${precision} tolerance`,
      x: ks,
      y: points.map(({ fraction }) => fraction),
      line: { width: 2, dash: precision === 'float32' ? 'solid' : 'dash', color },
      hover: `k = %{x}: {value}<extra>${precision}</extra>`,
      values: points.map(({ fraction, ci95 }) => {
        const share = `${formatNumber(fraction, 'fraction')} of ${formatNumber(permutations)} random k-subsets`;
        return `${share}<br>95 %: ${formatCell(ci95, 'fraction')}`;
      }),
    }),
    trace({
      ...common,
      x: [...ks, ...[...ks].reverse()],
      y: [...points.map(({ ci95 }) => ci95[1]), ...points.map(({ ci95 }) => ci95[0]).reverse()],
      fill: 'toself',
      line: { width: 0, color },
      opacity: 0.3,
      hover: null,
      showlegend: false,
    }),
  ];
}

function fallText({ curve, d }: LayerCurve): string {
  const { allUpTo, someUpTo } = curveFall(curve.points);
  return allUpTo === d ? `all independent up to d = ${d}` : `all up to ${allUpTo}, none above ${someUpTo}`;
}
