import type { DepthPlace, DepthTest } from './measure';
import { depthSteps, networksOf } from './steps';
import { table, type Row, type Table } from '../../report/display';
import { mean } from '../../statistics';

/** sigma_min / sigma_max over the ratio that counts as zero. */
const margin = (test: DepthTest | null, of: 'median' | 'min') => test && test.ratios[of] / test.tolerance;
const isBoundary = ({ part }: DepthPlace) => part === 'embeddings' || part === 'output';

/** One row per block; what lies inside it is in the rows only, for programs. */
export function depthTable(places: readonly DepthPlace[]): Table {
  const rows = networksOf(places).flatMap((own) =>
    own.filter(isBoundary).map((place): Row => {
      const { system, title, precision, images, imageCount, n, d, seed, block, saturation } = place;
      const { assumption1, generalPosition, contexts } = place;
      const about = { system, title, precision, block, images, imageCount, n, d, seed, draws: assumption1.draws };
      return {
        ...about,
        assumption1: assumption1.fraction,
        assumption1Margin: margin(assumption1, 'median'),
        assumption1LeastMargin: margin(assumption1, 'min'),
        generalPosition: generalPosition?.fraction ?? null,
        generalPositionMargin: margin(generalPosition, 'median'),
        generalPositionLeastMargin: margin(generalPosition, 'min'),
        assumption2: contexts?.fraction ?? null,
        contextMargin: margin(contexts, 'median'),
        contextLeastMargin: margin(contexts, 'min'),
        largestWeight: saturation && mean(saturation.largestWeights),
        largestWeightByHead: saturation && [...saturation.largestWeights],
        entropy: saturation && mean(saturation.entropies),
        entropyByHead: saturation && [...saturation.entropies],
        saturated: saturation?.saturated ?? null,
        ...insideRatios(own.filter((one) => one.block === block && !isBoundary(one))),
      };
    }),
  );
  const marginAbout = 'median σ_min/σ_max of random subsets over what counts as zero';
  return table(
    'depth',
    rows,
    [
      { key: 'title', title: 'Network' },
      { key: 'precision', about: 'of the features and of the tolerance' },
      {
        key: 'block',
        about: 'after which the vectors are taken',
        format: (value) => (value === 0 ? 'embeddings' : String(value)),
      },
      { key: 'imageCount', title: 'images', format: 'integer', about: 'query vectors, one for each' },
      { key: 'assumption1', title: 'k = n', format: 'fraction', about: 'share of independent n-subsets' },
      { key: 'assumption1Margin', title: 'margin', about: marginAbout },
      { key: 'assumption1LeastMargin', title: 'least', about: 'the smallest margin seen' },
      { key: 'generalPosition', title: 'k = d', format: 'fraction', about: 'share of independent d-subsets' },
      { key: 'generalPositionMargin', title: 'margin', about: marginAbout },
      { key: 'assumption2', title: 'contexts', format: 'fraction', about: 'share of context matrices of rank n' },
      { key: 'contextMargin', title: 'margin', about: 'the same of some context matrices' },
      { key: 'largestWeight', title: 'largest weight', about: 'of the query’s attention, mean over heads and images' },
      { key: 'entropy', about: 'of the query’s attention over ln n: 1 is spread evenly' },
    ],
    {
      title: 'After every block',
      group: 'title',
      note: 'Margins are at the tolerance of the features’ own precision. k = d needs more images than d.',
    },
  );
}

/** Median ratios inside one block, by names such as `mlp k=n`. */
function insideRatios(places: readonly DepthPlace[]): Record<string, number | null> {
  const ratios: Record<string, number | null> = {};
  for (const { part, assumption1, generalPosition, byHead } of places) {
    ratios[`${part} k=n`] = assumption1.ratios.median;
    ratios[`${part} k=d`] = generalPosition?.ratios.median ?? null;
    if (byHead) ratios['each head k=d_h'] = byHead.ratios.median;
  }
  return ratios;
}

/** What each step of a block does to independence, in the median of the blocks. */
export function depthStepTable(places: readonly DepthPlace[]): Table {
  return table(
    'depth-steps',
    depthSteps(places).map(({ factors, ...step }): Row => ({
      ...step,
      blocks: factors.length,
      median: Number.isNaN(step.median) ? null : step.median,
      least: factors.length > 0 ? Math.min(...factors.map(({ factor }) => factor)) : null,
      most: factors.length > 0 ? Math.max(...factors.map(({ factor }) => factor)) : null,
    })),
    [
      { key: 'title', title: 'Network' },
      { key: 'precision', about: 'of the features' },
      { key: 'step', about: 'of a block, from its input to its output' },
      { key: 'blocks', format: 'integer', about: 'blocks in which the vectors before the step are independent' },
      { key: 'median', title: 'factor on σ_min/σ_max', about: 'k = n; median of the blocks' },
      { key: 'least', about: 'the smallest factor of a block' },
      { key: 'most', about: 'the largest factor of a block' },
    ],
    { title: 'Which part does it', group: 'title' },
  );
}
