import { convert, eigvalsh, inFloat64, inPrecision, tf, triangularSolve, valuesOf } from '../tensor';
import { distinctFirst } from './distinct-first';
import { batchSize, succeeded, type Gram } from './gram';
import { choleskySlack, eigenvalueSlack, statisticalSlack, UNIT_FLOAT32, UNIT_FLOAT64 } from './rounding';

/** What is known of the eigenvalues of a subset's Gram, and two shifts. */
export interface CountWithin {
  /** How many are above both shifts; null where it is not the same number for both, whatever rounding as it usually is has done. */
  readonly above: number | null;
  /** Whether one is proved to be below both, whatever rounding could have done. */
  readonly oneBelow: boolean;
}

/** What one factorization says about the eigenvalues of a subset's Gram. */
interface Inertia {
  /** Rows in the block A, see below. */
  readonly first: number;
  /** How many are above the shift. */
  readonly above: number;
  /** What rounding may have moved eigenvalues by. */
  readonly slack: number;
  /** By how much the shift could be lowered with the same count; 0 where that is not known. */
  readonly reach: number;
  /** How far below the shift the smallest is at least; 0 where that is not known. */
  readonly depth: number;
}

/**
 * Counts eigenvalues above a shift without computing them (Sylvester's law of inertia).
 *
 * With the shifted Gram in blocks, G - s I = [A B; B^T D], and A positive definite of size `first`, Haynsworth's formula
 * gives its positive eigenvalues as `first` plus those of the Schur complement S(s) = D - B^T A^-1 B, which is small.
 *
 * The same factorization says how far the shift may be lowered before the count changes. With W = A^-1 B, S'(s) is
 * -(I + W^T W), and W shrinks when the shift is lowered, so that S(s - t) is at most S(s) + t (I + W^T W): as long as
 * t (1 + ||W||^2) is below the negative eigenvalue of S(s) that is nearest to zero, none of them becomes positive.
 */
export class InertiaCounter {
  /** In large steps until it is first seen to be too large. */
  private step = 0.04;
  private readonly order: Int32Array;

  /** `share`: of k, how many rows are in A: almost as many as keep A positive definite; where to begin to look for that. */
  constructor(
    private readonly gram: Gram,
    private share = 0.25,
  ) {
    this.order = distinctFirst(gram);
  }

  /**
   * For each subset how many eigenvalues of its Gram are above `low` and above `high`, and whether one is below both. Most
   * need one factorization, at the upper end, the others a second one at the lower.
   */
  countWithin(subsets: readonly Int32Array[], low: readonly number[], high: readonly number[]): CountWithin[] {
    const counts: CountWithin[] = [];
    if (subsets.length === 0) return counts;
    const size = batchSize(subsets[0].length);
    for (let start = 0; start < subsets.length; start += size) {
      const end = start + size;
      counts.push(...this.countBatch(subsets.slice(start, end), low.slice(start, end), high.slice(start, end)));
    }
    return counts;
  }

  private countBatch(subsets: readonly Int32Array[], low: readonly number[], high: readonly number[]): CountWithin[] {
    const k = subsets[0].length;
    const first = Math.max(1, Math.min(k - 1, Math.floor(this.share * k)));
    const ordered = subsets.map((subset) => this.mostDistinctFirst(subset));
    const slacks = ordered.map((subset) => 2 * statisticalSlack(this.gram.columns, k, this.gram.trace(subset)));
    const upper = high.map((shift, i) => shift + slacks[i]);
    const lower = low.map((shift, i) => shift - slacks[i]);
    const atUpper = this.inertias(ordered, upper, first);
    const counts = atUpper.map((inertia, i) => (inertia !== null && inertia.slack <= slacks[i] ? inertia.above : null));

    const open = Array.from(counts.keys()).filter(
      (i) => counts[i] !== null && atUpper[i]!.reach <= upper[i] - lower[i],
    );
    const atLower = this.inertias(
      open.map((i) => ordered[i]),
      open.map((i) => lower[i]),
      first,
    );
    open.forEach((i, place) => {
      const inertia = atLower[place];
      if (inertia === null || inertia.slack > slacks[i] || inertia.above !== counts[i]) counts[i] = null;
    });
    const tooLarge =
      atUpper.some((inertia) => inertia !== null && inertia.first < first) || 4 * open.length > counts.length;
    if (tooLarge) this.step = 0.003;
    this.share = tooLarge ? Math.max(0.02, 0.9 * this.share) : Math.min(0.98, this.share + this.step);
    return counts.map((above, i) => ({ above, oneBelow: upper[i] - (atUpper[i]?.depth ?? 0) < low[i] }));
  }

  private mostDistinctFirst(subset: Int32Array): Int32Array {
    return Int32Array.from(subset).sort((a, b) => this.order[a] - this.order[b]);
  }

  /** With `first` rows in A, or fewer where so many are not positive definite; null where not even a few are. */
  private inertias(subsets: readonly Int32Array[], shifts: readonly number[], first: number): (Inertia | null)[] {
    if (subsets.length === 0) return [];
    const k = subsets[0].length;
    return inFloat64(() => {
      const blocks = subsets.map((subset) => bothAscending(subset, first));
      const { factor, solved, complement } = this.gram.eliminate(blocks, shifts, first, k);
      const passed = succeeded(factor);
      if (passed.includes(0)) {
        const results: (Inertia | null)[] = subsets.map(() => null);
        const again = (wanted: number, fewer: number) => {
          const places = Array.from(passed.keys()).filter((index) => passed[index] === wanted);
          const found = this.inertias(
            places.map((index) => subsets[index]),
            places.map((index) => shifts[index]),
            fewer,
          );
          found.forEach((inertia, i) => (results[places[i]] = inertia));
        };
        again(1, first);
        if (first > 0.02 * k && first > 1) again(0, Math.max(1, Math.floor(0.7 * first)));
        return results;
      }
      const spectra = spectraAroundZero(complement);
      const growth = squaredNormBounds(triangularSolve(factor, solved, { adjoint: true }));
      return subsets.map((subset, index) => {
        const { eigenvalues, unit, signsKnown } = spectra[index];
        const size = eigenvalues.reduce((sum, value) => sum + Math.abs(value), 0);
        const trace = this.gram.trace(subset);
        const { columns } = this.gram;
        const rounding = statisticalSlack(0, eigenvalues.length, size, unit);
        const slack = statisticalSlack(columns, k, trace) + (signsKnown ? 0 : rounding);
        const positive = eigenvalues.filter((value) => value > 0).length;
        const nearest = positive < eigenvalues.length ? eigenvalues[eigenvalues.length - positive - 1] : -Infinity;
        // A tenth is kept for the rounding in W.
        const allowance = 0.9 / (1 + growth[index]);
        const reach = (-nearest - rounding) * allowance;
        // With u the eigenvector of S for its least eigenvalue, (-W u, u) takes the shifted Gram as low.
        const depth =
          (-eigenvalues[0] - eigenvalueSlack(0, eigenvalues.length, size, unit)) * allowance -
          2 * choleskySlack(columns, k, trace);
        return { first, above: first + positive, slack, reach: reach > 0 ? reach : 0, depth: depth > 0 ? depth : 0 };
      });
    });
  }
}

/** The eigenvalues of a symmetric matrix, as far as their signs matter. */
interface SpectrumAroundZero {
  /** Ascending. */
  readonly eigenvalues: Float64Array;
  /** The unit of rounding that they were computed with. */
  readonly unit: number;
  /** Whether all are further from zero than rounding carries them. */
  readonly signsKnown: boolean;
}

/**
 * Of a stack of symmetric matrices `[B, m, m]`: in float32, where tridiagonalization, which waits for memory, takes two
 * thirds of the time; in float64 where that leaves a sign open. To be called in float64, inside of a `tf.tidy`.
 */
function spectraAroundZero(stack: tf.Tensor): SpectrumAroundZero[] {
  const [batch, m] = stack.shape;
  const rough = Float64Array.from(inPrecision('float32', () => valuesOf(eigvalsh(convert(stack, 'float32')))));
  const spectra = Array.from({ length: batch }, (_, index): SpectrumAroundZero => {
    const eigenvalues = rough.subarray(index * m, (index + 1) * m);
    const size = eigenvalues.reduce((sum, value) => sum + Math.abs(value), 0);
    // Too cautious by the ratio of the sum to the Frobenius norm, which is some ten.
    const doubt = statisticalSlack(0, m, size, UNIT_FLOAT32);
    return { eigenvalues, unit: UNIT_FLOAT32, signsKnown: eigenvalues.every((value) => Math.abs(value) > doubt) };
  });
  const open = Array.from(spectra.keys()).filter((index) => !spectra[index].signsKnown);
  if (open.length > 0) {
    const fine = valuesOf(eigvalsh(tf.gather(stack, open))) as Float64Array;
    open.forEach((index, place) => {
      spectra[index] = {
        eigenvalues: fine.subarray(place * m, (place + 1) * m),
        unit: UNIT_FLOAT64,
        signsKnown: false,
      };
    });
  }
  return spectra;
}

/** Which rows are in which block matters; in ascending order inner products are found along rows of memory. */
function bothAscending(subset: Int32Array, first: number): Int32Array {
  const arranged = subset.slice();
  arranged.subarray(0, first).sort();
  arranged.subarray(first).sort();
  return arranged;
}

/**
 * Upper bounds of the squared spectral norm of each matrix of a stack: ||W||^4 <= ||W^T W||_F^2, and W W^T's is the same.
 * Float32 will do; where it overflows, the bound is infinite. To be called inside of a `tf.tidy`.
 */
function squaredNormBounds(w: tf.Tensor): ArrayLike<number> {
  const [, rows, columns] = w.shape;
  const tall = rows > columns;
  return inPrecision('float32', () => {
    const narrow = convert(w, 'float32') as tf.Tensor3D;
    return valuesOf(tf.sqrt(tf.sum(tf.square(tf.matMul(narrow, narrow, tall, !tall)), [1, 2])));
  });
}
