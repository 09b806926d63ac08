import type { Data } from 'plotly.js';
import type { LanguageSystem } from './measure';
import { MARGINS, type AssumptionResult } from '../assumptions/measure';
import { relativeTolerance } from '../../rank';
import { figure, type Figure } from '../../report/display';
import { formatNumber } from '../../report/format';
import { panels } from '../../report/panels';
import { precisionColours, sigmaAxis } from '../../report/theme';
import { trace } from '../../report/traces';

/** sigma_min / sigma_max of random n- and d-subsets in float64, layer by layer, with what float32 and float64 count as zero. */
export function languageMarginFigure(systems: readonly LanguageSystem[], results: readonly AssumptionResult[]): Figure {
  const { layout, axes, horizontalLine } = panels(
    systems.map(({ model, n }) => `${model.title}, n = ${n}, d = ${model.config.hiddenSize}`),
    220,
    (_, isLast) => ({
      xaxis: { dtick: 1, ...(isLast && { title: { text: 'layer (0 = embeddings)' } }) },
      yaxis: sigmaAxis,
    }),
  );
  const data: Partial<Data>[] = [];
  const words: string[] = [];
  systems.forEach(({ layers, model }, panel) => {
    for (const [statement, label, dash] of [
      ['A1', 'k = n', 'solid'],
      ['general-position', 'k = d', 'dash'],
    ] as const) {
      const points = layers.flatMap(({ name }, layer) => {
        const found = results.find(
          (result) => result.system === name && result.statement === statement && result.precision === 'float64',
        );
        // Equal vectors have the ratio 0, which a logarithmic axis cannot show.
        return found?.margin && found.margin.median > 0 ? [{ layer, ratio: found.margin.median }] : [];
      });
      data.push(
        trace({
          mode: 'lines+markers',
          name: label,
          showlegend: panel === 0,
          ...axes(panel),
          x: points.map(({ layer }) => layer),
          y: points.map(({ ratio }) => ratio),
          line: { dash, color: precisionColours.float64, width: 2 },
          hover: `layer %{x}, ${label}: {value}`,
          format: 'scientific',
        }),
      );
      const ratios = points.map(({ layer, ratio }) => `layer ${layer} ${formatNumber(ratio, 'scientific')}`);
      words.push(`${model.title}, ${label}: ${ratios.join(', ')}`);
    }
    const d = model.config.hiddenSize;
    for (const precision of ['float32', 'float64'] as const) {
      const tolerance = relativeTolerance(precision, d, d);
      horizontalLine(panel, tolerance, `${precision} calls this zero (k = d)`, precisionColours[precision]);
    }
  });
  return figure({
    name: 'language-margins',
    title: 'How independent are the query vectors of each layer?',
    alt: `Median ratio of the smallest to the largest singular value of random subsets of query vectors, in float64, against the layer. ${words.join('; ')}.`,
    note: `Median of up to ${MARGINS} subsets; features and singular values in float64. A layer without a point has equal query vectors in every subset.`,
    data,
    layout,
  });
}
