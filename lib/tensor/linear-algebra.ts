import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend';
import './float64-backend';
import { tf } from './tensorflow';

/**
 * The factorizations that TensorFlow has and tfjs lacks, on stacks of matrices [..., rows, columns], in the current
 * precision. None has a gradient.
 */
type Attributes = Record<string, boolean>;

function registerOp(op: string, outputCount: number): void {
  for (const backendName of ['tensorflow', 'float64']) {
    tf.registerKernel({
      kernelName: op,
      backendName,
      kernelFunc: ({ inputs, backend, attrs }) => {
        const node = backend as NodeJSKernelBackend;
        const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_FLOAT } = node.binding;
        const attributes = [
          { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
          ...Object.entries(attrs as Attributes).map(([name, value]) => ({ name, type: TF_ATTR_BOOL, value })),
        ];
        const tensors = Object.values(inputs) as tf.TensorInfo[];
        return node.executeMultipleOutputs(op, attributes, tensors, outputCount);
      },
    });
  }
}

registerOp('Cholesky', 1);
registerOp('MatrixTriangularSolve', 1);
registerOp('Qr', 2);
registerOp('SelfAdjointEigV2', 2);
registerOp('Svd', 3);

function run(op: string, inputs: Record<string, tf.Tensor>, attributes: Attributes = {}): tf.Tensor[] {
  return tf.engine().runKernel(op, inputs, attributes) as unknown as tf.Tensor[];
}

/**
 * The lower triangular L with L L^T = `a`, for symmetric `a` [..., n, n] of which only the lower triangle is read.
 *
 * A matrix that is not positive definite, in this precision, gives NaN in the lower triangle of its own factor and
 * leaves the others of the stack alone.
 */
export function cholesky(a: tf.Tensor): tf.Tensor {
  return run('Cholesky', { a })[0];
}

/** The eigenvalues [..., n], ascending, of symmetric `a` [..., n, n], of which only the lower triangle is read. */
export function eigvalsh(a: tf.Tensor): tf.Tensor {
  const [values, vectors] = run('SelfAdjointEigV2', { a }, { compute_v: false });
  vectors.dispose();
  return values;
}

/** The singular values [..., min(m, n)], descending, of `a` [..., m, n]. */
export function svdvals(a: tf.Tensor): tf.Tensor {
  const [values, left, right] = run('Svd', { a }, { compute_uv: false, full_matrices: false });
  left.dispose();
  right.dispose();
  return values;
}

/** Q [..., m, p] with orthonormal columns and upper triangular R [..., p, n] with Q R = `a` [..., m, n], p = min(m, n). */
export function qr(a: tf.Tensor): [q: tf.Tensor, r: tf.Tensor] {
  const [q, r] = run('Qr', { a }, { full_matrices: false });
  return [q, r];
}

/**
 * The solution X [..., n, k] of `l` X = `b`, or of `l`^T X = `b` with `adjoint`, for triangular `l` [..., n, n]: lower
 * triangular unless `lower` is false. The other triangle is not read. Throws when a diagonal holds a zero.
 */
export function triangularSolve(
  l: tf.Tensor,
  b: tf.Tensor,
  { lower = true, adjoint = false }: { lower?: boolean; adjoint?: boolean } = {},
): tf.Tensor {
  return run('MatrixTriangularSolve', { l, b }, { lower, adjoint })[0];
}
