/**
 * What each native kernel computes, on seeded inputs, for the kernels of this process (`ATTENTION_KERNELS`). Run as a
 * program it prints all results as JSON, so that a test can compare two processes.
 */
import { attentionHeads, activate, layerNorm, linear } from 'attention-capacity/models/networks/operations';
import {
  cholesky,
  eigvalsh,
  inPrecision,
  type Precision,
  randomSource,
  svd,
  svdvals,
  tf,
  toTensor,
  triangularSolve,
  valuesOf,
} from 'attention-capacity/tensor/index';

function random<Result extends tf.Tensor>(label: string, ...shape: number[]): Result {
  const source = randomSource(7, label);
  const size = shape.reduce((product, length) => product * length, 1);
  return toTensor(
    Float64Array.from({ length: size }, () => source.normal()),
    shape,
  ) as unknown as Result;
}

const map = (label: string, m: number, d: number) => ({
  weight: random<tf.Tensor2D>(`${label} weight`, m, d),
  bias: random<tf.Tensor1D>(`${label} bias`, m),
});

/** Each result is a tensor of order one; those of `svd` are put together again, for its vectors have free signs. */
const results: Readonly<Record<string, () => tf.Tensor>> = {
  product: () => tf.matMul(random('a', 70, 300), random('b', 300, 90)),
  'product of transposes': () => tf.matMul(random('a', 300, 70), random('b', 90, 300), true, true),
  'large product': () => tf.matMul(random('a', 401, 256), random('b', 333, 256), false, true),
  'stack of products': () => tf.matMul(random('a', 2, 3, 20, 30), random('b', 1, 3, 30, 10)),
  cholesky: () => cholesky(gram()),
  eigvalsh: () => eigvalsh(gram()),
  svdvals: () => svdvals(random('a', 3, 60, 100)),
  svd: () => {
    const [u, s, v] = svd(random('a', 50, 30));
    return tf.matMul(tf.mul(u, s), v, false, true);
  },
  triangularSolve: () => triangularSolve(cholesky(gram()), random('b', 2, 64, 5)),
  'adjoint triangularSolve': () => triangularSolve(cholesky(gram()), random('b', 2, 64, 5), { adjoint: true }),
  linear: () => linear(random('x', 4, 100, 96), map('map', 200, 96)),
  layerNorm: () => layerNorm(random('x', 4, 50, 99), 1e-5, { weight: random('gamma', 99), bias: random('beta', 99) }),
  gelu: () => activate(tf.mul(random('x', 4, 50, 99), random('y', 99)), 'gelu'),
  attention: () => attentionHeads(random('x', 3, 37, 48), fourHeads()),
  'attention with a mask for all': () => attentionHeads(random('x', 3, 37, 48), fourHeads(), random('mask', 37, 37)),
  'attention with a mask for each example': () =>
    attentionHeads(random('x', 3, 37, 48), fourHeads(), random('mask', 3, 1, 1, 37)),
};

const fourHeads = () => ({
  maps: { query: map('q', 64, 48), key: map('k', 64, 48), value: map('v', 32, 48) },
  heads: 4,
  scale: 0.1,
});

function gram(): tf.Tensor {
  const x = random('x', 2, 64, 100);
  return tf.matMul(x, x, false, true);
}

export const names = Object.keys(results);

/** One of the results in a precision. */
export function compute(name: string, precision: Precision): number[] {
  return inPrecision(precision, () => {
    tf.engine().startScope();
    const values = [...valuesOf(results[name]())];
    tf.engine().endScope();
    return values;
  });
}

if (require.main === module) {
  const all = (precision: Precision) => Object.fromEntries(names.map((name) => [name, compute(name, precision)]));
  process.stdout.write(JSON.stringify({ float32: all('float32'), float64: all('float64') }));
}
