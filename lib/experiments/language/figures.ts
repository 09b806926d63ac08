import type { Data } from 'plotly.js';
import type { LanguageSystem } from './measure';
import { MARGINS, type AssumptionResult, type Statement } from '../assumptions/measure';
import { relativeTolerance } from '../../rank';
import { figure, type Figure } from '../../report/display';
import { formatNumber } from '../../report/format';
import { logAxis } from '../../report/log-axis';
import { panels } from '../../report/panels';
import { precisionColours, sigmaAxis } from '../../report/theme';
import { trace } from '../../report/traces';

/** sigma_min / sigma_max of random n- and d-subsets in float64, layer by layer, with what float32 and float64 count as zero. */
export function languageMarginFigure(systems: readonly LanguageSystem[], results: readonly AssumptionResult[]): Figure {
  const found = (name: string, statement: Statement) =>
    results.find((one) => one.system === name && one.statement === statement && one.precision === 'float64');
  const scales = systems.map(({ layers, model }) =>
    logAxis(
      layers.flatMap(({ name }) =>
        (['A1', 'general-position'] as const).flatMap((statement) => found(name, statement)?.margin?.median ?? []),
      ),
      { shown: tolerancesOf(model.config.hiddenSize).map(({ tolerance }) => tolerance) },
    ),
  );
  const { layout, axes, horizontalLine, zeros } = panels(
    systems.map(({ model, n }) => `${model.title}, <i>n</i> = ${n}, <i>d</i> = ${model.config.hiddenSize}`),
    260,
    (panel, isLast) => ({
      xaxis: { dtick: 1, ...(isLast && { title: { text: 'layer (0 = embeddings)' } }) },
      yaxis: { ...scales[panel].axis, title: sigmaAxis.title },
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
        const result = found(name, statement);
        return result?.margin ? [{ layer, ratio: result.margin.median, draws: result.margin.values.length }] : [];
      });
      data.push(
        trace({
          mode: 'lines+markers',
          name: label,
          showlegend: panel === 0,
          ...axes(panel),
          x: points.map(({ layer }) => layer),
          y: points.map(({ ratio }) => scales[panel].place(ratio)),
          line: { dash, color: precisionColours.float64, width: 2 },
          hover: `layer %{x}, ${label}: {value}<extra>float64 features</extra>`,
          values: points.map(
            ({ ratio, draws }) => `σ_min/σ_max = ${formatNumber(ratio, 'scientific')}, median of ${draws} subsets`,
          ),
        }),
      );
      const ratios = points.map(({ layer, ratio }) => `layer ${layer} ${formatNumber(ratio, 'scientific')}`);
      words.push(`${model.title}, ${label}: ${ratios.join(', ')}`);
    }
    for (const { precision, tolerance } of tolerancesOf(model.config.hiddenSize)) {
      horizontalLine(panel, tolerance, `below: zero in ${precision}`, precisionColours[precision]);
    }
    zeros(panel, 'y', scales[panel]);
  });
  return figure({
    name: 'language-margins',
    title: 'How independent are the query vectors of each layer?',
    alt: `Median ratio of the smallest to the largest singular value of random subsets of query vectors, in float64, against the layer. ${words.join('; ')}.`,
    note: `Median of up to ${MARGINS} subsets; features and singular values in float64. Dotted: what float32 and float64 count as zero, d · ε. In the grey strip the median is exactly 0: equal query vectors in the subsets.`,
    data,
    layout,
  });
}

/** For k = n and for k = d, because d is the larger of n and d in every model here. */
function tolerancesOf(d: number) {
  return (['float32', 'float64'] as const).map((precision) => ({
    precision,
    tolerance: relativeTolerance(precision, d, d),
  }));
}
