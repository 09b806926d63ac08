/**
 * The factorizations that TensorFlow has and tfjs lacks, on one matrix or a stack of them, [..., rows, columns], in the
 * current precision; on CPUs all but `qr` are LAPACK's, see ./native-kernels. They have no gradients. Shapes that do not fit
 * throw a `RangeError`.
 */
import type { tf } from './tensorflow';
import { execute, registerOp } from './tensorflow-op';

registerOp('Cholesky', 1);
registerOp('MatrixTriangularSolve', 1);
registerOp('Qr', 2);
registerOp('SelfAdjointEigV2', 2);
registerOp('Svd', 3);

/**
 * The lower triangular L [..., n, n] with L L^T = `a`, for symmetric `a` [..., n, n]; only its lower triangle is read.
 *
 * A matrix that is not positive definite in this precision gets NaN everywhere on and below its diagonal (and something
 * arbitrary above it); the others of the stack are not affected.
 */
export function cholesky(a: tf.Tensor): tf.Tensor {
  requireSquare('cholesky', a);
  return execute('Cholesky', { a })[0];
}

/**
 * The eigenvalues [..., n], ascending, of symmetric `a` [..., n, n]; only its lower triangle is read.
 *
 * A matrix that holds NaN or an infinite element has NaN for eigenvalues; the others of the stack are not affected.
 * (TensorFlow's own kernel throws for NaN.)
 */
export function eigvalsh(a: tf.Tensor): tf.Tensor {
  requireSquare('eigvalsh', a);
  const [values, vectors] = execute('SelfAdjointEigV2', { a }, { compute_v: false });
  vectors.dispose();
  return values;
}

/**
 * The eigenvalues [..., n], ascending, of symmetric `a` [..., n, n], of which only the lower triangle is read, and orthonormal
 * eigenvectors [..., n, n], one a column.
 */
export function eigh(a: tf.Tensor): [values: tf.Tensor, vectors: tf.Tensor] {
  requireSquare('eigh', a);
  const [values, vectors] = execute('SelfAdjointEigV2', { a }, { compute_v: true });
  return [values, vectors];
}

/**
 * The singular values [..., min(m, n)], descending, of `a` [..., m, n].
 *
 * A matrix that holds NaN or an infinite element has NaN for singular values; the others of the stack are not affected.
 */
export function svdvals(a: tf.Tensor): tf.Tensor {
  requireMatrix('svdvals', a);
  const [values, left, right] = execute('Svd', { a }, { compute_uv: false, full_matrices: false });
  left.dispose();
  right.dispose();
  return values;
}

/** U [..., m, p], the singular values [..., p], descending, and V [..., n, p] of `a` [..., m, n] = U diag(s) V^T. */
export function svd(a: tf.Tensor): [u: tf.Tensor, s: tf.Tensor, v: tf.Tensor] {
  requireMatrix('svd', a);
  const [values, left, right] = execute('Svd', { a }, { compute_uv: true, full_matrices: false });
  return [left, values, right];
}

/**
 * Q [..., m, p] with orthonormal columns and upper triangular R [..., p, n], p = min(m, n), with Q R = `a` [..., m, n].
 * Householder's method without pivoting: the diagonal of R takes any sign and order. NaN in `a` gives NaN in both.
 */
export function qr(a: tf.Tensor): [q: tf.Tensor, r: tf.Tensor] {
  requireMatrix('qr', a);
  const [q, r] = execute('Qr', { a }, { full_matrices: false });
  return [q, r];
}

/**
 * The solution X [..., n, k] of `l` X = `b`, or of `l`^T X = `b` with `adjoint`, where `l` [..., n, n] is lower
 * triangular, or upper triangular with `lower: false`; the other triangle is not read. `b` is [..., n, k].
 *
 * A zero on the diagonal gives infinite or NaN elements in the solution.
 */
export function triangularSolve(
  l: tf.Tensor,
  b: tf.Tensor,
  { lower = true, adjoint = false }: { lower?: boolean; adjoint?: boolean } = {},
): tf.Tensor {
  requireSquare('triangularSolve', l);
  requireMatrix('triangularSolve', b);
  if (l.shape.at(-1) !== b.shape.at(-2)) {
    throw new RangeError(
      'triangularSolve: expected a matrix [..., n, n] and a right-hand side [..., n, k] with as many rows, ' +
        `got ${shapeOf(l)} and ${shapeOf(b)}`,
    );
  }
  return execute('MatrixTriangularSolve', { l, b }, { lower, adjoint })[0];
}

function requireMatrix(caller: string, a: tf.Tensor): void {
  if (a.rank < 2) throw new RangeError(`${caller}: expected a matrix or a stack of matrices, got ${shapeOf(a)}`);
}

function requireSquare(caller: string, a: tf.Tensor): void {
  if (a.rank < 2 || a.shape.at(-1) !== a.shape.at(-2)) {
    throw new RangeError(`${caller}: expected a square matrix or a stack of them, [..., n, n], got ${shapeOf(a)}`);
  }
}

function shapeOf(a: tf.Tensor): string {
  return `[${a.shape.join(', ')}]`;
}
