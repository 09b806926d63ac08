import type { FeatureAnalysis, VerdictsAtTolerance } from './measure';
import { witnessText } from './tables';
import { findings, type Findings } from '../findings';
import { formatNumber } from '../../report/format';

/** Puts an analysis into words: what is proved, what is certified, what is estimated, what the numbers cannot say. */
export function featureFindings(analysis: FeatureAnalysis): Findings {
  const { features, summary, verdicts } = analysis;
  const [T, d] = features.shape;
  const most = Math.min(T, d);
  return findings(`${features.name}: ${verdicts.map(shortly).join('; ')}.`, [
    `**${features.origin}**: ${T} vectors of ${d} numbers. ${rankSentence(analysis)}`,
    ...rowSentences(analysis),
    ...verdicts.map(
      (verdict) =>
        `**At the tolerance of ${verdict.rtol}.** ${certainSentence(analysis, verdict)} ${estimateSentence(verdict, most)}`,
    ),
    ...verdicts
      .filter(({ belowResolution }) => belowResolution)
      .map(
        ({ rtol }) =>
          `**Do not read “independent” at ${rtol}'s tolerance as a property of the vectors:** their numbers are spaced ` +
          `${formatNumber(summary.resolution, 'scientific')} apart (relative), and that rounding alone makes rows independent there. ` +
          `Compute the vectors in ${rtol} to decide it. What is dependent there is dependent all the same.`,
      ),
  ]);
}

function rankSentence({ verdicts }: FeatureAnalysis): string {
  const ranks = verdicts.map(({ rtol, rank }) => `${rank} at ${rtol}'s tolerance`);
  return `Rank of all of them together: ${ranks.join(', ')}.`;
}

function rowSentences({ features, summary: { zeroRows, repeatedRows, meanShare } }: FeatureAnalysis): string[] {
  const sentences: string[] = [];
  if (zeroRows.length > 0) {
    const more = zeroRows.length > 1 ? ` and ${zeroRows.length - 1} more are` : ' is';
    sentences.push(`${witnessText(features, [zeroRows[0]]).replace('row', 'Row')}${more} zero: the Kruskal rank is 0.`);
  }
  if (repeatedRows.length > 0) {
    const [{ row, equals }] = repeatedRows;
    const example = witnessText(features, [equals, row]);
    const count = `${repeatedRows.length} ${repeatedRows.length === 1 ? 'row repeats' : 'rows repeat'} an earlier one`;
    sentences.push(`${count} (${example}): the Kruskal rank is at most 1. Leave repeats out to learn about the rest.`);
  }
  if (meanShare > 0.5) {
    sentences.push(`${formatNumber(meanShare, 'percent')} of the squared norm is the mean that all rows share.`);
  }
  return sentences;
}

function certainSentence({ features }: FeatureAnalysis, { bounds, belowResolution }: VerdictsAtTolerance): string {
  const { atLeast, atMost, witness, witnessSigma } = bounds;
  const certified = belowResolution ? 'certified for the numbers as they stand' : 'certified';
  if (atLeast === atMost && witness === null)
    return `The Kruskal rank is ${atMost}, ${certified}: no more is possible.`;
  const range = atLeast === atMost ? `is ${atMost}` : `is at least ${atLeast} (${certified}) and at most ${atMost}`;
  if (witness === null) return `The Kruskal rank ${range}: no dependent set was found, and none excluded in between.`;
  const sigma = witnessSigma && ` (σ_min/σ_max = ${formatNumber(witnessSigma.ratio, 'scientific')})`;
  return `The Kruskal rank ${range}; proved by ${dependent(witnessText(features, witness), witness.length)}${sigma ?? ''}.`;
}

function dependent(rows: string, count: number): string {
  return count === 1 ? `${rows}, which is zero` : `${rows}, which are linearly dependent at this tolerance`;
}

function estimateSentence({ tests, curve, bounds, belowResolution }: VerdictsAtTolerance, most: number): string {
  const reached = Math.min(...curve.lengths);
  const sampled = `Estimated: of ${curve.permutations} random orders of the rows none has a dependent start of up to ${reached} rows`;
  const last = tests.find(({ k }) => k === most);
  const all = last && `; of ${last.draws} random subsets of ${most} rows ${last.satisfied} are independent`;
  const blind =
    reached > bounds.atMost && !belowResolution
      ? ` The sample does not see the ${bounds.atMost + 1} dependent rows; finding them takes the search.`
      : '';
  return `${sampled}${all ?? ''}.${blind}`;
}

function shortly({ rtol, bounds, belowResolution }: VerdictsAtTolerance): string {
  const { atLeast, atMost } = bounds;
  const range = atLeast === atMost ? `Kruskal rank ${atMost}` : `Kruskal rank between ${atLeast} and ${atMost}`;
  return `${range} at ${rtol}'s tolerance${belowResolution ? ' (finer than the numbers)' : ''}`;
}
