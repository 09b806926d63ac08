/** Parsers of option values. Each returns what the library takes, or throws an InputError that names the option. */
import { InputError } from '../input-error';
import type { Precision } from '../tensor';

type Parser<T> = (text: string) => T;

/** A whole number, at least `least`. */
export function wholeNumber(option: string, least: number): Parser<number> {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : NaN;
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InputError(`${option} expects a whole number of at least ${least}, got '${text}'`);
  };
}

/** Whole numbers, at least `least`, separated by commas. Duplicates are dropped; the order is kept. */
export function wholeNumbers(option: string, least: number): Parser<number[]> {
  return (text) => {
    const values = text.split(',').map((part) => (/^\s*[+-]?\d+\s*$/.test(part) ? Number(part) : NaN));
    if (values.every((value) => Number.isSafeInteger(value) && value >= least)) return [...new Set(values)];
    throw new InputError(`${option} expects whole numbers of at least ${least}, separated by commas, got '${text}'`);
  };
}

/** `float32`, `float64`, or a ratio strictly between 0 and 1. */
export function tolerance(option: string): Parser<Precision | number> {
  return (text) => {
    if (text === 'float32' || text === 'float64') return text;
    const value = text.trim() === '' ? NaN : Number(text);
    if (value > 0 && value < 1) return value;
    throw new InputError(`${option} expects float32, float64 or a number between 0 and 1, got '${text}'`);
  };
}

/** One of `words`. */
export function oneOf<T extends string>(option: string, words: readonly T[]): Parser<T> {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    throw new InputError(`${option} expects ${words.join(' or ')}, got '${text}'`);
  };
}
