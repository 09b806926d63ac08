import { add, dot, dotError, exactly, gramOf, splitRows, type SplitRows } from './double-double';
import { choleskyError, definiteness, divide } from './double-double-cholesky';
import { topEigenvector } from './top-eigenvector';

const UNIT_SQUARED = 2 ** -106;
/** A wider bracket is of no use. */
const WIDEST = 2 ** -20;

/** lambda_max is proved to lie in theta (1 ± width), theta = hi + lo. */
export interface EigenvalueBracket {
  readonly theta: readonly [hi: number, lo: number];
  readonly width: number;
}

/**
 * The largest eigenvalue of A A^T in double-double, for A as rows `[k, d]` and as columns `[d, k]`: from below by the Rayleigh
 * quotient theta of a vector found in float64, whose error is the square of the vector's, from above by a Cholesky factor
 * of theta (1 + width) I - A A^T. Null where no factor is found.
 */
export function largestEigenvalue(rows: SplitRows, columns: SplitRows, squares: number): EigenvalueBracket | null {
  const [d, k] = [rows.columns, columns.columns];
  const gram = gramOf(rows, k, 'full');
  const full = new Float64Array(k * k);
  for (let i = 0; i < k; i++) {
    for (let j = 0; j <= i; j++) full[i * k + j] = full[j * k + i] = gram.hi[i * k + j];
  }
  const theta = rayleigh(topEigenvector(full, k), columns);
  const errorOfTheta = (3 * dotError(k) + dotError(d) + 100 * UNIT_SQUARED) * 1.01 * squares;
  // Of the Gram, and of the differences on the diagonal.
  const errorOfGram = (dotError(d) + 32 * UNIT_SQUARED) * 1.01 * squares;
  const slack = 2 * choleskyError(k) * k * theta[0];
  for (let i = 0; i < k * k; i++) {
    const diagonal = i % (k + 1) === 0;
    [gram.hi[i], gram.lo[i]] = diagonal
      ? add(theta[0], theta[1], -gram.hi[i], -gram.lo[i])
      : [-gram.hi[i], -gram.lo[i]];
  }
  for (let width = (4 * (errorOfGram + slack + errorOfTheta)) / theta[0]; width < WIDEST; width *= 64) {
    const more = width * theta[0] - errorOfGram - slack;
    if (definiteness(gram, k, -more, slack) === 'positive') return { theta, width };
  }
  return null;
}

/** ||A^T x||^2 / ||x||^2. */
function rayleigh(x: Float64Array, columns: SplitRows): readonly [hi: number, lo: number] {
  const k = columns.columns;
  const d = columns.hi.length / k;
  const vector = splitRows(x, new Float64Array(k), k);
  const image = exactly(new Float64Array(d));
  for (let j = 0; j < d; j++) dot(columns, j, vector, 0, k, image, j);
  const lengths = exactly(new Float64Array(2));
  const split = splitRows(image.hi, image.lo, d);
  dot(split, 0, split, 0, d, lengths, 0);
  dot(vector, 0, vector, 0, k, lengths, 1);
  return divide(lengths.hi[0], lengths.lo[0], lengths.hi[1], lengths.lo[1]);
}
