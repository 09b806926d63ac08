import { FITTED_TO, isFitted, type LayerRank } from './measure';
import { shapeColumns } from '../tables';
import type { Capacity } from '../../memorization/capacity/capacity';
import { table, type Row, type Table } from '../../report/display';
import { formatNumber } from '../../report/format';

/** Ranks of feature matrices beside the formulas, one row per layer. */
export function layerRankTable(name: string, ranks: readonly LayerRank[], title: string): Table {
  return table(
    name,
    ranks.map((rank): Row => ({ ...rank, agrees: rank.rank === rank.formula })),
    [
      { key: 'contexts' },
      ...shapeColumns(['heads', 'context', 'headSize', 'width', 'examples']),
      { key: 'theorem', title: 'Theorem 1', format: 'integer', about: 'H(min(n, d_h) − 1) + 1' },
      {
        key: 'formula',
        title: 'min(T, formula)',
        format: 'integer',
        about: 'shared: H(n − 1) + 1; else H d, n = 1: d',
      },
      { key: 'rank', title: 'rank of Z', format: 'integer', about: 'float64, at float64’s tolerance' },
      { key: 'agrees' },
      { key: 'sigmaRatio', title: 'σ_min/σ_max', format: 'scientific', about: 'of the values that should count' },
    ],
    { title },
  );
}

/** What the solved weights did, one row per task. */
export function capacityTable(found: readonly Capacity[]): Table {
  return table(
    'capacity',
    found.map(({ config: { contexts, task, heads, context, headSize, examples, seed }, ...one }): Row => {
      const { theoremLowerBound, sharedUpperBound, featureRank, maxResidual, sigmaRatio } = one;
      const memorized = isFitted(one);
      const shape = { contexts, task, heads, context, headSize, examples, seed };
      return { ...shape, theoremLowerBound, sharedUpperBound, featureRank, memorized, maxResidual, sigmaRatio };
    }),
    [
      { key: 'contexts' },
      { key: 'task' },
      ...shapeColumns(['heads', 'context', 'headSize']),
      { key: 'theoremLowerBound', title: 'Theorem 1', format: 'integer' },
      { key: 'featureRank', title: 'rank of Z', format: 'integer' },
      ...shapeColumns(['examples']),
      {
        key: 'memorized',
        title: 'memorized?',
        about: `largest error at most ${formatNumber(FITTED_TO, 'scientific')}, with the solved weights`,
      },
      { key: 'maxResidual', title: 'largest error', format: 'scientific', about: 'of all examples; labels in [0, 1]' },
    ],
    { title: 'Value and output weights found by one linear solve, run in the model' },
  );
}
