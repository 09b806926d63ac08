/** What the numbers of a matrix look like before any test. */
import { prepareRows, exponentAbove } from '../../rank/proofs/rows';
import { resolutionOf } from '../../rank/resolution';
import type { Matrix } from '../../tensor';

export interface FeatureSummary {
  readonly norms: { readonly min: number; readonly median: number; readonly max: number };
  readonly zeroRows: readonly number[];
  /** Rows that repeat an earlier one, with the first of their kind. */
  readonly repeatedRows: readonly { readonly row: number; readonly equals: number }[];
  /** ||mean of the rows||^2 over the mean of ||row||^2: 1 when all rows are equal, 0 when they cancel. */
  readonly meanShare: number;
  /**
   * The relative spacing of the numbers: 2^-52 for float64, 2^-23 for what was float32 once, wherever it is kept now,
   * 10^-5 for a text with six digits; 0 for whole numbers, which are taken as exact.
   */
  readonly resolution: number;
}

/** Norms, rows that make every test fail, and how finely the numbers are spaced. */
export function summarize(features: Matrix): FeatureSummary {
  const [T, d] = features.shape;
  const { values, squaredNorms, twins } = prepareRows(features);
  let largest = 0;
  for (const value of features.data) largest = Math.max(largest, Math.abs(value));
  const scale = 2 ** exponentAbove(largest);
  const zeroRows: number[] = [];
  const repeatedRows: { row: number; equals: number }[] = [];
  twins?.forEach((twin, row) => {
    if (twin < 0) zeroRows.push(row);
    else if (twin !== row) repeatedRows.push({ row, equals: twin });
  });
  const mean = new Float64Array(d);
  values.forEach((value, i) => (mean[i % d] += value / T));
  const squares = squaredNorms.reduce((sum, square) => sum + square / T, 0);
  const norms = squaredNorms.map((square) => Math.sqrt(square) * scale).sort();
  return {
    norms: { min: norms[0], median: (norms[(T - 1) >> 1] + norms[T >> 1]) / 2, max: norms[T - 1] },
    zeroRows,
    repeatedRows,
    meanShare: squares === 0 ? 0 : mean.reduce((sum, value) => sum + value * value, 0) / squares,
    resolution: resolutionOf(features.data),
  };
}
