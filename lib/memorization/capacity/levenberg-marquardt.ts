/**
 * Levenberg-Marquardt with geodesic acceleration (Transtrum and Sethna, "Improvements to the Levenberg-Marquardt algorithm",
 * 2012) for R residuals of P unknowns, R on either side of P, in float64.
 *
 * A step solves (J J^T + mu I) s = r, step = -J^T s, or with J^T J where that is smaller, by Cholesky. Forming the product
 * squares the condition, so the solution is refined once with J itself. Small systems are solved without TensorFlow, whose calls
 * would take most of the time. Damping follows Nielsen ("Damping parameter in Marquardt's
 * method", 1999).
 */
import { dot, factorize, solveLower, solveTransposed } from '../../rank/proofs/small-cholesky';
import { cholesky, inFloat64, inPrecision, tf, toTensor, triangularSolve, valuesOf, type Matrix } from '../../tensor';

/** The residuals [R] at a point [P], and there their Jacobian [R, P]. */
export interface Problem {
  residuals(point: Float64Array): Float64Array;
  linearize(point: Float64Array): { residuals: Float64Array; jacobian: Jacobian };
}

type Jacobian = Matrix & { readonly data: Float64Array };

/** Everything that the next iteration depends on. */
export interface Descent {
  readonly point: Float64Array;
  /** mu over the mean eigenvalue of the product, and what it is multiplied by when a step fails. */
  readonly damping: number;
  readonly growth: number;
  readonly iterations: number;
  /** The root mean square of the residuals at the start and after each iteration. */
  readonly norms: readonly number[];
}

/** Steps that are tried with more and more damping before a point counts as one that cannot be left. */
const TRIES = 20;
/** A step whose curvature is larger, relative to the step, is too long. */
const LARGEST_CURVATURE = 0.75;
const LEAST_DAMPING = 1e-15;
/** Less progress than a factor of 0.95 in this many iterations is none. */
const PATIENCE = 100;

export function startAt(point: Float64Array): Descent {
  return { point, damping: 1e-2, growth: 2, iterations: 0, norms: [] };
}

/** Whether further iterations are worth their time. */
export function isSlow({ norms, iterations }: Descent): boolean {
  return iterations >= PATIENCE && norms[iterations] > 0.95 * norms[iterations - PATIENCE];
}

/** One iteration: the descent after a step that lessens the residuals; null where there is none. */
export function descend(problem: Problem, { point, damping, growth, iterations, norms }: Descent): Descent | null {
  const { residuals, jacobian } = problem.linearize(point);
  const cost = squares(residuals);
  const system = new DampedSystem(jacobian);
  for (let attempt = 0; attempt < TRIES; attempt++, damping *= growth, growth *= 2) {
    const step = system.step(damping, (solve) => acceleratedStep(problem, point, residuals, jacobian, solve));
    if (step === null) continue;
    const next = plus(point, step.whole);
    const reached = squares(problem.residuals(next));
    if (!(reached < cost)) continue;
    const gain = (cost - reached) / (cost - step.predicted);
    const eased = damping * Math.max(1 / 3, 1 - (2 * gain - 1) ** 3);
    return {
      point: next,
      damping: Math.max(LEAST_DAMPING, eased),
      growth: 2,
      iterations: iterations + 1,
      norms: [...(norms.length > 0 ? norms : [rootMean(cost, residuals)]), rootMean(reached, residuals)],
    };
  }
  return null;
}

/** The step that undoes given residuals to first order, damped. */
type Solve = (residuals: Float64Array) => Float64Array;

interface Step {
  readonly whole: Float64Array;
  /** Sum of squares of the residuals after its first-order part, were they linear. */
  readonly predicted: number;
}

/** The damped Gauss-Newton step and half its curvature; null where the curvature says that it is too long. */
function acceleratedStep(
  problem: Problem,
  point: Float64Array,
  residuals: Float64Array,
  jacobian: Matrix,
  solve: Solve,
): Step | null {
  const h = 0.1;
  const velocity = solve(residuals);
  const ahead = problem.residuals(plus(point, velocity, h));
  const slope = times(jacobian, velocity);
  // The second derivative of the residuals along the step, by a finite difference.
  const bend = residuals.map((residual, i) => (2 / h) * ((ahead[i] - residual) / h - slope[i]));
  const curvature = solve(bend);
  if (!(squares(curvature) <= LARGEST_CURVATURE ** 2 * squares(velocity))) return null;
  return { whole: plus(velocity, curvature, 0.5), predicted: squares(plus(residuals, slope)) };
}

/** Systems of at most this size are factored in plain JavaScript. */
const SMALL = 100;

/** J J^T or J^T J, whichever is smaller, factored for one damping after another. */
class DampedSystem {
  private readonly isWide: boolean;
  private readonly size: number;
  private readonly product: Float64Array;
  private readonly diagonal: Float64Array;
  private readonly meanEigenvalue: number;

  constructor(private readonly jacobian: Jacobian) {
    const [R, P] = jacobian.shape;
    this.isWide = R <= P;
    this.size = Math.min(R, P);
    this.product = this.size <= SMALL ? smallProduct(jacobian, this.isWide) : largeProduct(jacobian, this.isWide);
    this.diagonal = Float64Array.from({ length: this.size }, (_, i) => this.product[i * (this.size + 1)]);
    this.meanEigenvalue = this.diagonal.reduce((sum, value) => sum + value, 0) / this.size;
  }

  /** Runs `find` with the solver for a damping. */
  step(damping: number, find: (solve: Solve) => Step | null): Step | null {
    const mu = damping * this.meanEigenvalue;
    this.diagonal.forEach((value, i) => (this.product[i * (this.size + 1)] = value + mu));
    if (this.size <= SMALL) {
      const factor = this.product.slice();
      if (factorize(factor, this.size) < this.size) return null;
      return find((residuals) => this.solve((b) => smallSolves(factor, b), mu, residuals));
    }
    return inPrecision('float64', () => {
      const product = toTensor(this.product, [this.size, this.size]);
      const factor = cholesky(product);
      product.dispose();
      const step = find((residuals) => this.solve((b) => triangularSolves(factor, b), mu, residuals));
      factor.dispose();
      return step;
    });
  }

  private solve(solves: (b: Float64Array) => Float64Array, mu: number, residuals: Float64Array): Float64Array {
    const right = this.isWide ? residuals : transposeTimes(this.jacobian, residuals);
    const once = solves(right);
    const left = plus(right, this.apply(once, mu), -1);
    const solution = plus(once, solves(left));
    const step = this.isWide ? transposeTimes(this.jacobian, solution) : solution;
    return step.map((value) => -value);
  }

  /** (J J^T + mu I) s, or with J^T J, without the product. */
  private apply(s: Float64Array, mu: number): Float64Array {
    const { jacobian } = this;
    const applied = this.isWide
      ? times(jacobian, transposeTimes(jacobian, s))
      : transposeTimes(jacobian, times(jacobian, s));
    return plus(applied, s, mu);
  }
}

function largeProduct({ data, shape }: Matrix, isWide: boolean): Float64Array {
  return inPrecision('float64', () => {
    const j = toTensor(data, shape);
    const product = isWide ? tf.matMul(j, j, false, true) : tf.matMul(j, j, true);
    const values = valuesOf(product) as Float64Array;
    tf.dispose([j, product]);
    return values;
  });
}

/** Its lower triangle. */
function smallProduct({ data, shape: [R, P] }: Jacobian, isWide: boolean): Float64Array {
  const size = Math.min(R, P);
  const product = new Float64Array(size * size);
  if (isWide) {
    for (let i = 0; i < size; i++)
      for (let j = 0; j <= i; j++) product[i * size + j] = dot(data, i * P, data, j * P, P);
    return product;
  }
  for (let row = 0; row < R; row++) {
    for (let i = 0, at = row * P; i < P; i++) {
      const factor = data[at + i];
      for (let j = 0; j <= i; j++) product[i * P + j] += factor * data[at + j];
    }
  }
  return product;
}

function smallSolves(factor: Float64Array, b: Float64Array): Float64Array {
  const x = b.slice();
  solveLower(factor, b.length, b.length, x);
  solveTransposed(factor, b.length, b.length, x);
  return x;
}

/** L^-T L^-1 b. */
function triangularSolves(factor: tf.Tensor, b: Float64Array): Float64Array {
  return inFloat64(() => {
    const half = triangularSolve(factor, toTensor(b, [b.length, 1]));
    return valuesOf(triangularSolve(factor, half, { adjoint: true })) as Float64Array;
  });
}

function times({ data, shape: [rows, columns] }: Matrix, x: Float64Array): Float64Array {
  const product = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = 0, at = row * columns; i < columns; i++) sum += data[at + i] * x[i];
    product[row] = sum;
  }
  return product;
}

function transposeTimes({ data, shape: [rows, columns] }: Matrix, x: Float64Array): Float64Array {
  const product = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    const factor = x[row];
    for (let i = 0, at = row * columns; i < columns; i++) product[i] += factor * data[at + i];
  }
  return product;
}

function plus(a: Float64Array, b: Float64Array, factor = 1): Float64Array {
  return a.map((value, i) => value + factor * b[i]);
}

function squares(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

function rootMean(sum: number, { length }: Float64Array): number {
  return Math.sqrt(sum / length);
}
