import type { Data, Layout, Shape } from 'plotly.js';
import type { LayerCurve } from '../curves';
import type { KruskalCurve } from '../rank';
import { figure, table, type Figure, type Table } from './display';
import { precisionColours } from './theme';

/** Where the paper's curve for random attention leaves 1 and reaches 0 (read off its notebook, k = 1, 11, …). */
const PAPER_FALL: Readonly<Record<string, readonly [number, number]>> = { 'random-attention': [230, 330] };

/**
 * The share of independent k-subsets for every k, one panel a system, one curve a precision, with 95 % bands, lines at
 * n and d, and the stretch in which the paper's own curve falls.
 */
export function kruskalCurveFigure(curves: readonly LayerCurve[]): Figure {
  const systems = [...new Set(curves.map(({ system }) => system))];
  const data: Partial<Data>[] = [];
  const shapes: Partial<Shape>[] = [];
  const annotations: Layout['annotations'] = [];
  const layout: Partial<Layout> & Record<string, unknown> = {
    grid: { rows: systems.length, columns: 1, pattern: 'independent', ygap: 0.4 },
    height: 110 + 170 * systems.length,
    legend: { orientation: 'h', y: 1.02, yanchor: 'bottom' },
    shapes,
    annotations,
  };
  systems.forEach((system, index) => {
    const axis = index === 0 ? '' : `${index + 1}`;
    const same = curves.filter((named) => named.system === system);
    const { title, n, d } = same[0];
    const x = `x${axis}` as Shape['xref'];
    const y = `y${axis} domain` as Shape['yref'];
    for (const { precision, curve } of same) {
      const ks = curve.points.map(({ k }) => k);
      const common = { x: ks, xaxis: `x${axis}`, yaxis: `y${axis}`, legendgroup: precision, type: 'scatter' } as const;
      data.push(
        {
          ...common,
          name: `${precision} tolerance`,
          showlegend: index === 0,
          mode: 'lines',
          y: curve.points.map(({ fraction }) => fraction),
          line: { width: 2, dash: precision === 'float32' ? 'solid' : 'dash', color: precisionColours[precision] },
          hovertemplate: 'k = %{x}: %{y:.4f}<extra>' + precision + '</extra>',
        } as Partial<Data>,
        {
          ...common,
          x: [...ks, ...[...ks].reverse()],
          y: [...curve.points.map(({ ci95 }) => ci95[1]), ...curve.points.map(({ ci95 }) => ci95[0]).reverse()],
          mode: 'lines',
          fill: 'toself',
          line: { width: 0, color: precisionColours[precision] },
          opacity: 0.3,
          hoverinfo: 'skip',
          showlegend: false,
        } as Partial<Data>,
      );
    }
    for (const [at, name] of [
      [n, 'n'],
      [d, 'd'],
    ] as const) {
      shapes.push({
        type: 'line',
        xref: x,
        yref: y,
        x0: at,
        x1: at,
        y0: 0,
        y1: 1,
        line: { width: 1, dash: 'dot', color: 'gray' },
      });
      annotations.push({
        xref: x,
        yref: y,
        x: at,
        y: 1,
        yanchor: 'bottom',
        text: `<i>${name}</i> = ${at}`,
        showarrow: false,
      });
    }
    const fall = PAPER_FALL[system];
    if (fall) {
      shapes.push({
        type: 'rect',
        xref: x,
        yref: y,
        x0: fall[0],
        x1: fall[1],
        y0: 0,
        y1: 1,
        line: { width: 0 },
        fillcolor: 'rgba(128, 128, 128, 0.25)',
        layer: 'below',
      });
      annotations.push({
        xref: x,
        yref: y,
        x: (fall[0] + fall[1]) / 2,
        y: 0.5,
        text: 'falls here<br>in the paper',
        showarrow: false,
        font: { size: 11 },
      });
    }
    annotations.push({
      xref: `x${axis} domain` as Shape['xref'],
      yref: y,
      x: 0.1,
      y: 1.01,
      xanchor: 'left',
      yanchor: 'bottom',
      text: `<b>${title}</b>`,
      showarrow: false,
    });
    layout[`xaxis${axis}`] = { range: [0, d * 1.03], title: index === systems.length - 1 ? { text: 'k' } : undefined };
    layout[`yaxis${axis}`] = { range: [-0.03, 1.06], tickformat: '.0%', nticks: 4 };
  });
  return figure({
    name: 'kruskal-curve',
    title: 'Share of independent k-subsets of the query vectors',
    alt:
      'One panel a system: the share of random k-subsets that are linearly independent, against k, at the tolerance of float32 and of float64. ' +
      curves.map((named) => `${named.title}, ${named.precision}: ${fallText(named)}`).join('; ') +
      '.',
    note: 'Bands: pointwise 95 % intervals. Every prefix of a random permutation is a random subset, so one permutation gives a verdict for every k.',
    data,
    layout,
  });
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
      ...falls(curve),
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

function falls({ points }: KruskalCurve): { allUpTo: number; halfUpTo: number; someUpTo: number } {
  const last = (holds: (fraction: number) => boolean) =>
    points.reduce((best, { k, fraction }) => (holds(fraction) ? Math.max(best, k) : best), 0);
  return {
    allUpTo: last((fraction) => fraction === 1),
    halfUpTo: last((fraction) => fraction >= 0.5),
    someUpTo: last((fraction) => fraction > 0),
  };
}

function fallText({ curve, d }: LayerCurve): string {
  const { allUpTo, someUpTo } = falls(curve);
  return allUpTo === d ? `all independent up to d = ${d}` : `all up to ${allUpTo}, none above ${someUpTo}`;
}
