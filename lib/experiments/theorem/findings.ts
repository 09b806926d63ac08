import { FITTED_TO, isFitted, type LayerRank } from './measure';
import { findings, type Findings } from '../findings';
import type { Capacity } from '../../memorization/capacity/capacity';
import { formatNumber } from '../../report/format';

/** What the ranks and the solved weights say about Theorem 1. */
export function theoremFindings(ranks: readonly LayerRank[], solved: readonly Capacity[]): Findings {
  const agree = ranks.filter(({ rank, formula }) => rank === formula).length;
  const held = solved.filter((one) => isFitted(one) === one.featureRank >= one.config.examples);
  const errors = (fitted: boolean) =>
    solved.filter((one) => isFitted(one) === fitted).map(({ maxResidual }) => maxResidual ?? Infinity);
  const [worst, least] = [Math.max(...errors(true)), Math.min(...errors(false))];
  const beyond = ranks.filter(({ theorem, rank }) => theorem !== null && rank > theorem).length;
  const formula = `The rank of Z is the formula's in ${agree} of ${ranks.length} layers`;
  return findings(
    `${formula}; one linear solve memorized exactly as many examples as the rank in ${held.length} of ${solved.length} tasks.`,
    [
      `${formula}: $H(n-1)+1$ for a shared context, $Hd$ for random ones ($d$ for $n = 1$).`,
      `In ${held.length} of ${solved.length} tasks, value and output weights from one linear solve fitted every label to ${formatNumber(FITTED_TO, 'scientific')} exactly when the rank reached the number of examples. Fitted labels were off by at most ${formatNumber(worst, 'scientific')}, which is float64's rounding of large weights; with one more example some label was off by at least ${formatNumber(least, 'scientific')}.`,
      `${beyond} of ${ranks.length} layers can do more than Theorem 1 promises: where the head size is below $n$, and wherever examples have contexts of their own.`,
    ],
  );
}
