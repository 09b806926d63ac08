import type { Data, PlotData } from 'plotly.js';
import { formatNumber, type NumberFormat } from './format';

/** plotly's trace, and how it speaks when the pointer rests on a point. */
export interface Trace extends Omit<Partial<PlotData>, 'hovertemplate' | 'customdata' | 'x' | 'y' | 'values'> {
  readonly x: readonly (number | string)[];
  readonly y: readonly (number | string | null)[];
  /** In plotly's syntax; `{value}` is what `values` holds for the point. None where null. */
  readonly hover?: string | null;
  /** What the hover text says of each point, numbers in one of the named formats; default: y. */
  readonly values?: readonly (number | string | null)[];
  readonly format?: NumberFormat;
}

/** A trace of the type `scatter` whose points and name belong together in the legend, where it says nothing else. */
export function trace({ hover = '%{x}: {value}', values, format, ...own }: Trace): Partial<Data> {
  const said = (values ?? own.y).map((value) => (typeof value === 'number' ? formatNumber(value, format) : value));
  const template = `${hover}${hover?.includes('<extra>') ? '' : '<extra></extra>'}`.replace('{value}', '%{customdata}');
  return {
    type: 'scatter',
    legendgroup: own.name,
    ...own,
    ...(hover === null ? { hoverinfo: 'skip' } : { customdata: said, hovertemplate: template }),
  } as Partial<Data>;
}
