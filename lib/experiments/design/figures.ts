import type { Data } from 'plotly.js';
import { bestOf, nameOf, sharings, type FittedDesign, type MeasuredDesign } from './measure';
import { figure, type Figure } from '../../report/display';
import { formatNumber } from '../../report/format';
import { panels } from '../../report/panels';
import { meanings } from '../../report/theme';
import { trace } from '../../report/traces';

/** One panel: a budget and a kind of context. */
export interface DesignPanel {
  readonly title: string;
  readonly measured: readonly MeasuredDesign[];
}

const symbols = ['circle', 'square', 'diamond'] as const;
/** Panels are of one kind of context, so that the colours of the two kinds are free here. */
const sharingColours = [meanings.attention, meanings.sharedContexts, meanings.ownContexts];

/**
 * Dimension against head size for each way to share keys and values, a panel for each budget and kind of context, three in a
 * row; dashed, what float32 leaves of it; open marks, exact capacities.
 */
export function designFigure(all: readonly DesignPanel[], fitted: readonly FittedDesign[]): Figure {
  const { layout, axes } = panels(
    all.map(({ title }) => title),
    280,
    (panel) => ({
      xaxis: { type: 'category', title: { text: panel >= all.length - 3 ? 'head size <i>d<sub>h</sub></i>' : '' } },
      yaxis: { type: 'log', dtick: 'D1', title: { text: panel % 3 === 0 ? 'dimension' : '' } },
    }),
    Math.min(3, all.length),
  );
  return figure({
    name: 'designs',
    title: 'What equal budgets compute, by head size and sharing of keys and values',
    alt:
      `${all.length} panels of dimension against head size for multi-head, grouped-query and multi-query attention. ` +
      all.map(({ title, measured }) => `${title}: most by dimension ${bestText(measured)}`).join('; ') +
      '.',
    note:
      'Solid: dimension, with as many heads as the budget allows. Dashed: the part of it that float32 tells from rounding at random weights. Open marks: exact capacities, random labels fitted to 1e-8. ' +
      'To choose: take the panel of your budget, the highest solid line that float32, if you train in it, does not take away, and read sharing and head size.',
    data: all.flatMap(({ measured }, panel) =>
      panelTraces(measured, fitted, { ...axes(panel), showlegend: panel === 0 }),
    ),
    layout: { ...layout, grid: { ...layout.grid, xgap: 0.12, ygap: 0.32 } },
  });
}

function bestText(measured: readonly MeasuredDesign[]): string {
  const { best, near } = bestOf(measured);
  const others = near.length === 0 ? '' : `, ${near.length} more within 5 %`;
  return `${formatNumber(best.dimension)} (${nameOf(best)}${others})`;
}

function panelTraces(
  measured: readonly MeasuredDesign[],
  fitted: readonly FittedDesign[],
  place: object,
): Partial<Data>[] {
  const sizes = [...new Set(measured.map(({ layer }) => layer.headSize))].sort((a, b) => a - b);
  return sharings.flatMap((sharing, i) => {
    const own = sizes.flatMap(
      (size) => measured.find((one) => one.sharing === sharing && one.layer.headSize === size) ?? [],
    );
    if (own.length === 0) return [];
    const exact = own.flatMap((one) => {
      const found = fitted.find(({ layer }) => JSON.stringify(layer) === JSON.stringify(one.layer));
      return found === undefined ? [] : [found];
    });
    const x = own.map(({ layer }) => String(layer.headSize));
    const color = sharingColours[i];
    const text = own.map((one) => `${nameOf(one)}; ${formatNumber(one.weights)} weights, cache ${one.cache} a token`);
    const symbol = symbols[i];
    return [
      trace({
        ...place,
        mode: 'lines+markers',
        name: sharing,
        x,
        y: own.map(({ dimension }) => dimension),
        text,
        line: { color, width: 2 },
        marker: { color, symbol },
        hover: '%{text}: {value}<extra>dimension</extra>',
      }),
      trace({
        ...place,
        mode: 'lines',
        name: `${sharing}, with rounding`,
        x,
        y: own.map(({ rankAtFloat32 }) => rankAtFloat32),
        text,
        line: { color, width: 1.5, dash: 'dash' },
        hover: '%{text}: {value}<extra>at float32’s tolerance</extra>',
      }),
      trace({
        ...place,
        mode: 'markers',
        name: `${sharing}, fitted exactly`,
        x: exact.map(({ layer }) => String(layer.headSize)),
        y: exact.map(({ fittedAt }) => fittedAt),
        text: exact.map((one) => `${nameOf(one)}; not fitted at ${one.notFittedAt}`),
        marker: { symbol: `${symbol}-open`, size: 13, color, line: { width: 2 } },
        hover: '%{text}: {value}<extra>fitted exactly</extra>',
      }),
    ];
  });
}
