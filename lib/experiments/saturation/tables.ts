import { shapeColumns } from '../tables';
import type { SweepResult } from '../../memorization/sweep/results';
import type { MemorizationResult } from '../../memorization/training/trainer';
import { table, type Row, type Table } from '../../report/display';

/** Share of the examples on which at least one head is saturated. */
export function someSaturated({ saturation, config }: MemorizationResult): number {
  return 1 - saturation.examplesBySaturatedHeads[0] / config.examples;
}

/** What was trained, and how saturated it is. */
export function saturationTable(results: readonly SweepResult[]): Table {
  return table(
    'saturation',
    results.map(({ result }): Row => {
      const { config, steps, loss, accuracy, saturation, seconds } = result;
      const { heads, context, headSize, examples, seed, learningRate } = config;
      const { meanSaturatedHeads } = saturation;
      const trained = { heads, context, headSize, examples, seed, steps, learningRate, loss, accuracy };
      const shareOfHeads = meanSaturatedHeads / heads;
      return { ...trained, meanSaturatedHeads, shareOfHeads, examplesWithOne: someSaturated(result), seconds };
    }),
    [
      ...shapeColumns(['heads', 'context', 'headSize', 'examples']),
      { key: 'steps', format: 'integer', about: 'of the training' },
      { key: 'loss', about: 'mean cross-entropy over all examples' },
      { key: 'accuracy', format: 'fraction', about: 'share of the examples whose label is right' },
      { key: 'meanSaturatedHeads', title: 'saturated heads per example', about: 'mean over the examples' },
      { key: 'shareOfHeads', title: 'share of heads', format: 'fraction', about: 'the same over H' },
      {
        key: 'examplesWithOne',
        title: 'examples with one or more',
        format: 'fraction',
        about: 'share of the examples on which a head is saturated',
      },
      { key: 'seconds', format: 'seconds', about: 'duration of the training' },
    ],
    { title: 'Saturation after training' },
  );
}
