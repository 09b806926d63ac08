import type { ForwardError, Recheck } from './sceptic';
import type { SmallCopy } from './small-copy';
import { findings, type Findings } from '../findings';
import { formatNumber } from '../../report/format';

/** What the sceptic's checks say. */
export function precisionFindings(
  rechecks: readonly Recheck[],
  errors: readonly ForwardError[],
  copies: readonly SmallCopy[],
): Findings {
  const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((total, one) => total + of(one), 0);
  const independent = `${sum(rechecks, ({ satisfied }) => satisfied)} of ${sum(rechecks, ({ draws }) => draws)}`;
  const ofCopies = `${sum(copies, (copy) => copy.independent)} of ${sum(copies, ({ subsets }) => subsets)}`;
  const overTolerance = ({ sigmaRatio, tolerance }: Recheck) => sigmaRatio / tolerance;
  const overError = ({ sigmaMin, errorNorm }: ForwardError) => sigmaMin / errorNorm;
  const lowest = rechecks.reduce((a, b) => (overTolerance(a) < overTolerance(b) ? a : b));
  const scientific = (value: number) => formatNumber(value, 'scientific');
  return findings(
    `In float64, ${independent} random d-subsets are independent, on other weights and images too; the smallest singular value is at least ${formatNumber(Math.min(...errors.map(overError)))} times the rounding error.`,
    [
      `Other weights, other images: **${independent}** random d-subsets are independent in float64; the smallest ratio seen, ${scientific(lowest.sigmaRatio)} (${lowest.title}, ${lowest.change}), is ${formatNumber(overTolerance(lowest))} times what counts as zero.`,
      ...errors.map(
        (one) =>
          `${one.title}: the error of the float64 features, measured against 32 digits on ${one.rowsMeasured} rows, moves no singular value by more than ${scientific(one.errorNorm)}; σ_min is ${scientific(one.sigmaMin)}, **${formatNumber(overError(one))} times** as much.`,
      ),
      `Small copies: **${ofCopies}** subsets, which are all there are, are independent to 32 digits.`,
    ],
  );
}
