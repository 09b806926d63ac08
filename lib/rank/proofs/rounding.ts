/**
 * What rounding may do to the numbers that verdicts rest on: every constant of this room, with its source. All are worst
 * cases, for any order of summation, with or without fused multiply-add; u = 2^-53 is float64's unit roundoff.
 *
 * Sources: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002 (inner products: 3.1; Cholesky: 10.1;
 * Householder's transformations: 19.3); Rump, Verification of positive definiteness, BIT 46, 2006 (a factorization that stops).
 */
export const UNIT = 2 ** -53;

/** Below this trace (in the scale of the largest element) squares underflow, and nothing is concluded from a Gram. */
export const SMALLEST_TRACE = 2 ** -800;

/**
 * How far rounding can move what a Cholesky factorization says about eigenvalues.
 *
 * For rows S of k vectors in `columns` dimensions let G = S S^T be exact, and let the float64 Gram of them minus s I be
 * factorized in float64. The computed inner products differ from G by at most columns * u * ||x_i|| ||x_j||, so the Gram
 * does by at most columns * u * trace(G) in norm; the factorization, if it runs to its end, is exact for a matrix that
 * differs by at most (k + 1) u * trace(G) again, and if it stops, then a matrix that close is not positive definite
 * (Higham, 3.1 and 10.1; Rump). With
 *
 *     slack = (columns + k + 8) * u * trace(G) * 1.01
 *
 * success proves that every eigenvalue of G is above s - slack, failure that one is below s + slack. What happens is some
 * hundred times smaller.
 *
 * A factorization in blocks has the same bound: with G - s I = [A B; B^T D], L L^T = A, Z = L^-1 B and the Schur complement
 * D - Z^T Z, the errors are at most (k + 1) u (trace(A) + ||Z||_F^2) + u trace(D), and ||Z||_F^2 is trace(D) less the complement's own
 * trace: add the sum of the complement's absolute eigenvalues to the trace.
 */
export function choleskySlack(columns: number, k: number, trace: number): number {
  return (columns + k + 8) * UNIT * 1.01 * trace;
}

/**
 * What rounding may do to a Rayleigh quotient ||S y||^2 / ||y||^2 of computed products, as a share of the trace: the products
 * (2 * columns), the norm of y (columns), the sum of k squares, the quotient (Higham, 3.1).
 */
export function rayleighSlack(columns: number, k: number, trace: number): number {
  return (3 * columns + 2 * k + 16) * UNIT * 1.01 * trace;
}

/**
 * How far the eigenvalues of a symmetric n x n matrix, by Householder's tridiagonalization and QR iterations (LAPACK's syevd), may
 * be off. LAPACK promises "a modestly growing function of n" times u ||A||; n transformations of error O(n u) each and as many
 * sweeps give O(n^2 u) ||A||_F (Higham, 19.3; Parlett, The Symmetric Eigenvalue Problem, 1998, section 8.14). The factor 16 is not
 * from a theorem: it is the one constant here that is assumed. What is seen is below 10 u ||A||_F. Only counts of eigenvalues
 * (`./inertia`) use it, of a Schur complement that is small beside the tolerance.
 */
export function eigenvalueSlack(n: number, frobeniusNorm: number): number {
  return 16 * n * n * UNIT * frobeniusNorm;
}

/**
 * The distance from the tolerance, relative, within which a singular value is called near to it: 1e-6, or what half a unit in the last
 * place of the rows themselves may move it by if that is more (at float64's tolerance 1 / (2 sqrt(k))).
 */
export function nearness(tolerance: number, k: number): number {
  return Math.max(1e-6, (Math.sqrt(k) * UNIT) / tolerance);
}
