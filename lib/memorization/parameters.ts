import { randomSource } from '../tensor';
import type { Layer, Setting } from './config';

/** The arrays of one model, in the order in which they lie behind each other in its parameter vector. */
export const parameterNames = ['embedding', 'query', 'key', 'value', 'output', 'decoder', 'decoderBias'] as const;
export type ParameterName = (typeof parameterNames)[number];

/** A setting of the paper's, or a layer with another d_v or G. */
type Model = Setting & Partial<Layer>;

/**
 * Shapes: embedding [d + 1, d] (its last row is the bias), query [H, d, d_h], key [G, d, d_h], value [G, d], or [G, d, d_v]
 * with d_v above 1, output [H d_v, d], decoder [d, C], decoderBias [C]; G = H and d_v = 1 in a setting of the paper's.
 */
export function parameterShapes(model: Model): Readonly<Record<ParameterName, readonly number[]>> {
  const { heads, width, headSize, classes, valueSize = 1, keyValueHeads = heads } = model;
  return {
    embedding: [width + 1, width],
    query: [heads, width, headSize],
    key: [keyValueHeads, width, headSize],
    value: valueSize === 1 ? [keyValueHeads, width] : [keyValueHeads, width, valueSize],
    output: [heads * valueSize, width],
    decoder: [width, classes],
    decoderBias: [classes],
  };
}

/** The length of each array of {@link parameterShapes}, in order. */
export function parameterSizes(model: Model): number[] {
  const shapes = parameterShapes(model);
  return parameterNames.map((name) => shapes[name].reduce((product, length) => product * length, 1));
}

/** Where the trained numbers of a parameter vector begin: behind the embedding where that is fixed. */
export function trainedFrom(model: Model): number {
  return model.embedding === 'fixed' ? parameterSizes(model)[0] : 0;
}

/** How many numbers of a model are trained. */
export function parameterCount(model: Model): number {
  return parameterSizes(model).reduce((sum, size) => sum + size, 0) - trainedFrom(model);
}

/**
 * Initial weights, drawn like the reference's: PyTorch's `nn.Linear` for embedding and decoder (weights and biases
 * uniform within 1/sqrt(d)), Xavier-uniform per head for query, key and value, and for the output matrix [H d_v, d]. A
 * fixed embedding is the identity with bias 0.
 *
 * @param start which of a seed's draws: another start of the same task.
 */
export function initialParameters(model: Model, start = 0): Float64Array {
  const { heads, width, headSize, valueSize = 1, seed } = model;
  const bounds: Record<ParameterName, number> = {
    embedding: 1 / Math.sqrt(width),
    query: Math.sqrt(6 / (width + headSize)),
    key: Math.sqrt(6 / (width + headSize)),
    value: Math.sqrt(6 / (width + valueSize)),
    output: Math.sqrt(6 / (heads * valueSize + width)),
    decoder: 1 / Math.sqrt(width),
    decoderBias: 1 / Math.sqrt(width),
  };
  const random = randomSource(seed, 'memorization', 'weights', ...(start === 0 ? [] : [start]));
  const values = new Float64Array(trainedFrom(model) + parameterCount(model));
  let at = 0;
  parameterSizes(model).forEach((size, index) => {
    const bound = bounds[parameterNames[index]];
    for (const end = at + size; at < end; at++) values[at] = bound * (2 * random.uniform() - 1);
  });
  if (model.embedding === 'fixed') {
    const embedding = parameterView(values, model, 'embedding').fill(0);
    for (let i = 0; i < width; i++) embedding[i * width + i] = 1;
  }
  return values;
}

/** The part of a parameter vector that holds one array: a view, not a copy. */
export function parameterView<V extends Float32Array | Float64Array>(values: V, model: Model, name: ParameterName): V {
  const sizes = parameterSizes(model);
  const index = parameterNames.indexOf(name);
  const start = sizes.slice(0, index).reduce((sum, size) => sum + size, 0);
  return values.subarray(start, start + sizes[index]) as V;
}

/** Sinusoidal positions [count, d]: sin and cos of p / 10000^(2i/d) at the even and odd places of row p. */
export function sinusoidalPositions(count: number, width: number): Float64Array {
  const positions = new Float64Array(count * width);
  for (let p = 0; p < count; p++) {
    for (let i = 0; i < width; i += 2) {
      const angle = p * Math.exp((-i * Math.log(10000)) / width);
      positions[p * width + i] = Math.sin(angle);
      positions[p * width + i + 1] = Math.cos(angle);
    }
  }
  return positions;
}
