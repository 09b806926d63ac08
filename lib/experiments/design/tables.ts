import { bestDesign, sameSizes, type Design, type MeasuredDesign, type TrainedDesign } from './measure';
import { shapeColumns } from '../tables';
import { table, type Row, type Table } from '../../report/display';
import { mean } from '../../statistics';

/** Every choice that the budget pays for, with what theory, rank and training say of it. */
export function designTable(measured: readonly MeasuredDesign[], trained: readonly TrainedDesign[]): Table {
  return table(
    'designs',
    measured.map((design): Row => {
      const { heads, context, headSize, width, examples } = design.setting;
      const { parameters, theorem, rank, rankAtFloat32 } = design;
      const memorizedBySeed = trained.find(sameSizes(design))?.memorized ?? null;
      const memorized = memorizedBySeed && mean(memorizedBySeed);
      const measures = { parameters, theorem, rank, rankAtFloat32, rankPerParameter: (1000 * rank) / parameters };
      return { context, headSize, heads, width, examples, ...measures, memorized, memorizedBySeed };
    }),
    [
      ...shapeColumns(['context', 'headSize', 'heads']),
      { key: 'parameters', format: 'integer' },
      { key: 'theorem', title: 'Theorem 1', format: 'integer', about: 'H (min(n, d_h, Kruskal rank) − 1) + 1' },
      { key: 'rank', title: 'rank of Z', format: 'integer', about: 'weights fixed at random, float64’s tolerance' },
      { key: 'rankAtFloat32', title: 'at float32’s', format: 'integer', about: 'the same at float32’s tolerance' },
      { key: 'rankPerParameter', title: 'rank per 1000', about: 'rank of Z per 1000 parameters' },
      { key: 'memorized', title: 'trained', format: 'integer', about: 'examples memorized, mean over seeds' },
    ],
    { title: 'What the budget can buy', note: 'H: as many heads as the budget allows.' },
  );
}

/** What Theorem 1 would build for data of another Kruskal rank. */
export function kruskalDesignTable(
  choices: readonly { readonly kruskalRank: number; readonly designs: readonly Design[] }[],
): Table {
  return table(
    'designs-by-kruskal-rank',
    choices.map(({ kruskalRank, designs }): Row => {
      const best = bestDesign(designs, ({ theorem }) => theorem ?? 0);
      const { heads, headSize, context } = best.setting;
      return { kruskalRank, heads, headSize, context, theorem: best.theorem, parameters: best.parameters };
    }),
    [
      { key: 'kruskalRank', title: 'Kruskal rank', format: 'integer' },
      ...shapeColumns(['heads', 'headSize', 'context']),
      { key: 'theorem', title: 'Theorem 1', format: 'integer' },
      { key: 'parameters', format: 'integer' },
    ],
    { title: 'The theorem’s choice, by the Kruskal rank of the query vectors' },
  );
}
