/** How numbers, intervals and other cells of a table are written for people. */
import type { Cell, Column, Format } from './display';

const NOTHING = '–';
const THIN_SPACE = '\u2009';

/** The text of one cell. */
export function formatCell(value: Cell | undefined, format?: Format): string {
  if (typeof format === 'function') return format(value ?? null);
  if (value === null || value === undefined) return NOTHING;
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return formatNumber(value, format);
  const parts = value.map((part) => formatNumber(part, format));
  return parts.length === 2 ? `${parts[0]} to ${parts[1]}` : parts.join(', ');
}

/** The heading of a column. */
export function heading(column: Column): string {
  return column.title ?? column.key;
}

/** One number in one of the named formats. */
export function formatNumber(value: number, format: Exclude<Format, (value: Cell) => string> = 'number'): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  switch (format) {
    case 'integer':
      return grouped(Math.round(value));
    case 'fraction':
      return fraction(value);
    case 'scientific':
      return value === 0 ? '0' : value.toExponential(1).replace('e+', 'e').replace('-', minusOfMantissa);
    case 'times':
      return `${times(value)}×`;
    case 'seconds':
      return duration(value);
    default:
      return plainNumber(value);
  }
}

/** 0.42 s, 12.3 s, 4 min 10 s, 2 h 5 min. */
export function duration(seconds: number): string {
  if (seconds < 0.995) return `${trimmed(seconds, 2)} s`;
  if (seconds < 59.95) return `${trimmed(seconds, 3)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ''}`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
}

/** Only an exact 0 or 1 is written as such: 4999 of 5000 must not look like all of them. */
function fraction(value: number): string {
  if (Number.isInteger(value)) return String(value);
  for (let digits = 4; digits < 15; digits++) {
    const text = value.toFixed(digits);
    if (!Number.isInteger(Number(text))) return text.replace('-', '−');
  }
  return String(value);
}

function times(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e4 || (size < 1e-2 && size > 0)) return value.toExponential(0).replace('e+', 'e');
  return trimmed(value, 2);
}

function plainNumber(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value)) return size < 1e15 ? grouped(value) : value.toExponential(3);
  if (size < 1e-3 || size >= 1e6) return trimmedExponential(value);
  return size >= 1e4 ? grouped(Math.round(value)) : trimmed(value, 4).replace('-', '−');
}

function trimmedExponential(value: number): string {
  const [mantissa, exponent] = value.toExponential(3).split('e');
  return `${Number(mantissa)}e${exponent.replace('+', '')}`.replace('-', minusOfMantissa);
}

function trimmed(value: number, significant: number): string {
  return String(Number(value.toPrecision(significant)));
}

/** 12 345; four digits stay together. */
function grouped(value: number): string {
  const digits = String(Math.abs(value));
  const text = digits.length > 4 ? digits.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE) : digits;
  return value < 0 ? `−${text}` : text;
}

/** A typographic minus before the number; the one in the exponent stays what programs read. */
function minusOfMantissa(_: string, position: number): string {
  return position === 0 ? '−' : '-';
}
