/** How numbers, intervals and other cells are written for people, in tables, sentences and figures: the only place that knows. */

/** A cell: a number, a text, a yes or no, an interval or another short list of numbers, or nothing. */
export type Cell = number | string | boolean | null | readonly number[];

/** How a number is written. */
export type NumberFormat =
  /** Three significant digits: 0.125, 12.3, 1.19 × 10⁻⁷; whole numbers in full: 12 345. */
  | 'number'
  /** Rounded to a whole number: 12 345. */
  | 'integer'
  /** 0.9982: four decimals, but an exact 0 and 1 as `0` and `1`, so that "all" and "nearly all" look different. */
  | 'fraction'
  /** A fraction in per cent, by two digits: 83 %, 0.074 %; by four or more where it is nearly all: 99.82 %. */
  | 'percent'
  /** Two significant digits and a power of ten: 4.1 × 10⁻⁵. */
  | 'scientific'
  /** 12.3 s, 4 min 10 s */
  | 'seconds';

/** How the values of a column are written. */
export type Format = NumberFormat | ((value: Cell) => string);

const NOTHING = '–';
const THIN_SPACE = '\u2009';
const MINUS = '\u2212';
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

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

/** One number in one of the named formats. */
export function formatNumber(value: number, format: NumberFormat = 'number'): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${MINUS}∞`;
  switch (format) {
    case 'integer':
      return grouped(Math.round(value));
    case 'fraction':
      return fraction(value);
    case 'percent':
      return `${percent(value)} %`;
    case 'scientific':
      return powerOfTen(value, 2);
    case 'seconds':
      return duration(value);
    case 'number':
      return Number.isInteger(value) && Math.abs(value) < 1e15 ? grouped(value) : significant(value, 3);
  }
}

/** 0.42 s, 12.3 s, 4 min 10 s, 2 h 5 min. */
export function duration(seconds: number): string {
  if (seconds < 0.995) return `${significant(seconds, 2)} s`;
  if (seconds < 59.95) return `${significant(seconds, 3)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ''}`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
}

/** Only an exact 0 or 1 is written as such: 4999 of 5000 must not look like all of them. */
function fraction(value: number): string {
  for (let digits = 4; digits < 15 && !Number.isInteger(value); digits++) {
    const text = value.toFixed(digits);
    if (!Number.isInteger(Number(text))) return signed(text);
  }
  return signed(String(value));
}

function percent(share: number): string {
  for (let digits = 4; digits < 17 && share > 0.99 && share < 1; digits++) {
    const text = (100 * share).toPrecision(digits);
    if (Number(text) < 100) return text;
  }
  return significant(100 * share, 2);
}

/** So many significant digits; with a power of ten below 0.001 and from 10 000 on. */
function significant(value: number, digits: number): string {
  const size = Math.abs(value);
  if (size >= 1e4 || (size < 1e-3 && size > 0)) return powerOfTen(value, digits);
  return signed(String(Number(value.toPrecision(digits))));
}

function powerOfTen(value: number, digits: number): string {
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e');
  if (value === 0) return '0';
  if (Number(exponent) === 0) return signed(mantissa);
  const power = exponent
    .replace('+', '')
    .replace('-', '⁻')
    .replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)]);
  return `${signed(mantissa)} × 10${power}`;
}

/** 12 345; four digits stay together. */
function grouped(value: number): string {
  const digits = String(value);
  return signed(Math.abs(value) >= 1e4 ? digits.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE) : digits);
}

function signed(text: string): string {
  return text.replace('-', MINUS);
}
