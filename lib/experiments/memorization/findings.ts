import type { Capacity } from '../../memorization/capacity/capacity';
import { fitLine, type PanelPoint } from './measure';
import type { LayerRank } from '../theorem/measure';
import type { SweepResult } from '../../memorization/sweep/results';
import type { Findings } from '../assumptions/findings';

const names = { heads: 'head', context: 'context token', headSize: 'dimension of the heads' } as const;

/** What the trained panels say about growth, panel by panel. */
export function memorizationFindings(
  points: readonly PanelPoint[],
  missing: readonly { readonly run: string }[] = [],
): Findings {
  const panels = [...new Set(points.map(({ panel }) => panel))].map((panel) => {
    const own = points.filter((point) => point.panel === panel);
    const [{ axis, config }] = own;
    return { axis, config, line: fitLine(own.map(({ x, memorized }) => ({ x, y: memorized }))) };
  });
  const grows = panels.filter(({ line }) => line.ci95 !== null && line.ci95[0] > 0);
  const sentences = panels.map(({ axis, config, line }) => {
    const interval = line.ci95 ? ` (95 % interval ${line.ci95[0].toFixed(1)} to ${line.ci95[1].toFixed(1)})` : '';
    return `${config.task}, ${config.contexts} contexts: **${line.slope.toFixed(1)}**${interval} more examples for each further ${names[axis]}; a straight line explains ${(line.r2 * 100).toFixed(0)} %.`;
  });
  const above = points.filter(({ memorized, fixedAttention }) => memorized > fixedAttention).length;
  sentences.push(
    `${above} of ${points.length} trained models memorized more than their attention weights could have carried at their initial values: training moves the features too.`,
  );
  if (missing.length > 0) sentences.push(`Missing: ${missing.map(({ run }) => run).join(', ')}.`);
  return {
    headline: `Memorized examples grow with the axis in ${grows.length} of ${panels.length} panels (95 % interval of the slope above 0).`,
    all: list(sentences),
  };
}

/** What the trained models say about saturation. */
export function saturationFindings(results: readonly SweepResult[]): Findings {
  const sentences = results.map(({ result: { config, saturation, accuracy, steps } }) => {
    const some = 1 - saturation.examplesBySaturatedHeads[0] / config.examples;
    const share = (saturation.meanSaturatedHeads / config.heads) * 100;
    return (
      `H = ${config.heads}, T = ${config.examples}, ${steps} steps, accuracy ${(accuracy ?? 0).toFixed(3)}: on average **${saturation.meanSaturatedHeads.toFixed(2)} of ${config.heads} heads** ` +
      `(${share.toFixed(0)} %) are saturated on an example, at least one on ${(some * 100).toFixed(0)} % of the examples.`
    );
  });
  const shares = results.map(({ result }) => (result.saturation.meanSaturatedHeads / result.config.heads) * 100);
  return {
    headline: `${shares.some((share) => share > 0) ? 'Trained heads saturate on part of the examples' : 'No trained head saturates'}: ${shares.map((share) => `${share.toFixed(0)} %`).join(' and ')} of head-example pairs put more than 0.99 on one token.`,
    all: list(sentences),
  };
}

/** What the ranks and the solved weights say about Theorem 1. */
export function theoremFindings(ranks: readonly LayerRank[], solved: readonly Capacity[]): Findings {
  const agree = ranks.filter(({ rank, formula }) => rank === formula).length;
  const held = solved.filter(({ featureRank, config, memorized }) => memorized === featureRank >= config.examples);
  const worst = Math.max(...solved.filter(({ memorized }) => memorized).map(({ maxResidual }) => maxResidual ?? 0));
  const beyond = ranks.filter(({ theorem, rank }) => theorem !== null && rank > theorem).length;
  const formula = `The rank of Z is the formula's in ${agree} of ${ranks.length} layers`;
  return {
    headline: `${formula}; one linear solve memorized exactly as many examples as the rank in ${held.length} of ${solved.length} tasks.`,
    all: list([
      `${formula}: $H(n-1)+1$ for a shared context, $Hd$ for random ones ($d$ for $n = 1$).`,
      `Where the rank reached the number of examples, value and output weights from one linear solve fitted every label; the largest error was ${worst.toExponential(1)}. One example more, and no weights did.`,
      `${beyond} of ${ranks.length} layers can do more than Theorem 1 promises: with head size below $n$, and wherever examples have contexts of their own.`,
    ]),
  };
}

function list(sentences: readonly string[]): string {
  return sentences.map((sentence) => `- ${sentence}`).join('\n');
}
