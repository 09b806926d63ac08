/** Logarithmic axes on which zeros have a place: a strip of their own beyond the smallest value, never a made-up number. */
import type { Layout, Shape } from 'plotly.js';

type Axis = Partial<Layout['xaxis']>;

export interface LogAxis {
  /** Range, ticks and their texts, for plotly. */
  readonly axis: Axis;
  /** Where a value is drawn: zeros in the middle of their strip. */
  place(value: number): number;
  /** The ends of the strip for zeros, as values of the axis; null where there is none. */
  readonly strip: readonly [number, number] | null;
}

/** Ticks of an axis, at most. */
const TICKS = 8;

/**
 * An axis for these values; what is not greater than `zero` counts as zero. `shown` are other values that must be in sight, such
 * as tolerances.
 *
 * @throws Error for a negative value
 */
export function logAxis(
  values: readonly number[],
  { zero = 0, shown = [] }: { readonly zero?: number; readonly shown?: readonly number[] } = {},
): LogAxis {
  const negative = values.find((value) => value < 0);
  if (negative !== undefined) throw new Error(`expected values that are not negative, got ${negative}`);
  const powers = [...values, ...shown].filter((value) => value > zero && value < Infinity).map(Math.log10);
  const low = powers.length > 0 ? Math.floor(Math.min(...powers) - 0.1) : -1;
  const high = powers.length > 0 ? Math.max(Math.ceil(Math.max(...powers) + 0.1), low + 1) : 0;
  const width = Math.max(0.07 * (high - low), 0.25);
  const hasZero = values.some((value) => value <= zero);
  const step = Math.ceil((high - low) / TICKS);
  const middle = low - width;
  // A tick beside the strip would leave no room for its 0.
  const nearest = hasZero ? middle + 0.12 * (high - low) : low;
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => high - i).filter(
    (power) => power % step === 0 && power >= nearest,
  );
  return {
    axis: {
      type: 'log',
      range: [hasZero ? low - 1.5 * width : low, high],
      tickvals: [...(hasZero ? [10 ** middle] : []), ...ticks.map((power) => 10 ** power)],
      ticktext: [...(hasZero ? ['0'] : []), ...ticks.map(powerText)],
    },
    place: (value) => (value > zero ? value : 10 ** middle),
    strip: hasZero ? [10 ** (low - 1.5 * width), 10 ** (low - width / 2)] : null,
  };
}

function powerText(power: number): string {
  if (power === 0 || power === 1) return String(10 ** power);
  return `10<sup>${power < 0 ? '−' : ''}${Math.abs(power)}</sup>`;
}

/** The strip as a shape across the whole of a panel. */
export function stripShape([from, to]: readonly [number, number], letter: 'x' | 'y', panel = 0): Partial<Shape> {
  const suffix = panel === 0 ? '' : String(panel + 1);
  const along = `${letter}${suffix}` as Shape['xref'];
  const across = `${letter === 'x' ? 'y' : 'x'}${suffix} domain` as Shape['yref'];
  const look = { type: 'rect', line: { width: 0 }, fillcolor: 'rgba(128, 128, 128, 0.18)', layer: 'below' } as const;
  return letter === 'x'
    ? { ...look, xref: along, yref: across as Shape['yref'], x0: from, x1: to, y0: 0, y1: 1 }
    : { ...look, xref: across as Shape['xref'], yref: along as Shape['yref'], x0: 0, x1: 1, y0: from, y1: to };
}
