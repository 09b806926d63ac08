import { someSaturated } from './tables';
import { findings, type Findings } from '../findings';
import type { SweepResult } from '../../memorization/sweep/results';
import { SATURATED } from '../../memorization/training/saturation';
import { formatNumber } from '../../report/format';

/** What the trained models say about saturation. */
export function saturationFindings(results: readonly SweepResult[]): Findings {
  const models = results.map(({ result }) => {
    const { config, saturation } = result;
    return {
      result,
      ...config,
      mean: saturation.meanSaturatedHeads,
      share: saturation.meanSaturatedHeads / config.heads,
    };
  });
  const percent = (share: number) => formatNumber(share, 'percent');
  const shares = models.map(({ share }) => percent(share)).join(' and ');
  return findings(
    `${models.some(({ share }) => share > 0) ? 'Trained heads saturate on part of the examples' : 'No trained head saturates'}: ${shares} of head-example pairs put more than ${SATURATED} on one token.`,
    models.map(
      ({ result, heads, examples, mean, share }) =>
        `H = ${heads}, T = ${examples}, ${result.steps} steps, accuracy ${formatNumber(result.accuracy ?? 0, 'fraction')}: on average **${formatNumber(mean)} of ${heads} heads** ` +
        `(${percent(share)}) are saturated on an example, at least one on ${percent(someSaturated(result))} of the examples.`,
    ),
  );
}
