/**
 * How figures look: one plotly template for light pages and one for dark ones, and colours that people with any kind of
 * colour vision tell apart.
 */
import type { Config, Layout, Template } from 'plotly.js';

/**
 * The colours of traces, in order: Okabe and Ito's blue and vermilion, and others chosen to be as far from them and from
 * each other as they can be with normal vision, protanopia and deuteranopia, at a contrast of at least 3 to 1 with the
 * white and with the dark page, so that lines are seen on both. test/report/theme.test.ts holds the numbers.
 */
export const colours: readonly string[] = ['#0072B2', '#D55E00', '#00947B', '#7A38FF', '#C3223D', '#4C88FF'];

/** float32 and float64 look the same in every figure. */
export const precisionColours = { float32: '#0072B2', float64: '#D55E00' } as const;

/**
 * One colour has one meaning in all figures: blue and vermilion are the two precisions, and the others never stand for one. What
 * is measured in one precision only differs by its marks, not by colour.
 */
export const meanings = {
  ...precisionColours,
  trained: '#00947B',
  sharedContexts: '#7A38FF',
  ownContexts: '#C3223D',
  attention: '#4C88FF',
} as const;

/** For what others are compared with: the paper's values, thresholds, tolerances. Visible on light and on dark pages. */
export const neutral = '#7A7F87';

/** plotly's buttons above a figure: none that sends it to plotly's servers. */
export const modeBar: Partial<Config> = {
  showSendToCloud: false,
  displaylogo: false,
  modeBarButtonsToRemove: ['lasso2d', 'select2d'],
};

/** A legend in one line above the figure. */
export const legendAbove = { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom' } as const;

/** A logarithmic axis of sigma_min / sigma_max. */
export const sigmaAxis = { type: 'log', title: { text: 'σ<sub>min</sub> / σ<sub>max</sub>' } } as const;

/** The pages' own colours, for plotly and for the report's style sheet. */
export const pages = {
  light: { background: '#FFFFFF', text: '#1F2328', faint: '#59636E', grid: '#E4E7EB', line: '#8C959F' },
  dark: { background: '#15181C', text: '#E6E8EB', faint: '#A0A8B2', grid: '#2B3036', line: '#6E7781' },
} as const;

const SYMBOLS = ['circle', 'square', 'diamond', 'cross', 'triangle-up', 'x'] as const;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/** plotly's template for one kind of page. Traces differ by marker as well as by colour. */
export function template(page: keyof typeof pages): Template {
  const { background, text, faint, grid, line } = pages[page];
  const axis: Partial<Layout['xaxis']> = {
    showline: true,
    linecolor: line,
    ticks: 'outside',
    tickcolor: line,
    gridcolor: grid,
    zeroline: false,
    automargin: true,
    // 10⁻⁵, as the formatter writes it.
    exponentformat: 'power',
    title: { font: { size: 13, color: text }, standoff: 10 },
    tickfont: { color: faint },
  };
  const layout: Partial<Layout> = {
    font: { family: FONT, size: 13, color: text },
    title: { x: 0, xref: 'paper', xanchor: 'left', font: { size: 15, color: text } },
    paper_bgcolor: background,
    plot_bgcolor: background,
    colorway: [...colours],
    xaxis: axis,
    yaxis: axis,
    legend: { bgcolor: 'rgba(0,0,0,0)', font: { color: text } },
    margin: { l: 60, r: 24, t: 48, b: 52 },
    hovermode: 'closest',
    hoverlabel: { font: { family: FONT } },
    bargap: 0.15,
  };
  return {
    layout,
    data: { scatter: SYMBOLS.map((symbol) => ({ type: 'scatter', marker: { symbol, size: 7 } })) },
  };
}
