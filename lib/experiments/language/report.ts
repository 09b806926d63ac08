/** Tables, figure and words for language models, a layer a row. */
import type { Data } from 'plotly.js';
import { MARGINS, type AssumptionResult, type Statement } from '../assumptions/measure';
import type { LanguageSystem } from './measure';
import type { Findings } from '../assumptions/findings';
import { markText } from '../assumptions/tables';
import { figure, table, type Cell, type Figure, type Row, type Table } from '../../report/display';
import { panels } from '../../report/panels';
import { precisionColours } from '../../report/theme';
import type { Precision } from '../../tensor';

/** What the paper's appendix printed, share of 5000 subsets at float32's tolerance: by model, layer and k. */
const PAPER: Readonly<Record<string, Partial<Record<Statement, number>>>> = {
  'gpt2-large-embeddings': { A1: 0, 'general-position': 0 },
  'gpt2-large-layer-1': { A1: 1, 'general-position': 0 },
  'bert-large-uncased-embeddings': { A1: 0, 'general-position': 0 },
  'bert-large-uncased-layer-1': { A1: 0 },
};

/** The models under test. */
export function languageModelTable(systems: readonly LanguageSystem[]): Table {
  return table(
    'language-models',
    systems.map(({ model: { title, config, provenance }, n, layers }) => ({
      title,
      query: config.architecture === 'bert' ? '[CLS]' : 'last token',
      n,
      d: config.hiddenSize,
      heads: config.heads,
      blocks: `${layers.length - 1} of ${config.depth}`,
      weights: Object.entries(provenance)
        .map(([key, value]) => `${key}: ${String(value)}`)
        .join('; '),
    })),
    [
      { key: 'title', title: 'Model' },
      { key: 'query', title: 'Query vector' },
      { key: 'n', about: 'tokens of a passage' },
      { key: 'd', about: 'size of a token' },
      { key: 'heads' },
      { key: 'blocks', about: 'blocks looked at' },
      { key: 'weights', title: 'Weights' },
    ],
  );
}

/** One row a layer: general position and Assumptions 1 and 2 at float32's tolerance, then at float64's. */
export function languageTable(results: readonly AssumptionResult[]): Table {
  const rows = [...new Set(results.map(({ system }) => system))].map((system) => {
    const same = results.filter((result) => result.system === system);
    const row: Record<string, Cell> = { system: same[0].title, n: same[0].n, d: same[0].d };
    for (const precision of ['float32', 'float64'] as const) Object.assign(row, columnsOf(same, precision));
    const paper = PAPER[system];
    row.paper = paper ? paperText(paper) : null;
    return row;
  });
  const columns = (['float32', 'float64'] as const).flatMap((precision) => [
    {
      key: `${precision} A1`,
      title: `${precision}: k = n`,
      format: 'fraction' as const,
      about: 'share of n-subsets that are independent',
    },
    {
      key: `${precision} A1 margin`,
      title: 'margin',
      format: 'times' as const,
      about: 'median of σ_min/σ_max over what counts as zero',
    },
    { key: `${precision} d`, title: 'k = d', format: 'fraction' as const },
    { key: `${precision} d margin`, title: 'margin', format: 'times' as const },
    { key: `${precision} ranks`, title: 'ranks at k = d' },
    { key: `${precision} A2`, title: 'contexts of rank n', format: 'fraction' as const },
  ]);
  // The paper's models are too large for what set-up fetches.
  const paper = rows.some((row) => row.paper !== null) ? [{ key: 'paper', title: 'Paper' }] : [];
  return table('language-table', rows, [{ key: 'system', title: 'Layer' }, ...paper, ...columns], {
    title: 'Every layer of the language models',
    note: 'A share of 1 is an estimate from random subsets; one subset that fails is a proof at its tolerance.',
  });
}

function columnsOf(results: readonly AssumptionResult[], precision: Precision): Row {
  const of = (statement: Statement) =>
    results.find((result) => result.precision === precision && result.statement === statement);
  const [onN, onD, contexts] = [of('A1'), of('general-position'), of('A2')];
  const margin = (result: AssumptionResult | undefined) =>
    result?.margin ? result.margin.median / result.margin.tolerance : null;
  const ranks = Object.keys(onD?.ranks ?? {}).map(Number);
  return {
    [`${precision} A1`]: onN?.fraction ?? null,
    [`${precision} A1 margin`]: margin(onN),
    [`${precision} d`]: onD?.fraction ?? null,
    [`${precision} d margin`]: margin(onD),
    [`${precision} ranks`]:
      ranks.length === 0 ? null : [...new Set([Math.min(...ranks), Math.max(...ranks)])].join('–'),
    [`${precision} A2`]: contexts?.fraction ?? null,
  };
}

function paperText(paper: Partial<Record<Statement, number>>): string {
  const parts = [
    paper.A1 === undefined ? null : `k = n: ${paper.A1}`,
    paper['general-position'] === undefined ? null : `k = d: ${paper['general-position']}`,
  ];
  return parts.filter((part) => part !== null).join(', ');
}

/** sigma_min / sigma_max of random n- and d-subsets in float64, layer by layer, over what float32 and float64 call zero. */
export function languageMarginFigure(systems: readonly LanguageSystem[], results: readonly AssumptionResult[]): Figure {
  const { layout, axes, horizontalLine } = panels(
    systems.map(({ model, n }) => `${model.title}, n = ${n}, d = ${model.config.hiddenSize}`),
    220,
    (_, isLast) => ({
      xaxis: { dtick: 1, ...(isLast && { title: { text: 'layer (0 = embeddings)' } }) },
      yaxis: { type: 'log', exponentformat: 'power', title: { text: 'σ<sub>min</sub> / σ<sub>max</sub>' } },
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
      data.push({
        type: 'scatter',
        mode: 'lines+markers',
        name: label,
        legendgroup: label,
        showlegend: panel === 0,
        ...axes(panel),
        x: points.map(({ layer }) => layer),
        y: points.map(({ ratio }) => ratio),
        line: { dash, color: precisionColours.float64, width: 2 },
        hovertemplate: `layer %{x}, ${label}: %{y:.1e}<extra></extra>`,
      } as Partial<Data>);
      words.push(
        `${model.title}, ${label}: ${points.map(({ layer, ratio }) => `layer ${layer} ${ratio.toExponential(1)}`).join(', ')}`,
      );
    }
    const d = model.config.hiddenSize;
    horizontalLine(panel, d * 2 ** -23, 'float32 calls this zero (k = d)', precisionColours.float32);
    horizontalLine(panel, d * 2 ** -52, 'float64 calls this zero (k = d)', precisionColours.float64);
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

/** What the results say, as a Markdown list and in one sentence. */
export function languageFindings(systems: readonly LanguageSystem[], results: readonly AssumptionResult[]): Findings {
  const find = (system: string, statement: Statement, precision: Precision) =>
    results.find(
      (result) => result.system === system && result.statement === statement && result.precision === precision,
    );
  const sentences: string[] = [];
  const brief: string[] = [];
  for (const { model, layers } of systems) {
    const passing = (statement: Statement, precision: Precision) =>
      layers.flatMap(({ name }, layer) => {
        const result = find(name, statement, precision);
        return result && markText(result).startsWith('✓') ? [layer] : [];
      });
    /** Where all contexts have rank n, and how many have not elsewhere: the paper's mark would forgive one in a hundred. */
    const fullContexts = (precision: Precision) => {
      const tested = layers.flatMap(({ name }, layer) => {
        const result = find(name, 'A2', precision);
        return result ? [{ layer, draws: result.draws, short: result.draws - result.satisfied }] : [];
      });
      const full = tested.filter(({ short }) => short === 0).map(({ layer }) => layer);
      const rest = tested.filter(({ short }) => short > 0);
      const exceptions = rest.map(({ layer, draws, short }) => `${short} of ${draws} fall short in layer ${layer}`);
      return `${listed(full)} (${[precision, ...exceptions].join('; ')})`;
    };
    const of = `of ${layers.length} layers (0 = embeddings)`;
    const [n32, n64] = [passing('A1', 'float32'), passing('A1', 'float64')];
    const [d32, d64] = [passing('general-position', 'float32'), passing('general-position', 'float64')];
    sentences.push(
      `**${model.title}**, ${of}: Assumption 1 holds in ${listed(n32)} at float32's tolerance and in ${listed(n64)} at ` +
        `float64's; general position in ${listed(d32)} and in ${listed(d64)}.`,
    );
    sentences.push(
      `${model.title}: every context has rank n in ${fullContexts('float32')} and in ${fullContexts('float64')}.`,
    );
    const bottom = find(layers[0].name, 'A1', 'float64');
    if (bottom && bottom.fraction < 1) {
      sentences.push(
        model.config.architecture === 'bert'
          ? `${model.title}: the embedding of [CLS] is the same vector for every passage, so any two of them are dependent in every precision.`
          : `${model.title}: the embeddings of the last token fail in every precision where passages end in the same word, for they are then the same vector.`,
      );
    }
    brief.push(
      `${model.title}: k = n in ${n32.length} of ${layers.length} layers at float32's tolerance, ${n64.length} at float64's`,
    );
  }
  return { headline: `${brief.join('; ')}.`, all: sentences.map((sentence) => `- ${sentence}`).join('\n') };
}

function listed(layers: readonly number[]): string {
  if (layers.length === 0) return 'none';
  const runs: [number, number][] = [];
  for (const layer of layers) {
    const last = runs[runs.length - 1];
    if (last && last[1] === layer - 1) last[1] = layer;
    else runs.push([layer, layer]);
  }
  const words = runs.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
  return `${layers.length === 1 ? 'layer' : 'layers'} ${words}`;
}
