import type { ForwardError, Recheck } from './sceptic';
import type { SmallCopy } from './small-copy';
import type { ToleranceSweep } from './spectra';
import { findings, type Findings } from '../findings';
import { formatNumber } from '../../report/format';

const scientific = (value: number) => formatNumber(value, 'scientific');
const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((total, one) => total + of(one), 0);
/** `6 of 7, 1 of them a counter-example`; all that failed are proofs. */
function counted(satisfied: number, draws: number): string {
  const failed = draws - satisfied;
  return `${satisfied} of ${draws}${failed === 0 ? '' : ` (${failed} ${failed === 1 ? 'is a counter-example' : 'are counter-examples'})`}`;
}

/** What the sceptic's checks say, the draws of the unchanged layers included. */
export function precisionFindings(
  sweeps: readonly ToleranceSweep[],
  rechecks: readonly Recheck[],
  errors: readonly ForwardError[],
  copies: readonly SmallCopy[],
): Findings {
  const disputed = new Set(rechecks.map(({ system }) => system));
  const base = sweeps.filter(({ precision, system }) => precision === 'float64' && disputed.has(system));
  const ofBase = counted(sum(base, ({ generalPosition }) => generalPosition.satisfied), sum(base, ({ generalPosition }) => generalPosition.draws)); // prettier-ignore
  const ofChanged = counted(sum(rechecks, ({ satisfied }) => satisfied), sum(rechecks, ({ draws }) => draws)); // prettier-ignore
  const ofCopies = `${sum(copies, (copy) => copy.independent)} of ${sum(copies, ({ subsets }) => subsets)}`;
  const overTolerance = ({ sigmaRatio, tolerance }: Recheck) => sigmaRatio / tolerance;
  const overError = ({ sigmaMin, errorNorm }: ForwardError) => sigmaMin / errorNorm;
  const lowest = rechecks.reduce((a, b) => (overTolerance(a) < overTolerance(b) ? a : b));
  const least = Math.min(...errors.map(overError));
  const [{ rowsMeasured, k, subsets }] = errors;
  return findings(
    `In float64, ${ofBase} random d-subsets are independent, and with other weights and images ${ofChanged}; σ_min of the worst of ${subsets} subsets a layer is at least ${formatNumber(least)} times the rounding error, as measured on ${rowsMeasured} rows.`,
    [
      ...base.map(
        ({ title, generalPosition: { satisfied, draws } }) =>
          `${title}, unchanged: ${counted(satisfied, draws)} random d-subsets are independent at float64's tolerance.`,
      ),
      `Other weights, other images: **${ofChanged}** random d-subsets are independent in float64; the smallest ratio seen, ${scientific(lowest.sigmaRatio)} (${lowest.title}, ${lowest.change}), is ${formatNumber(overTolerance(lowest))} times what counts as zero.`,
      ...errors.map((one) => errorText(one, overError(one))),
      `Weyl's bound speaks of these ${errors.length} subsets, and of the ${rowsMeasured === k ? `${k} rows` : `${k} rows as far as the ${rowsMeasured} that were measured are typical`} of each.`,
      `Small copies: **${ofCopies}** subsets, which are all there are, are independent to 32 digits.`,
    ],
  );
}

function errorText({ title, rowsMeasured, k, subsets, errorNorm, sigmaMin }: ForwardError, margin: number): string {
  const decides = margin > 1 ? '' : ', so that the exact vectors may be dependent (undecided)';
  return `${title}: the error of the float64 features, measured against 32 digits on ${rowsMeasured} of the ${k} rows of the worst of ${subsets} random subsets, moves no singular value by more than ${scientific(errorNorm)}, if those rows are typical; σ_min is ${scientific(sigmaMin)}, **${formatNumber(margin)} times** as much${decides}.`;
}
