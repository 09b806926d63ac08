import { readFileSync } from 'node:fs';
import { InputError } from '../input-error';

/** The values of a JSON configuration, each checked when it is asked for. Without a default, a value must be there. */
export class Configuration {
  private readonly values: Record<string, unknown>;

  /** @param origin names the file in messages. Throws {@link InputError} unless `json` is an object. */
  constructor(
    readonly origin: string,
    json: unknown,
  ) {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw new InputError(`${origin}: expected a JSON object, got ${JSON.stringify(json)}`);
    }
    this.values = json as Record<string, unknown>;
  }

  get(key: string, fallback: unknown): unknown {
    return Object.hasOwn(this.values, key) && this.values[key] !== null ? this.values[key] : fallback;
  }

  string(key: string, fallback?: string): string {
    return this.checked(key, fallback, 'a string', (value): value is string => typeof value === 'string');
  }

  boolean(key: string, fallback?: boolean): boolean {
    return this.checked(key, fallback, 'true or false', (value): value is boolean => typeof value === 'boolean');
  }

  number(key: string, fallback?: number): number {
    return this.checked(key, fallback, 'a positive number', isPositive);
  }

  /** A whole number from 1. */
  count(key: string, fallback?: number): number {
    const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
    return this.checked(key, fallback, 'a whole number from 1', isCount);
  }

  /** Whether the key is there, if only with null. */
  has(key: string): boolean {
    return Object.hasOwn(this.values, key);
  }

  /** A positive number, or null for none; left out it is the default. */
  optionalNumber(key: string, fallback: number | null): number | null {
    const value = this.has(key) ? this.values[key] : fallback;
    return value === null ? null : this.number(key, fallback ?? undefined);
  }

  /** A configuration inside of this one; empty where there is none. */
  section(key: string): Configuration {
    return new Configuration(`${this.origin}: ${key}`, this.get(key, {}));
  }

  /** The same configuration with another value of one key. */
  with(key: string, value: unknown): Configuration {
    return new Configuration(this.origin, { ...this.values, [key]: value });
  }

  /** Refuses all values of a key but one, which is also its default. */
  only(key: string, value: unknown): void {
    const found = this.get(key, value);
    if (found !== value) {
      throw new InputError(`${this.origin}: expected ${key} ${JSON.stringify(value)}, got ${JSON.stringify(found)}`);
    }
  }

  /** d, and a number of heads that divides it. */
  heads(sizeKey: string, headsKey: string, size: number, heads: number): { hiddenSize: number; heads: number } {
    const read = { hiddenSize: this.count(sizeKey, size), heads: this.count(headsKey, heads) };
    if (read.hiddenSize % read.heads === 0) return read;
    throw new InputError(
      `${this.origin}: expected ${sizeKey} to be a multiple of ${headsKey} ${read.heads}, got ${read.hiddenSize}`,
    );
  }

  /** A whole number from 0. */
  index(key: string, fallback: number): number {
    const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
    return this.checked(key, fallback, 'a whole number from 0', isIndex);
  }

  /** Three positive numbers, one per colour. */
  triple(key: string, fallback?: [number, number, number]): [number, number, number] {
    const isTriple = (value: unknown): value is [number, number, number] =>
      Array.isArray(value) && value.length === 3 && value.every((entry) => typeof entry === 'number' && entry >= 0);
    return this.checked(key, fallback, 'three numbers', isTriple);
  }

  private checked<T>(key: string, fallback: T | undefined, expected: string, is: (value: unknown) => value is T): T {
    const value = this.get(key, fallback);
    if (is(value)) return value;
    throw new InputError(
      `${this.origin}: expected ${key} to be ${expected}, got ${JSON.stringify(value) ?? 'nothing'}`,
    );
  }
}

/** Reads a JSON file; throws {@link InputError} when it is missing or is not a JSON object. */
export function readConfiguration(path: string): Configuration {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new InputError(`${path} cannot be read: ${(error as Error).message}`);
  }
  try {
    return new Configuration(path, JSON.parse(text));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: expected JSON, got something else: ${(error as Error).message}`);
  }
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}
