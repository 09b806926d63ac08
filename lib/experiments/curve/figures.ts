import type { Data } from 'plotly.js';
import type { LayerCurve } from './measure';
import { curveFall, type KruskalCurve } from '../../rank';
import type { Precision } from '../../tensor';
import { figure, table, type Figure, type Table } from '../../report/display';
import { bySystem, panels } from '../../report/panels';
import { precisionColours } from '../../report/theme';

/** Where the paper's curve for random attention leaves 1 and reaches 0 (read off its notebook, k = 1, 11, …). */
const PAPER_FALL: Readonly<Record<string, readonly [number, number]>> = { 'random-attention': [230, 330] };

/**
 * The share of independent k-subsets for every k, one panel a system, one curve a precision, with 95 % bands, lines at
 * n and d, and the stretch in which the paper's own curve falls.
 */
export function kruskalCurveFigure(curves: readonly LayerCurve[]): Figure {
  const systems = bySystem(curves);
  const { layout, axes, verticalLine, band } = panels(
    systems.map(([{ title }]) => title),
    170,
    (panel, isLast) => ({
      xaxis: { range: [0, systems[panel][0].d * 1.03], ...(isLast && { title: { text: '<i>k</i>' } }) },
      yaxis: { range: [-0.03, 1.06], tickformat: '.0%', nticks: 4 },
    }),
  );
  const data: Partial<Data>[] = [];
  systems.forEach((same, panel) => {
    for (const { precision, curve } of same) {
      data.push(...curveTraces(curve, precision, { ...axes(panel), showlegend: panel === 0 }));
    }
    const [{ system, n, d }] = same;
    const fall = PAPER_FALL[system];
    if (fall) band(panel, ...fall, 'falls here<br>in the paper');
    verticalLine(panel, n, `<i>n</i> = ${n}`);
    verticalLine(panel, d, `<i>d</i> = ${d}`);
  });
  return figure({
    name: 'kruskal-curve',
    title: 'Share of independent k-subsets of the query vectors',
    alt:
      'One panel a system: the share of random k-subsets that are linearly independent, against k, at the tolerance of float32 and of float64. ' +
      curves.map((curve) => `${curve.title}, ${curve.precision}: ${fallText(curve)}`).join('; ') +
      '.',
    note: 'Bands: pointwise 95 % intervals. Every prefix of a random permutation is a random subset, so one permutation gives a verdict for every k.',
    data,
    layout,
  });
}

/** One curve and its 95 % band at the tolerance of `precision`; `own` goes to both (axes), `showlegend` to the curve. */
export function curveTraces(
  { points }: KruskalCurve,
  precision: Precision,
  own: { readonly showlegend?: boolean; readonly xaxis?: string; readonly yaxis?: string } = {},
): Partial<Data>[] {
  const color = precisionColours[precision];
  const common = { type: 'scatter', mode: 'lines', legendgroup: precision, ...own } as const;
  return [
    {
      ...common,
      name: `${precision} tolerance`,
      x: points.map(({ k }) => k),
      y: points.map(({ fraction }) => fraction),
      line: { width: 2, dash: precision === 'float32' ? 'solid' : 'dash', color },
      hovertemplate: `k = %{x}: %{y:.4f}<extra>${precision}</extra>`,
    } as Partial<Data>,
    {
      ...common,
      x: [...points.map(({ k }) => k), ...points.map(({ k }) => k).reverse()],
      y: [...points.map(({ ci95 }) => ci95[1]), ...points.map(({ ci95 }) => ci95[0]).reverse()],
      fill: 'toself',
      line: { width: 0, color },
      opacity: 0.3,
      hoverinfo: 'skip',
      showlegend: false,
    } as Partial<Data>,
  ];
}

/** The largest k with all subsets independent, with half of them, with any: one row a curve. */
export function kruskalCurveTable(curves: readonly LayerCurve[]): Table {
  return table(
    'kruskal-curve',
    curves.map(({ title, system, images, precision, n, d, curve }) => ({
      system,
      title,
      images,
      precision,
      n,
      d,
      permutations: curve.permutations,
      seed: curve.seed,
      ...curveFall(curve.points),
    })),
    [
      { key: 'title', title: 'System' },
      { key: 'precision' },
      { key: 'n' },
      { key: 'd' },
      { key: 'permutations', format: 'integer' },
      {
        key: 'allUpTo',
        title: 'all independent up to k',
        format: 'integer',
        about: 'largest k at which every subset drawn is independent',
      },
      {
        key: 'halfUpTo',
        title: 'half up to k',
        format: 'integer',
        about: 'largest k at which at least half of them are',
      },
      { key: 'someUpTo', title: 'any up to k', format: 'integer', about: 'largest k at which at least one is' },
    ],
    {
      title: 'Where the curves fall',
      note: 'A witness that fails at k proves that the Kruskal rank at that tolerance is below k; that none was found is an estimate.',
    },
  );
}

function fallText({ curve, d }: LayerCurve): string {
  const { allUpTo, someUpTo } = curveFall(curve.points);
  return allUpTo === d ? `all independent up to d = ${d}` : `all up to ${allUpTo}, none above ${someUpTo}`;
}
