import type { Data, Layout } from 'plotly.js';
import type { SweepResult } from '../../memorization/sweep/results';
import type { MemorizationResult } from '../../memorization/training/trainer';
import { figure, table, type Figure, type Table } from '../../report/display';
import { shapeColumns } from '../tables';
import { colours } from '../../report/theme';

const label = ({ config: { heads, examples } }: MemorizationResult) => `H = ${heads}, T = ${examples}`;

/** Share of the examples by how many heads are saturated on them, one panel a model. */
export function saturatedHeadsFigure(results: readonly SweepResult[]): Figure {
  const models = results.map(({ result }) => result);
  const data = models.map((result, i) => ({
    ...{ type: 'bar', name: label(result), xaxis: axis('x', i), yaxis: axis('y', i), showlegend: false },
    x: result.saturation.examplesBySaturatedHeads.map((_, heads) => heads),
    y: result.saturation.examplesBySaturatedHeads.map((count) => count / result.config.examples),
    marker: { color: colours[i % colours.length] },
    hovertemplate: '%{x} heads: %{y:.1%} of the examples<extra></extra>',
  }));
  const none = models.map((result) => 1 - result.saturation.examplesBySaturatedHeads[0] / result.config.examples);
  return figure({
    name: 'saturated-heads',
    title: 'Heads saturated per example',
    alt: models
      .map(
        (result, i) =>
          `${label(result)}: ${result.saturation.meanSaturatedHeads.toFixed(2)} heads on average; at least one on ${(none[i] * 100).toFixed(0)} % of the examples`,
      )
      .join('. ')
      .concat('.'),
    note: 'A head is saturated on an example when its largest attention weight exceeds 0.99.',
    data: data as Partial<Data>[],
    layout: twoPanels(models.map(label), 'saturated heads', 'share of the examples'),
  });
}

/** Histogram of the largest attention weight of each head on each example, one panel a model. */
export function largestWeightFigure(results: readonly SweepResult[]): Figure {
  const models = results.map(({ result }) => result);
  const data = models.map((result, i) => {
    const { largestWeights } = result.saturation;
    const total = result.config.heads * result.config.examples;
    return {
      ...{ type: 'bar', name: label(result), xaxis: axis('x', i), yaxis: axis('y', i), showlegend: false },
      x: largestWeights.map((_, bin) => (bin + 0.5) / largestWeights.length),
      y: largestWeights.map((count) => count / total),
      width: 1 / largestWeights.length,
      marker: { color: colours[i % colours.length] },
      hovertemplate: 'around %{x:.2f}: %{y:.1%}<extra></extra>',
    };
  });
  return figure({
    name: 'largest-attention-weights',
    title: 'Largest attention weight of each head on each example',
    alt: models
      .map((result) => {
        const { largestWeights } = result.saturation;
        const share = largestWeights.at(-1)! / (result.config.heads * result.config.examples);
        return `${label(result)}: ${(share * 100).toFixed(0)} % lie above 0.98`;
      })
      .join('. ')
      .concat('.'),
    data: data as Partial<Data>[],
    layout: twoPanels(models.map(label), 'largest weight', 'share of heads and examples'),
  });
}

/** What was trained, and how saturated it is. */
export function saturationTable(results: readonly SweepResult[]): Table {
  return table(
    'saturation',
    results.map(({ result: { config, steps, loss, accuracy, saturation, seconds } }) => {
      const { heads, context, headSize, examples, seed, learningRate } = config;
      const some = 1 - saturation.examplesBySaturatedHeads[0] / examples;
      return {
        ...{ heads, context, headSize, examples, seed, steps, learningRate, loss, accuracy },
        meanSaturatedHeads: saturation.meanSaturatedHeads,
        shareOfHeads: saturation.meanSaturatedHeads / heads,
        examplesWithOne: some,
        seconds,
      };
    }),
    [
      ...shapeColumns(['heads', 'context', 'headSize', 'examples']),
      { key: 'steps', format: 'integer' },
      { key: 'loss' },
      { key: 'accuracy', format: 'fraction' },
      { key: 'meanSaturatedHeads', title: 'saturated heads per example' },
      { key: 'shareOfHeads', title: 'share of heads', format: 'fraction' },
      { key: 'examplesWithOne', title: 'examples with one or more', format: 'fraction' },
      { key: 'seconds', format: 'seconds' },
    ],
    { title: 'Saturation after training' },
  );
}

function axis(letter: 'x' | 'y', panel: number): string {
  return panel === 0 ? letter : `${letter}${panel + 1}`;
}

function twoPanels(titles: readonly string[], xTitle: string, yTitle: string): Partial<Layout> {
  const layout: Record<string, unknown> = {
    grid: { rows: 1, columns: titles.length, pattern: 'independent', xgap: 0.16 },
    height: 380,
    // For the panels' titles.
    margin: { t: 70 },
  };
  layout.annotations = titles.map((title, i) => ({
    ...{ xref: `${axis('x', i)} domain`, yref: `${axis('y', i)} domain`, x: 0, y: 1.03, xanchor: 'left' },
    ...{ yanchor: 'bottom', text: `<b>${title}</b>`, showarrow: false },
  }));
  titles.forEach((_, i) => {
    const suffix = i === 0 ? '' : `${i + 1}`;
    layout[`xaxis${suffix}`] = { title: { text: xTitle } };
    layout[`yaxis${suffix}`] = { title: { text: yTitle }, tickformat: '.0%', rangemode: 'tozero' };
  });
  return layout as Partial<Layout>;
}
