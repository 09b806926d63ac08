import type { LayerCurve } from './measure';
import { curveFall } from '../../rank';
import { table, type Table } from '../../report/display';

/** The largest k with all subsets independent, with half of them, with any: one row per curve. */
export function kruskalCurveTable(curves: readonly LayerCurve[]): Table {
  return table(
    'kruskal-curve',
    curves.map(({ title, system, examples, precision, n, d, curve: { permutations, seed, points } }) => {
      return { system, title, images: examples, precision, n, d, permutations, seed, ...curveFall(points) };
    }),
    [
      { key: 'title', title: 'System' },
      { key: 'precision', about: 'of the features and of the tolerance' },
      { key: 'n', about: 'tokens of a context' },
      { key: 'd', about: 'size of a query vector' },
      { key: 'permutations', format: 'integer', about: 'random orders of the vectors behind the curve' },
      {
        key: 'allUpTo',
        title: 'all independent up to k',
        format: 'integer',
        about: 'largest k at which every subset drawn is independent',
      },
      { key: 'halfUpTo', title: 'half up to k', format: 'integer', about: 'the same of at least half of them' },
      { key: 'someUpTo', title: 'any up to k', format: 'integer', about: 'the same of at least one' },
    ],
    {
      title: 'Where the curves fall',
      group: 'title',
      note: 'A witness that fails at k proves that the Kruskal rank at that tolerance is below k; that none was found is an estimate.',
    },
  );
}
