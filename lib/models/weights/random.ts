import { randomSource } from '../../tensor';
import type { WeightSource } from './weight-source';

/** How one tensor is drawn. Every number is drawn in float64 and rounded to float32, so that both precisions run the same weights. */
export type Initialisation =
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'truncatedNormal'; readonly std: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'constant'; readonly value: number };

/** Tensors drawn when they are read: each from its own stream, named by `stream` and the tensor, so that order changes nothing. */
export function randomWeights(
  seed: number,
  stream: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  initialisation: (name: string) => Initialisation,
): WeightSource {
  return {
    origin: `${stream} drawn with seed ${seed}`,
    shapes,
    read(name) {
      const shape = shapes.get(name)!;
      const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
      fill(values, initialisation(name), seed, stream, name);
      return values;
    },
  };
}

/** W of `[rows, columns]`, Glorot and Bengio's uniform initialisation, as `torch.nn.init.xavier_uniform_` draws it. */
export function xavierUniform(rows: number, columns: number): Initialisation {
  return { kind: 'uniform', bound: Math.sqrt(6 / (rows + columns)) };
}

function fill(values: Float32Array, how: Initialisation, seed: number, stream: string, name: string): void {
  if (how.kind === 'constant') {
    values.fill(how.value);
    return;
  }
  const random = randomSource(seed, stream, name);
  if (how.kind === 'normal') {
    for (let i = 0; i < values.length; i++) values[i] = how.std * random.normal();
  } else if (how.kind === 'truncatedNormal') {
    for (let i = 0; i < values.length; i++) values[i] = random.truncatedNormal(how.std);
  } else {
    for (let i = 0; i < values.length; i++) values[i] = how.bound * (2 * random.uniform() - 1);
  }
}
