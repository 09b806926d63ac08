import { eigh, tf, valuesOf } from '../../tensor';
import { UNIT } from './rounding';

/** Eigenvalues of a stack of B n x n matrices, ascending, and what each may be off by: both `[B, n]`. */
export interface VerifiedEigenvalues {
  readonly n: number;
  readonly values: Float64Array;
  readonly errors: Float64Array;
}

/**
 * The eigenvalues of symmetric matrices A `[B, n, n]` (float64, lower triangles), with error bounds that rest on the residuals
 * alone, however the eigenvalues were found. For any Q and diagonal L, those of Q L Q^T are theta_i l_i with theta_i between the extreme
 * eigenvalues of Q^T Q (Ostrowski; Horn and Johnson, Matrix Analysis, 4.5.9), and those of A are within ||A - Q L Q^T|| of
 * them (Weyl). To be called in float64, inside of a `tf.tidy`. NaN in a matrix gives NaN.
 */
export function verifiedEigenvalues(a: tf.Tensor3D): VerifiedEigenvalues {
  const [batch, n] = a.shape;
  const [eigenvalues, vectors] = eigh(a);
  const scaled = tf.mul(vectors, tf.reshape(eigenvalues, [batch, 1, n]));
  const rebuilt = tf.matMul(scaled as tf.Tensor3D, vectors as tf.Tensor3D, false, true);
  const residuals = valuesOf(tf.sub(rebuilt, a));
  const products = valuesOf(tf.matMul(vectors as tf.Tensor3D, vectors as tf.Tensor3D, true, false));
  const values = Float64Array.from(valuesOf(eigenvalues));
  const errors = new Float64Array(batch * n);
  for (let index = 0; index < batch; index++) {
    let [residual, skew, size] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const row = (index * n + i) * n;
      // The lower triangle is A's.
      for (let j = 0; j < i; j++) {
        residual += 2 * residuals[row + j] ** 2;
        skew += 2 * products[row + j] ** 2;
      }
      residual += residuals[row + i] ** 2;
      skew += (products[row + i] - 1) ** 2;
      size += Math.abs(values[index * n + i]);
    }
    // Of Q L Q^T and of Q^T Q as they were computed: products of n terms.
    const ofProduct = (n + 8) * UNIT * 1.01 * size;
    const ofSkew = (n + 8) * UNIT * 1.01 * n;
    for (let i = index * n; i < (index + 1) * n; i++) {
      errors[i] = 1.01 * (Math.sqrt(residual) + ofProduct + Math.abs(values[i]) * (Math.sqrt(skew) + ofSkew));
    }
  }
  return { n, values, errors };
}
