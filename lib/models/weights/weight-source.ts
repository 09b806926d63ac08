import type { Safetensors } from '../../data/files/safetensors';
import { InputError } from '../../input-error';

/** Named tensors that lie in a file or are drawn at random, read one by one: what is not asked for is never held. */
export interface WeightSource {
  /** For messages: the file, or what was drawn. */
  readonly origin: string;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** All numbers of one tensor, row-major; float64 only where the file holds float64. */
  read(name: string): Float32Array | Float64Array;
  /** Rows of a tensor `[rows, d]`, by their numbers, where they can be read without the others. */
  rows?(name: string, indices: readonly number[]): Float32Array | Float64Array;
}

/** The tensors that a network wants, by name. */
export type WantedShapes = ReadonlyMap<string, readonly number[]>;

/** A safetensors file as a source of weights. */
export function safetensorsWeights(file: Safetensors): WeightSource {
  return {
    origin: file.origin,
    shapes: new Map([...file.entries].map(([name, { shape }]) => [name, shape])),
    read: (name) => file.read(name),
    rows: (name, indices) => file.readRows(name, indices),
  };
}

/** Throws an {@link InputError} that lists every tensor that is wanted and that the source lacks or has in another shape. */
export function requireShapes(source: WeightSource, wanted: WantedShapes): void {
  const missing = [...wanted.keys()].filter((name) => !source.shapes.has(name));
  if (missing.length > 0) {
    throw new InputError(
      `${source.origin} lacks ${listed(missing)}, which the network needs; it may hold another model, ` +
        `or be one file of several`,
    );
  }
  const wrong = [...wanted].filter(([name, shape]) => String(source.shapes.get(name)) !== String(shape));
  if (wrong.length > 0) {
    const differences = wrong.map(
      ([name, shape]) => `${name} (expected [${shape.join(', ')}], got [${source.shapes.get(name)!.join(', ')}])`,
    );
    throw new InputError(`${source.origin} does not fit its configuration: wrong shape of ${listed(differences)}`);
  }
}

/**
 * The same tensors under other names: `rename` gives each stored name the one that the network knows.
 */
export function renamed(source: WeightSource, rename: (stored: string) => string): WeightSource {
  const stored = new Map<string, string>();
  for (const name of source.shapes.keys()) {
    const known = rename(name);
    const other = stored.get(known);
    if (other !== undefined) {
      throw new InputError(`${source.origin} holds ${known} twice, as ${other} and as ${name}`);
    }
    stored.set(known, name);
  }
  return {
    origin: source.origin,
    shapes: new Map([...stored].map(([known, name]) => [known, source.shapes.get(name)!])),
    read: (name) => source.read(stored.get(name) ?? name),
    rows: source.rows && ((name, indices) => source.rows!(stored.get(name) ?? name, indices)),
  };
}

/** At most eight names, then how many more there are. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}
