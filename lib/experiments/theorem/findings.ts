import type { LayerRank } from './measure';
import { findings, type Findings } from '../findings';
import type { Capacity } from '../../memorization/capacity/capacity';
import { formatNumber } from '../../report/format';

/** What the ranks and the solved weights say about Theorem 1. */
export function theoremFindings(ranks: readonly LayerRank[], solved: readonly Capacity[]): Findings {
  const agree = ranks.filter(({ rank, formula }) => rank === formula).length;
  const held = solved.filter(({ featureRank, config, memorized }) => memorized === featureRank >= config.examples);
  const worst = Math.max(...solved.filter(({ memorized }) => memorized).map(({ maxResidual }) => maxResidual ?? 0));
  const beyond = ranks.filter(({ theorem, rank }) => theorem !== null && rank > theorem).length;
  const formula = `The rank of Z is the formula's in ${agree} of ${ranks.length} layers`;
  return findings(
    `${formula}; one linear solve memorized exactly as many examples as the rank in ${held.length} of ${solved.length} tasks.`,
    [
      `${formula}: $H(n-1)+1$ for a shared context, $Hd$ for random ones ($d$ for $n = 1$).`,
      `Where the rank reached the number of examples, value and output weights from one linear solve fitted every label; the largest error was ${formatNumber(worst, 'scientific')}. With one more example, no weights did.`,
      `${beyond} of ${ranks.length} layers can do more than Theorem 1 promises: where the head size is below $n$, and wherever examples have contexts of their own.`,
    ],
  );
}
