/**
 * Steps of a Transformer's layer, and one of the contexts' ranks, as one op each, in the current precision: where
 * tfjs needs several ops, each of which reads and writes all of its tensors, these read and write memory once. They are native kernels,
 * for CPUs; ask {@link hasFusedOps} first. They have no gradients. Shapes that do not fit throw.
 */
import { scalar } from './convert';
import { kernels } from './native-kernels';
import { tf } from './tensorflow';
import { execute, registerOp } from './tensorflow-op';

const opOf = (name: string) => `AttentionCapacity>${name}`;

for (const name of ['Linear', 'LayerNorm', 'Gelu', 'Attention', 'Definite']) registerOp(opOf(name), 1);

/** Whether TensorFlow has these ops. */
export function hasFusedOps(): boolean {
  return kernels === 'native';
}

function run<Result extends tf.Tensor>(name: string, inputs: Record<string, tf.Tensor>): Result {
  return execute(opOf(name), inputs)[0] as Result;
}

/** `x` W^T + b, `[rows, d]` -> `[rows, m]`, for a weight `[m, d]` and a bias `[m]`. */
export function fusedLinear(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  return run('Linear', { x, weight, bias });
}

/** gamma (x - mean) / sqrt(variance + eps) + beta over the last axis of `[..., d]`, for gamma and beta `[d]`. */
export function fusedLayerNorm(x: tf.Tensor, eps: number, weight: tf.Tensor1D, bias: tf.Tensor1D): tf.Tensor {
  return tf.tidy(() => run('LayerNorm', { x, eps: scalar(eps), weight, bias }));
}

/** x Phi(x) of every element, with the error function. */
export function fusedGelu(x: tf.Tensor): tf.Tensor {
  return run('Gelu', { x });
}

/**
 * softmax(Q K^T scale + mask) V for each head, the heads side by side: query `[B, m, H, d_h]`, key `[B, n, H, d_h]` and
 * value `[B, n, H, d_v]` -> `[B, m, H d_v]`. `mask`, if any, broadcasts to `[B, H, m, n]`.
 */
export function fusedAttention(
  query: tf.Tensor4D,
  key: tf.Tensor4D,
  value: tf.Tensor4D,
  scale: number,
  mask: tf.Tensor | null,
): tf.Tensor3D {
  // The kernel treats a mask without axes as no mask.
  const shifts = () => (mask ? (mask.rank === 0 ? mask.expandDims(0) : mask) : scalar(0));
  return tf.tidy(() => run('Attention', { query, key, value, scale: scalar(scale), mask: shifts() }));
}

/** 1 where x x^T - shift I has a Cholesky factor, else 0, `[B]`, for x `[B, n, w]`; in float64 only. */
export function fusedDefinite(x: tf.Tensor3D, shift: number): tf.Tensor1D {
  return tf.tidy(() => run('Definite', { x, shift: scalar(shift) }));
}
