import { randomSource } from '../tensor';
import type { Setting } from './config';

/** The arrays of one model, in the order in which they lie behind each other in its parameter vector. */
export const parameterNames = ['embedding', 'query', 'key', 'value', 'output', 'decoder', 'decoderBias'] as const;
export type ParameterName = (typeof parameterNames)[number];

/**
 * Shapes: embedding [d + 1, d] (its last row is the bias), query and key [H, d, d_h], value [H, d] (each head's value is
 * one number, d_v = 1), output [H, d], decoder [d, C], decoderBias [C].
 */
export function parameterShapes(setting: Setting): Readonly<Record<ParameterName, readonly number[]>> {
  const { heads, width, headSize, classes } = setting;
  return {
    embedding: [width + 1, width],
    query: [heads, width, headSize],
    key: [heads, width, headSize],
    value: [heads, width],
    output: [heads, width],
    decoder: [width, classes],
    decoderBias: [classes],
  };
}

/** The length of each array of {@link parameterShapes}, in order. */
export function parameterSizes(setting: Setting): number[] {
  const shapes = parameterShapes(setting);
  return parameterNames.map((name) => shapes[name].reduce((product, length) => product * length, 1));
}

/** How many numbers a model has. */
export function parameterCount(setting: Setting): number {
  return parameterSizes(setting).reduce((sum, size) => sum + size, 0);
}

/**
 * Initial weights, drawn like the reference's: PyTorch's `nn.Linear` for embedding and decoder (weights and biases
 * uniform within 1/sqrt(d)), Xavier-uniform per head for query, key and value, and for the output matrix [H, d].
 */
export function initialParameters(setting: Setting): Float64Array {
  const { heads, width, headSize, seed } = setting;
  const bounds: Record<ParameterName, number> = {
    embedding: 1 / Math.sqrt(width),
    query: Math.sqrt(6 / (width + headSize)),
    key: Math.sqrt(6 / (width + headSize)),
    value: Math.sqrt(6 / (width + 1)),
    output: Math.sqrt(6 / (heads + width)),
    decoder: 1 / Math.sqrt(width),
    decoderBias: 1 / Math.sqrt(width),
  };
  const random = randomSource(seed, 'memorization', 'weights');
  const values = new Float64Array(parameterCount(setting));
  let at = 0;
  parameterSizes(setting).forEach((size, index) => {
    const bound = bounds[parameterNames[index]];
    for (const end = at + size; at < end; at++) values[at] = bound * (2 * random.uniform() - 1);
  });
  return values;
}

/** The part of a parameter vector that holds one array: a view, not a copy. */
export function parameterView<V extends Float32Array | Float64Array>(
  values: V,
  setting: Setting,
  name: ParameterName,
): V {
  const sizes = parameterSizes(setting);
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
