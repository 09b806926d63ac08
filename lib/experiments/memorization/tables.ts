import { adamEdges, kindOf, type AdamPoint, type PanelAxis, type PanelPoint } from './measure';
import type { Growth } from './growth';
import { shapeColumns } from '../tables';
import { table, type Row, type Table } from '../../report/display';

export const axisNames: Record<PanelAxis, string> = { heads: 'heads', context: 'context size', headSize: 'head size' };

/** The smallest and the largest of what the seeds gave. */
export function rangeOf(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

/** One row a layer: its exact capacity over the seeds, beside everything that bounds it. */
export function exactCapacityTable(points: readonly PanelPoint[]): Table {
  return table(
    'exact-capacity',
    points.map(({ axis, layer, dimension, bound, theorem, fixedAttention, capacities }): Row => {
      const { heads, context, headSize, width, classes, task, contexts } = layer;
      const [fittedAt, notFittedAt] = [
        rangeOf(capacities.map((one) => one.fittedAt)),
        rangeOf(capacities.map((one) => one.notFittedAt)),
      ];
      const shape = { axis: axisNames[axis], task, contexts, heads, context, headSize, width, classes };
      const share = fittedAt[0] / bound;
      const exact = { dimension, bound, fittedAt, notFittedAt, share, seeds: capacities.length };
      const bySeed = {
        fittedAtBySeed: capacities.map((one) => one.fittedAt),
        notFittedAtBySeed: capacities.map((one) => one.notFittedAt),
      };
      return { ...shape, ...exact, theorem, fixedAttention, ...bySeed };
    }),
    [
      { key: 'axis' },
      { key: 'task' },
      { key: 'contexts' },
      ...shapeColumns(['heads', 'context', 'headSize']),
      { key: 'bound', title: 'dimension / C', format: 'integer', about: 'more examples are fitted with probability 0' },
      {
        key: 'fittedAt',
        title: 'fitted',
        format: 'integer',
        about: 'all of this many examples, to 1e-8: least and most over the seeds',
      },
      {
        key: 'notFittedAt',
        title: 'not fitted',
        format: 'integer',
        about: 'the smallest T that no start fitted; one above the dimension where all were',
      },
      { key: 'share', format: 'percent', about: 'fitted by the seed that fitted least, of the dimension' },
      {
        key: 'fixedAttention',
        title: 'attention fixed',
        format: 'integer',
        about: 'rank of Z: no more while the attention weights stay',
      },
      { key: 'theorem', title: 'Theorem 1', format: 'integer', about: 'H (min(n, d_h) − 1) + 1' },
    ],
    {
      title: 'Exact capacity of each layer',
      note: 'A T that was not fitted may be possible all the same: a search that fails proves nothing. A T above the dimension is impossible.',
    },
  );
}

/** One row a panel: growth before and after the value in the middle, and whether they differ. */
export function growthTable(growths: readonly Growth[]): Table {
  return table(
    'growth',
    growths.map(({ panel, values, before, after, bend, verdict }): Row => {
      const { axis, task, contexts } = panel;
      return { axis: axisNames[axis], task, contexts, between: values, before, after, bend, verdict };
    }),
    [
      { key: 'axis', title: 'per unit of' },
      { key: 'task' },
      { key: 'contexts' },
      { key: 'between', title: 'from, to, and on to', format: 'integer' },
      {
        key: 'before',
        title: 'examples more',
        about: '95 % interval over the seeds, widened by the interval of each capacity',
      },
      { key: 'after', title: 'and from there on', about: 'the same' },
      { key: 'bend', title: 'difference', about: 'second less first, seed by seed' },
      { key: 'verdict', title: 'growth' },
    ],
    {
      title: 'In a straight line, or not?',
      note: '"levels off": the second slope is smaller and its interval holds 0; "slows down": it is smaller; "no bend found": the interval of the difference holds 0.',
    },
  );
}

/** Every training by Adam. */
export function adamTable(points: readonly AdamPoint[]): Table {
  return table(
    'adam-runs',
    points.map(({ config, steps, seconds, loss, fitted, bound }): Row => {
      const { heads, context, headSize, width, examples, seed, learningRate } = config;
      const shape = { kind: kindOf(config), heads, context, headSize, width, examples, seed, learningRate };
      return { ...shape, steps, loss, fitted, share: fitted / examples, bound, seconds };
    }),
    [
      { key: 'kind', title: 'task' },
      ...shapeColumns(['heads', 'context', 'headSize', 'examples']),
      { key: 'seed' },
      { key: 'steps', format: 'integer' },
      { key: 'loss' },
      {
        key: 'fitted',
        title: 'memorized',
        format: 'integer',
        about: 'right answers; outputs within 0.01 of their labels',
      },
      { key: 'share', format: 'fraction', about: 'of the examples' },
      { key: 'bound', title: 'dimension / C', format: 'integer' },
      { key: 'seconds', format: 'seconds' },
    ],
    { title: 'Trained by Adam' },
  );
}

/** One row a kind of layer: up to which T Adam memorized everything. */
export function adamEdgeTable(points: readonly AdamPoint[]): Table {
  return table(
    'adam-edges',
    adamEdges(points).map((edge): Row => ({ ...edge, share: edge.allAt === null ? 0 : edge.allAt / edge.bound })),
    [
      { key: 'kind', title: 'task' },
      { key: 'trainings', format: 'integer' },
      { key: 'bound', title: 'dimension / C', format: 'integer' },
      { key: 'allAt', title: 'all memorized at T', format: 'integer', about: 'by every seed' },
      { key: 'notAllAt', title: 'not all at T', format: 'integer', about: 'by some seed' },
      { key: 'share', format: 'percent', about: 'the largest T of which all were memorized, of the dimension' },
      { key: 'most', title: 'most memorized', format: 'integer', about: 'of any T' },
    ],
    { title: 'How far Adam went' },
  );
}
