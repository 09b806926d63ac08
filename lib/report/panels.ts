import type { Layout, Shape } from 'plotly.js';
import { groupBy } from '../statistics';
import { type LogAxis, stripShape } from './log-axis';
import { neutral } from './theme';

/** Panels that share what they show, one for each title. */
export interface Panels {
  /** `meta.panels` says how many there are and how high, for pages that stack them. */
  readonly layout: Partial<Layout>;
  /** The axes of one panel, as its traces name them. */
  axes(panel: number): { xaxis: string; yaxis: string };
  /** A dotted line across a panel, with a word at its end. */
  verticalLine(panel: number, x: number, label: string): void;
  horizontalLine(panel: number, y: number, label: string, color: string, side?: 'left' | 'right'): void;
  /** The strip for zeros of a logarithmic axis, where it has one. */
  zeros(panel: number, letter: 'x' | 'y', axis: LogAxis): void;
  /** A grey stretch between two values of x, with a word in it. */
  band(panel: number, from: number, to: number, label: string): void;
}

/** Results of the same system together, systems in the order in which they come: one panel for each. */
export function bySystem<T extends { readonly system: string }>(results: readonly T[]): T[][] {
  return [...groupBy(results, ({ system }) => system).values()];
}

/** Room between two rows of panels, and between the first and the legend, in pixels. */
const TITLE_AND_TICKS = 80;
const ABOVE = 46;

/**
 * Lays out one panel for each title, row by row; on a phone the report stacks them. `panelLayout` gives each panel's axes, and is told whether the panel is the last of
 * its column.
 */
export function panels(
  titles: readonly string[],
  panelHeight: number,
  panelLayout: (panel: number, isLast: boolean) => { xaxis: Partial<Layout['xaxis']>; yaxis: Partial<Layout['yaxis']> },
  columns = 1,
): Panels {
  const shapes: Partial<Shape>[] = [];
  const annotations: Partial<Layout['annotations'][number]>[] = [];
  const rows = Math.ceil(titles.length / columns);
  const layout: Record<string, unknown> = {
    grid: { rows, columns, pattern: 'independent', xgap: 0.16, ygap: Math.min(0.5, TITLE_AND_TICKS / panelHeight) },
    height: 130 + (panelHeight + 16) * rows,
    legend: { orientation: 'h', x: 0, y: 1 + ABOVE / ((panelHeight + 16) * rows), yanchor: 'bottom' },
    shapes,
    annotations,
    meta: { panels: { count: titles.length, height: panelHeight } },
  };
  const axis = (letter: 'x' | 'y', panel: number) => `${letter}${panel === 0 ? '' : panel + 1}`;
  const axes = (panel: number) => ({ xaxis: axis('x', panel), yaxis: axis('y', panel) });
  // plotly's own types know the first axis only.
  const x = (panel: number) => axis('x', panel) as Shape['xref'];
  const y = (panel: number) => axis('y', panel) as Shape['yref'];
  const across = (panel: number) => `${axis('x', panel)} domain` as Shape['xref'];
  const along = (panel: number) => `${axis('y', panel)} domain` as Shape['yref'];

  // On a logarithmic axis plotly places lines by the value and words by its logarithm.
  const logarithmic: boolean[] = [];
  titles.forEach((title, panel) => {
    const { xaxis, yaxis } = panelLayout(panel, panel >= titles.length - columns);
    logarithmic[panel] = xaxis.type === 'log';
    layout[axis('x', panel).replace('x', 'xaxis')] = xaxis;
    layout[axis('y', panel).replace('y', 'yaxis')] = yaxis;
    annotations.push({
      xref: across(panel),
      yref: along(panel),
      x: 0,
      y: 1,
      // above the words of the panel's lines
      yshift: 17,
      xanchor: 'left',
      yanchor: 'bottom',
      align: 'left',
      text: `<b>${title}</b>`,
      showarrow: false,
    });
  });
  return {
    layout: layout as Partial<Layout>,
    axes,
    verticalLine(panel, at, label) {
      const [xref, yref, line] = [x(panel), along(panel), { width: 1, dash: 'dot', color: neutral } as const];
      shapes.push({ type: 'line', xref, yref, x0: at, x1: at, y0: 0, y1: 1, line });
      const place = logarithmic[panel] ? Math.log10(at) : at;
      annotations.push({ xref, yref, x: place, y: 1, yanchor: 'bottom', text: label, showarrow: false });
    },
    horizontalLine(panel, at, label, color, side = 'right') {
      const [xref, yref, line] = [across(panel), y(panel), { width: 1.5, dash: 'dot', color } as const];
      shapes.push({ type: 'line', xref, yref, x0: 0, x1: 1, y0: at, y1: at, line });
      const place = { x: side === 'right' ? 1 : 0, y: Math.log10(at), xanchor: side, yanchor: 'bottom' } as const;
      annotations.push({ xref, yref, ...place, text: label, showarrow: false, font: { size: 11 } });
    },
    zeros(panel, letter, { strip }) {
      if (strip) shapes.push(stripShape(strip, letter, panel));
    },
    band(panel, from, to, label) {
      const [xref, yref] = [x(panel), along(panel)];
      const look = { line: { width: 0 }, fillcolor: 'rgba(128, 128, 128, 0.28)', layer: 'below' } as const;
      shapes.push({ type: 'rect', xref, yref, x0: from, x1: to, y0: 0, y1: 1, ...look });
      if (label === '') return;
      annotations.push({ xref, yref, x: (from + to) / 2, y: 0.5, text: label, showarrow: false, font: { size: 11 } });
    },
  };
}
