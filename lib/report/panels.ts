import type { Layout, Shape } from 'plotly.js';
import { groupBy } from '../statistics';
import { neutral } from './theme';

/** A column of panels that share what they show, one for each system. */
export interface Panels {
  readonly layout: Partial<Layout>;
  /** The axes of one panel, as its traces name them. */
  axes(panel: number): { xaxis: string; yaxis: string };
  /** A dotted line across a panel, with a word at its end. */
  verticalLine(panel: number, x: number, label: string): void;
  horizontalLine(panel: number, y: number, label: string, color: string): void;
  /** A grey stretch between two values of x, with a word in it. */
  band(panel: number, from: number, to: number, label: string): void;
}

/** Results of the same system together, systems in the order in which they come: a panel each. */
export function bySystem<T extends { readonly system: string }>(results: readonly T[]): T[][] {
  return [...groupBy(results, ({ system }) => system).values()];
}

/** Lays out one panel a title, from top to bottom; `panelLayout` gives each panel's axes. */
export function panels(
  titles: readonly string[],
  panelHeight: number,
  panelLayout: (panel: number, isLast: boolean) => { xaxis: Partial<Layout['xaxis']>; yaxis: Partial<Layout['yaxis']> },
): Panels {
  const shapes: Partial<Shape>[] = [];
  const annotations: Layout['annotations'] = [];
  const suffix = (panel: number) => (panel === 0 ? '' : `${panel + 1}`);
  const axes = (panel: number) => ({ xaxis: `x${suffix(panel)}`, yaxis: `y${suffix(panel)}` });
  // plotly's own types know the first axis only.
  const x = (panel: number) => axes(panel).xaxis as Shape['xref'];
  const y = (panel: number) => axes(panel).yaxis as Shape['yref'];
  const across = (panel: number) => `${axes(panel).xaxis} domain` as Shape['xref'];
  const along = (panel: number) => `${axes(panel).yaxis} domain` as Shape['yref'];

  const layout: Record<string, unknown> = {
    grid: { rows: titles.length, columns: 1, pattern: 'independent', ygap: 0.5 },
    height: 130 + (panelHeight + 16) * titles.length,
    legend: { orientation: 'h', x: 0, y: 1 + 0.3 / titles.length, yanchor: 'bottom' },
    shapes,
    annotations,
  };
  // On a logarithmic axis plotly places lines by the value and words by its logarithm.
  const logarithmic: boolean[] = [];
  titles.forEach((title, panel) => {
    const own = panelLayout(panel, panel === titles.length - 1);
    logarithmic[panel] = own.xaxis.type === 'log';
    layout[`xaxis${suffix(panel)}`] = own.xaxis;
    layout[`yaxis${suffix(panel)}`] = own.yaxis;
    annotations.push({
      xref: across(panel),
      yref: along(panel),
      x: 0,
      y: 1,
      // above the words of the panel's lines
      yshift: 17,
      xanchor: 'left',
      yanchor: 'bottom',
      text: `<b>${title}</b>`,
      showarrow: false,
    });
  });
  return {
    layout: layout as Partial<Layout>,
    axes,
    verticalLine(panel, at, label) {
      const line = { width: 1, dash: 'dot', color: neutral } as const;
      shapes.push({ type: 'line', xref: x(panel), yref: along(panel), x0: at, x1: at, y0: 0, y1: 1, line });
      annotations.push({
        xref: x(panel),
        yref: along(panel),
        x: logarithmic[panel] ? Math.log10(at) : at,
        y: 1,
        yanchor: 'bottom',
        text: label,
        showarrow: false,
      });
    },
    horizontalLine(panel, at, label, color) {
      const line = { width: 1.5, dash: 'dot', color } as const;
      shapes.push({ type: 'line', xref: across(panel), yref: y(panel), x0: 0, x1: 1, y0: at, y1: at, line });
      annotations.push({
        xref: across(panel),
        yref: y(panel),
        x: 1,
        y: Math.log10(at),
        xanchor: 'right',
        yanchor: 'bottom',
        text: label,
        showarrow: false,
        font: { size: 11 },
      });
    },
    band(panel, from, to, label) {
      shapes.push({
        type: 'rect',
        xref: x(panel),
        yref: along(panel),
        x0: from,
        x1: to,
        y0: 0,
        y1: 1,
        line: { width: 0 },
        fillcolor: 'rgba(128, 128, 128, 0.28)',
        layer: 'below',
      });
      if (label !== '') {
        annotations.push({
          xref: x(panel),
          yref: along(panel),
          x: (from + to) / 2,
          y: 0.5,
          text: label,
          showarrow: false,
          font: { size: 11 },
        });
      }
    },
  };
}
