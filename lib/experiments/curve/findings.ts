import type { LayerCurve } from './measure';
import { curveFall } from '../../rank';
import { findings, type Findings } from '../findings';
import { formatNumber } from '../../report/format';

/** What the curves say: the sentence to remember, and one for each curve, in Markdown. */
export function kruskalCurveFindings(curves: readonly LayerCurve[]): Findings {
  const shares = (['float32', 'float64'] as const).map((precision) => {
    const same = curves.filter((curve) => curve.precision === precision);
    const whole = same.filter(({ curve, d }) => curveFall(curve.points).allUpTo === d);
    return `${whole.length} of ${same.length} systems at ${precision}'s tolerance`;
  });
  const lowest = curves
    .filter(({ curve, d }) => curveFall(curve.points).allUpTo === d)
    .flatMap(({ curve }) => curve.points.map(({ ci95 }) => ci95[0]));
  const interval =
    lowest.length > 0
      ? ` (at each k, at least ${formatNumber(Math.min(...lowest), 'percent')} of all subsets, at 95 %)`
      : '';
  return findings(
    `Every subset drawn is independent, for every k up to d, in ${shares.join(' and in ')}${interval}.`,
    curves.map(({ title, precision, curve, d }) => {
      const { allUpTo, someUpTo } = curveFall(curve.points);
      const end = allUpTo === d ? `up to $k = d = ${d}$` : `up to $k = ${allUpTo}$, none above $k = ${someUpTo}$`;
      return `${title}, ${precision}: every subset drawn is independent ${end}.`;
    }),
  );
}
