import type { Data, Layout } from 'plotly.js';
import { bestDesign, type Design, type MeasuredDesign, type TrainedDesign } from './measure';
import { mean } from '../../rank';
import type { Findings } from '../assumptions/findings';
import { figure, table, type Figure, type Row, type Table } from '../../report/display';
import { shapeColumns } from '../tables';
import { colours, neutral } from '../../report/theme';

const name = ({ setting: { heads, context, headSize } }: Design) => `H = ${heads}, d_h = ${headSize}, n = ${context}`;
const same = (a: Design) => (b: Design) => name(a) === name(b);

/** Every choice that the budget pays for, with what theory, rank and training say of it. */
export function designTable(measured: readonly MeasuredDesign[], trained: readonly TrainedDesign[]): Table {
  return table(
    'designs',
    measured.map((design): Row => {
      const { heads, context, headSize, width, examples } = design.setting;
      const { parameters, theorem, rank, rankAtFloat32 } = design;
      const run = trained.find(same(design));
      return {
        ...{ context, headSize, heads, width, examples, parameters, theorem, rank, rankAtFloat32 },
        rankPerParameter: (1000 * rank) / parameters,
        memorized: run ? mean(run.memorized) : null,
        memorizedBySeed: run ? [...run.memorized] : null,
      };
    }),
    [
      ...shapeColumns(['context', 'headSize', 'heads']),
      { key: 'parameters', format: 'integer' },
      { key: 'theorem', title: 'Theorem 1', format: 'integer', about: 'H (min(n, d_h, Kruskal rank) - 1) + 1' },
      { key: 'rank', title: 'rank of Z', format: 'integer', about: 'weights fixed at random, float64’s tolerance' },
      { key: 'rankAtFloat32', title: 'at float32’s', format: 'integer', about: 'the same at float32’s tolerance' },
      { key: 'rankPerParameter', title: 'rank per 1000', format: 'number', about: 'rank of Z per 1000 parameters' },
      { key: 'memorized', title: 'trained', format: 'integer', about: 'examples memorized, mean over seeds' },
    ],
    { title: 'What the budget can buy', note: 'H: as many heads as the budget allows.' },
  );
}

/** Examples memorized against head size, a panel for each n; the number of heads stands below each head size. */
export function designFigure(measured: readonly MeasuredDesign[], trained: readonly TrainedDesign[]): Figure {
  const contexts = [...new Set(measured.map(({ setting }) => setting.context))].sort((a, b) => a - b);
  const top = 1.3 * Math.max(...measured.map(({ rank }) => rank), ...trained.flatMap(({ memorized }) => memorized));
  const data: Partial<Data>[] = [];
  const annotations: Partial<Layout['annotations'][number]>[] = [];
  const layout: Record<string, unknown> = {
    grid: { rows: 1, columns: contexts.length, pattern: 'independent', xgap: 0.08 },
    height: 470,
    legend: { orientation: 'h', x: 0, y: -0.3, yanchor: 'top' },
    margin: { t: 84 },
    annotations,
  };
  contexts.forEach((context, panel) => {
    const suffix = panel === 0 ? '' : `${panel + 1}`;
    const axes = { xaxis: `x${suffix}`, yaxis: `y${suffix}`, showlegend: panel === 0 };
    const own = measured
      .filter(({ setting }) => setting.context === context)
      .sort((a, b) => a.setting.headSize - b.setting.headSize);
    const x = own.map(({ setting }) => String(setting.headSize));
    layout[`xaxis${suffix}`] = {
      type: 'category',
      categoryarray: x,
      tickvals: x,
      ticktext: own.map(({ setting }) => `${setting.headSize}<br>${setting.heads}`),
      title: { text: panel === 0 ? 'head size <i>d<sub>h</sub></i> (above), heads <i>H</i> (below)' : '' },
    };
    layout[`yaxis${suffix}`] = {
      type: 'log',
      range: [-0.1, Math.log10(top)],
      dtick: 1,
      ...(panel === 0 ? { title: { text: 'examples memorized' } } : { showticklabels: false }),
    };
    annotations.push({
      ...{ xref: `x${suffix} domain` as 'x', yref: `y${suffix} domain` as 'y', x: 0, y: 1.02, xanchor: 'left' },
      ...{ yanchor: 'bottom', text: `<b><i>n</i> = ${context}</b>`, showarrow: false },
    });
    data.push(...curves(own, x, axes), trainedMarks(trained, context, axes));
  });
  const { setting } = measured[0];
  const best = bestDesign(measured, ({ rank }) => rank);
  return figure({
    name: 'designs',
    title: 'Layers of equal size: which memorizes most?',
    alt:
      'For each number of context tokens, examples memorized against head size, with as many heads as the budget of parameters allows: what Theorem 1 promises, the rank of the feature matrix at two tolerances, and trained layers. ' +
      `The greatest rank, ${best.rank}, has ${name(best)}.`,
    note: `d = ${setting.width}, ${setting.examples} examples, ${setting.contexts} contexts; no layer has more than the budget's parameters. The highest mark is the layer to build.`,
    data,
    layout: layout as Partial<Layout>,
  });
}

function curves(own: readonly MeasuredDesign[], x: readonly string[], axes: object): Partial<Data>[] {
  const text = own.map((design) => `${name(design)}, ${design.parameters} parameters`);
  const line = (title: string, y: readonly (number | null)[], style: object) => ({
    ...{ type: 'scatter', mode: 'lines+markers', name: title, legendgroup: title, x, y, text, ...axes },
    hovertemplate: `%{text}: %{y}<extra>${title}</extra>`,
    ...style,
  });
  return [
    line(
      'rank of Z, float64’s tolerance',
      own.map(({ rank }) => rank),
      {
        ...{ line: { color: colours[1] }, marker: { color: colours[1], symbol: 'square' } },
      },
    ),
    line(
      'rank of Z, float32’s tolerance',
      own.map(({ rankAtFloat32 }) => rankAtFloat32),
      {
        ...{ line: { color: colours[0], dash: 'dash' }, marker: { color: colours[0], symbol: 'diamond' } },
      },
    ),
    line(
      'Theorem 1',
      own.map(({ theorem }) => theorem),
      {
        ...{ line: { color: neutral, dash: 'dot' }, marker: { color: neutral, symbol: 'triangle-up' } },
      },
    ),
  ] as Partial<Data>[];
}

function trainedMarks(trained: readonly TrainedDesign[], context: number, axes: object): Partial<Data> {
  const marks = trained
    .filter(({ setting }) => setting.context === context)
    .flatMap((design) => design.memorized.map((memorized) => ({ design, memorized })));
  return {
    ...{ type: 'scatter', mode: 'markers', name: 'trained', legendgroup: 'trained', ...axes },
    x: marks.map(({ design }) => String(design.setting.headSize)),
    // A logarithmic axis has no zero.
    y: marks.map(({ memorized }) => Math.max(memorized, 1)),
    text: marks.map(({ design }) => name(design)),
    marker: { symbol: 'circle-open', size: 11, color: colours[2], line: { width: 2 } },
    hovertemplate: '%{text}: %{y:.0f}<extra>trained</extra>',
  } as Partial<Data>;
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

/** Which choice theory, rank and training make, and how the trained layers order themselves. */
export function designFindings(
  kruskalRank: number,
  measured: readonly MeasuredDesign[],
  trained: readonly TrainedDesign[],
): Findings {
  const byTheorem = bestDesign(measured, ({ theorem }) => theorem ?? 0);
  const byRank = bestDesign(measured, ({ rank }) => rank);
  const byFloat32 = bestDesign(measured, ({ rankAtFloat32 }) => rankAtFloat32);
  const byTraining = bestDesign(trained, ({ memorized }) => mean(memorized));
  const memorized = (design: Design) => {
    const run = trained.find(same(design));
    return run ? `, trained ${mean(run.memorized).toFixed(0)}` : '';
  };
  const worst = trained.reduce((a, b) => (mean(b.memorized) < mean(a.memorized) ? b : a));
  const beyond = trained.filter((design) => {
    const found = measured.find(same(design));
    return found !== undefined && mean(design.memorized) > found.rank;
  });
  const sentences = [
    `The largest candidate for the Kruskal rank that no subset refutes is **${kruskalRank}**; Theorem 1 counts no more of a head than that.`,
    `Theorem 1 chooses **${name(byTheorem)}** (${byTheorem.theorem} examples${memorized(byTheorem)}).`,
    `The rank of the feature matrix chooses **${name(byRank)}** (${byRank.rank}${memorized(byRank)}); at float32's tolerance ${name(byFloat32)} (${byFloat32.rankAtFloat32}${memorized(byFloat32)}).`,
    `Of the trained layers of equal size **${name(byTraining)}** memorized most, ${mean(byTraining.memorized).toFixed(0)} examples; ${name(worst)} least, ${mean(worst.memorized).toFixed(0)}.`,
    `${beyond.length} of ${trained.length} trained layers memorized more than the rank of their random features.`,
  ];
  return {
    headline: `With at most ${Math.max(...measured.map(({ parameters }) => parameters))} parameters, ${name(byTraining)} memorized most when trained; the rank of random features chose ${name(byRank)}, Theorem 1 ${name(byTheorem)}.`,
    all: sentences.map((sentence) => `- ${sentence}`).join('\n'),
  };
}
