/**
 * How far rounding can move what a Cholesky factorization says about eigenvalues.
 *
 * For rows S of k vectors in `columns` dimensions let G = S S^T be exact, and let the float64 Gram of them minus s I be
 * factorized in float64. The computed inner products differ from G by at most columns * u * ||x_i|| ||x_j||, so the Gram
 * does by at most columns * u * trace(G) in norm; the factorization, if it runs to its end, is exact for a matrix that
 * differs by at most (k + 1) u * trace(G) again, and if it stops, then a matrix that close is not positive definite
 * (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., sections 3.5 and 10.1; Rump, BIT 46, 2006). With
 *
 *     slack = (columns + k + 8) * u * trace(G) * 1.01,    u = 2^-53,
 *
 * success proves that every eigenvalue of G is above s - slack, failure that one is below s + slack. These are worst cases
 * for any order of summation; what happens is some hundred times smaller.
 *
 * Products that underflow are left out: the methods below are only used where trace(G) >= 2^-800.
 */
export function choleskySlack(columns: number, k: number, trace: number): number {
  return (columns + k + 8) * 2 ** -53 * 1.01 * trace;
}

/**
 * What rounding may do to a Rayleigh quotient ||S y||^2 / ||y||^2 of computed products, as a share of the trace: the products
 * (2 * columns), the norm of y (columns), the sum of k squares, the quotient (Higham, sections 3.1 and 3.5).
 */
export function rayleighSlack(columns: number, k: number, trace: number): number {
  return (3 * columns + 2 * k + 16) * 2 ** -53 * 1.01 * trace;
}

/** Below this trace (in the scale of the largest element) squares underflow, and nothing is concluded from a Gram. */
export const SMALLEST_TRACE = 2 ** -800;

/**
 * The same for the eigenvalues of a k x k Gram by tridiagonalization and QR iterations (`eigvalsh`): each computed
 * eigenvalue is that of a matrix within k * u * ||G||, times a constant of order 1 that is taken as 8.
 */
export function eigenvalueSlack(columns: number, k: number, trace: number): number {
  return (columns + 8 * k + 8) * 2 ** -53 * 1.01 * trace;
}

/**
 * What rounding does in place of the worst it could do: errors of either sign, as good as independent of each other, add up
 * like the square root of their number (Higham and Mary, SIAM J. Sci. Comput. 41, 2019), and of the k^2 errors of a Gram
 * the Frobenius norm, which bounds the spectral one, is an average that hardly varies; it is some ten times the spectral norm:
 *
 *     slack = sqrt(columns + k) * u * trace(G).
 *
 * No proof, unlike {@link choleskySlack}: for counts of eigenvalues, not for verdicts.
 */
export function statisticalSlack(columns: number, k: number, trace: number): number {
  return Math.sqrt(columns + k) * 2 ** -53 * trace;
}
