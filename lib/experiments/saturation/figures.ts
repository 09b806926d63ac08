import type { Data } from 'plotly.js';
import { someSaturated } from './tables';
import type { SweepResult } from '../../memorization/sweep/results';
import { SATURATED } from '../../memorization/training/saturation';
import type { MemorizationResult } from '../../memorization/training/trainer';
import { figure, type Figure } from '../../report/display';
import { formatNumber } from '../../report/format';
import { panels } from '../../report/panels';
import { inHtml } from '../../report/symbols';
import { meanings } from '../../report/theme';
import { trace, type Trace } from '../../report/traces';

const label = ({ config: { heads, examples } }: MemorizationResult) => `H = ${heads}, T = ${examples}`;
const percent = (share: number) => formatNumber(share, 'percent');

/** Share of the examples by how many heads are saturated on them, one panel per model. */
export function saturatedHeadsFigure(results: readonly SweepResult[]): Figure {
  const models = results.map(({ result }) => result);
  return figure({
    name: 'saturated-heads',
    title: 'Heads saturated per example',
    alt: sentences(models, (result) => {
      const mean = formatNumber(result.saturation.meanSaturatedHeads);
      return `${mean} heads on average; at least one on ${percent(someSaturated(result))} of the examples`;
    }),
    note: `A head is saturated on an example when its largest attention weight exceeds ${SATURATED}.`,
    ...bars(models, 'saturated heads', 'share of the examples', ({ saturation, config }) => ({
      x: saturation.examplesBySaturatedHeads.map((_, heads) => heads),
      y: saturation.examplesBySaturatedHeads.map((count) => count / config.examples),
      hover: `%{x} saturated heads: {value} of ${formatNumber(config.examples)} examples`,
    })),
  });
}

/** Histogram of the largest attention weight of each head on each example, one panel per model. */
export function largestWeightFigure(results: readonly SweepResult[]): Figure {
  const models = results.map(({ result }) => result);
  const shares = ({ saturation: { largestWeights }, config }: MemorizationResult) =>
    largestWeights.map((count) => count / (config.heads * config.examples));
  return figure({
    name: 'largest-attention-weights',
    title: 'Largest attention weight of each head on each example',
    alt: sentences(models, (result) => `${percent(shares(result).at(-1)!)} lie above 0.98`),
    ...bars(models, 'largest weight', 'share of heads and examples', (result) => {
      const y = shares(result);
      const middles = y.map((_, bin) => (bin + 0.5) / y.length);
      const pairs = formatNumber(result.config.heads * result.config.examples);
      const hover = `largest weight around %{x:.2f}: {value} of ${pairs} heads and examples`;
      return { x: middles, y, width: 1 / y.length, hover };
    }),
  });
}

function sentences(models: readonly MemorizationResult[], say: (result: MemorizationResult) => string): string {
  return `${models.map((result) => `${label(result)}: ${say(result)}`).join('. ')}.`;
}

/** One histogram per model, side by side. */
function bars(
  models: readonly MemorizationResult[],
  xTitle: string,
  yTitle: string,
  of: (result: MemorizationResult) => Pick<Trace, 'x' | 'y' | 'width' | 'hover'>,
): Pick<Figure, 'data' | 'layout'> {
  const { layout, axes } = panels(
    models.map((model) => inHtml(label(model))),
    250,
    () => ({
      xaxis: { title: { text: xTitle } },
      yaxis: { title: { text: yTitle }, tickformat: '.0%', rangemode: 'tozero' },
    }),
    models.length,
  );
  const data = models.map((result, i): Partial<Data> => {
    const marker = { color: meanings.trained };
    const own = { type: 'bar', name: label(result), showlegend: false, marker, format: 'percent' } as const;
    return trace({ ...own, ...axes(i), ...of(result) });
  });
  // For the panels' titles; there is no legend.
  return { data, layout: { ...layout, margin: { t: 70 }, legend: {} } };
}
