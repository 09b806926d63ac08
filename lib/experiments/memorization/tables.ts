import { panelsOf, type PanelAxis, type PanelPoint } from './measure';
import { shapeColumns } from '../tables';
import { table, type Row, type Table } from '../../report/display';

export const axisNames: Record<PanelAxis, string> = { heads: 'heads', context: 'context size', headSize: 'head size' };

/** One row a panel: the slope of memorized examples with its interval, beside the theorem's and fixed attention's. */
export function slopeTable(points: readonly PanelPoint[]): Table {
  const rows = (['context', 'heads', 'headSize'] as const).flatMap((axis) =>
    panelsOf(points, axis).map(({ points: own, config: { task, contexts }, trained, theorem, fixedAttention }): Row => {
      const { slope, ci95, r2 } = trained;
      const [theoremSlope, fixedAttentionSlope] = [theorem.slope, fixedAttention.slope];
      const lines = { slope, ci95, r2, theoremSlope, fixedAttentionSlope, increases: ci95 !== null && ci95[0] > 0 };
      return { axis: axisNames[axis], task, contexts, models: own.length, ...lines };
    }),
  );
  return table(
    'memorization-slopes',
    rows,
    [
      { key: 'axis', title: 'per unit of' },
      { key: 'task' },
      { key: 'contexts' },
      { key: 'models', format: 'integer' },
      { key: 'slope', title: 'more examples memorized', about: 'slope of the least-squares line' },
      { key: 'ci95', title: '95 % interval', about: 'of the slope, Student’s t' },
      { key: 'r2', title: 'R²', about: 'share of the variance that the line explains' },
      { key: 'theoremSlope', title: 'Theorem 1', about: 'slope of what it promises' },
      { key: 'fixedAttentionSlope', title: 'attention fixed', about: 'slope of the rank of Z, cut at T' },
      { key: 'increases', title: 'grows?', about: 'the interval lies above 0' },
    ],
    {
      title: 'How many more examples one more head, token or dimension memorizes',
      note: 'Trained attention adapts to its examples, so it may memorize more than fixed attention can; short training, less.',
    },
  );
}

/** Every trained model: what the figures are made of. */
export function memorizationTable(points: readonly PanelPoint[]): Table {
  return table(
    'memorization-runs',
    points.map(({ panel, config, loss, accuracy, memorized, theorem, fixedAttention, steps, seconds }) => {
      const { heads, context, headSize, width, examples, contexts, task, classes, seed, learningRate } = config;
      const model = { heads, context, headSize, width, examples, contexts, task, classes, seed, learningRate };
      return { panel, ...model, steps, loss, accuracy, memorized, theorem, fixedAttention, seconds };
    }),
    [
      { key: 'panel' },
      ...shapeColumns(['heads', 'context', 'headSize', 'examples']),
      { key: 'seed' },
      { key: 'steps', format: 'integer' },
      { key: 'loss' },
      { key: 'accuracy', format: 'fraction' },
      { key: 'memorized', format: 'integer' },
      { key: 'theorem', title: 'Theorem 1', format: 'integer' },
      { key: 'fixedAttention', title: 'attention fixed', format: 'integer' },
      { key: 'seconds', format: 'seconds' },
    ],
    { title: 'All trained models' },
  );
}
