import type { Data } from 'plotly.js';
import type { DepthPart, DepthPlace, DepthTest } from './measure';
import { depthSteps, networksOf } from './steps';
import { groupBy } from '../../statistics';
import { mean } from '../../rank';
import { figure, table, type Figure, type Row, type Table } from '../../report/display';
import { bySystem, panels } from '../../report/panels';
import { colours, neutral, precisionColours } from '../../report/theme';

/** Ratios that are smaller are those of dependent vectors, all equal or in a plane, and rounding only. */
const ROUNDING = 1e-15;

const partNames: Readonly<Record<DepthPart, string>> = {
  embeddings: 'embeddings',
  'norm-1': 'after LayerNorm 1',
  heads: 'heads, side by side',
  attention: 'what attention adds',
  residual: 'after adding attention',
  'norm-2': 'after LayerNorm 2',
  mlp: 'what the MLP adds',
  output: 'output of the block',
};

const margin = (test: DepthTest | null, of: 'median' | 'min') => test && test.ratios[of] / test.tolerance;
const isBoundary = ({ part }: DepthPlace) => part === 'embeddings' || part === 'output';

/** One row a block, with what lies inside of it kept for programs. */
export function depthTable(places: readonly DepthPlace[]): Table {
  const rows = networksOf(places).flatMap((own) =>
    own.filter(isBoundary).map((place): Row => {
      const { system, title, precision, images, imageCount, n, d, seed, block, saturation } = place;
      const { assumption1, generalPosition, contexts } = place;
      return {
        ...{ system, title, precision, block, images, imageCount, n, d, seed, draws: assumption1.draws },
        assumption1: assumption1.fraction,
        assumption1Margin: margin(assumption1, 'median'),
        assumption1LeastMargin: margin(assumption1, 'min'),
        generalPosition: generalPosition?.fraction ?? null,
        generalPositionMargin: margin(generalPosition, 'median'),
        generalPositionLeastMargin: margin(generalPosition, 'min'),
        assumption2: contexts?.fraction ?? null,
        contextMargin: margin(contexts, 'median'),
        contextLeastMargin: margin(contexts, 'min'),
        largestWeight: saturation && mean(saturation.largestWeights),
        largestWeightByHead: saturation && [...saturation.largestWeights],
        entropy: saturation && mean(saturation.entropies),
        entropyByHead: saturation && [...saturation.entropies],
        saturated: saturation?.saturated ?? null,
        ...insideRatios(own.filter((one) => one.block === block && !isBoundary(one))),
      };
    }),
  );
  const marginAbout = 'median σ_min/σ_max of random subsets over what counts as zero';
  return table(
    'depth',
    rows,
    [
      { key: 'title', title: 'Network' },
      { key: 'precision', title: 'features' },
      { key: 'block', format: (value) => (value === 0 ? 'embeddings' : String(value)) },
      { key: 'imageCount', title: 'images', format: 'integer' },
      { key: 'assumption1', title: 'k = n', format: 'fraction', about: 'share of independent n-subsets' },
      { key: 'assumption1Margin', title: 'margin', format: 'number', about: marginAbout },
      { key: 'assumption1LeastMargin', title: 'least', format: 'number', about: 'the smallest margin seen' },
      { key: 'generalPosition', title: 'k = d', format: 'fraction', about: 'share of independent d-subsets' },
      { key: 'generalPositionMargin', title: 'margin', format: 'number', about: marginAbout },
      { key: 'assumption2', title: 'contexts', format: 'fraction', about: 'share of context matrices of rank n' },
      { key: 'contextMargin', title: 'margin', format: 'number', about: 'the same of some context matrices' },
      {
        key: 'largestWeight',
        title: 'largest weight',
        format: 'number',
        about: 'of the query’s attention, mean over heads and images',
      },
      { key: 'entropy', format: 'number', about: 'of the query’s attention over ln n: 1 is spread evenly' },
    ],
    {
      title: 'After every block',
      note: 'Margins are at the tolerance of the features’ own precision. k = d needs more images than d.',
    },
  );
}

/** Median ratios inside of one block, by names such as `mlp k=n`. */
function insideRatios(places: readonly DepthPlace[]): Record<string, number | null> {
  const ratios: Record<string, number | null> = {};
  for (const { part, assumption1, generalPosition, byHead } of places) {
    ratios[`${part} k=n`] = assumption1.ratios.median;
    ratios[`${part} k=d`] = generalPosition?.ratios.median ?? null;
    if (byHead) ratios['each head k=d_h'] = byHead.ratios.median;
  }
  return ratios;
}

/** What each step of a block does to independence, in the median of the blocks. */
export function depthStepTable(places: readonly DepthPlace[]): Table {
  return table(
    'depth-steps',
    depthSteps(places).map(({ factors, ...step }): Row => ({
      ...step,
      blocks: factors.length,
      median: Number.isNaN(step.median) ? null : step.median,
      least: factors.length > 0 ? Math.min(...factors.map(({ factor }) => factor)) : null,
      most: factors.length > 0 ? Math.max(...factors.map(({ factor }) => factor)) : null,
    })),
    [
      { key: 'title', title: 'Network' },
      { key: 'precision', title: 'features' },
      { key: 'step', title: 'step' },
      { key: 'blocks', format: 'integer', about: 'blocks in which the vectors before the step are independent' },
      { key: 'median', title: 'factor on σ_min/σ_max', format: 'number', about: 'k = n; median of the blocks' },
      { key: 'least', format: 'number' },
      { key: 'most', format: 'number' },
    ],
    { title: 'Which part does it' },
  );
}

interface RatioPanel {
  readonly title: string;
  readonly places: readonly DepthPlace[];
  readonly test: (place: DepthPlace) => DepthTest | null;
  readonly withContexts: boolean;
  /** The bottom of the panel; dependent vectors are drawn there. */
  readonly floor: number;
}

/**
 * sigma_min / sigma_max along the depth, a colour for each part of a block: a panel for k = n and one for k = d for every
 * network; below, the saturation of the query's attention.
 */
export function depthFigure(places: readonly DepthPlace[]): Figure {
  const systems = bySystem(places);
  const ratioPanels = systems.flatMap((own): RatioPanel[] => {
    const [{ title, n, d }] = own;
    const panels = [
      {
        title: `${title}, <i>k</i> = <i>n</i> = ${n}`,
        places: own,
        test: (place: DepthPlace) => place.assumption1,
        withContexts: true,
      },
      {
        title: `${title}, <i>k</i> = <i>d</i> = ${d}`,
        places: own.filter(({ generalPosition }) => generalPosition !== null),
        test: (place: DepthPlace) => place.generalPosition,
        withContexts: false,
      },
    ].filter((panel) => panel.places.length > 0);
    return panels.map((panel) => ({ ...panel, floor: floorOf(panel.places.map(panel.test)) }));
  });
  const titles = [...ratioPanels.map(({ title }) => title), ...systems.map(([{ title }]) => `${title}, attention`)];
  const depth = Math.max(...places.map(({ block }) => block));
  const drawing = panels(titles, 250, (panel, isLast) => ({
    xaxis: { range: [-0.3, depth + 0.3], dtick: 1, ...(isLast && { title: { text: 'block (0: the embeddings)' } }) },
    yaxis:
      panel < ratioPanels.length
        ? {
            type: 'log',
            range: [Math.log10(ratioPanels[panel].floor), -1],
            dtick: 2,
            exponentformat: 'power',
            title: { text: 'σ<sub>min</sub> / σ<sub>max</sub>' },
          }
        : { range: [-0.03, 1.03], nticks: 5 },
  }));
  const data: Partial<Data>[] = [];
  ratioPanels.forEach((panel, index) => {
    data.push(...ratioTraces(panel, index === 0).map((trace) => ({ ...trace, ...drawing.axes(index) })));
    for (const precision of ['float32', 'float64'] as const) {
      const test = panel.places.filter((place) => place.precision === precision).map(panel.test)[0];
      if (test && test.tolerance > panel.floor) {
        drawing.horizontalLine(index, test.tolerance, `below: zero in ${precision}`, precisionColours[precision]);
      }
    }
  });
  systems.forEach((own, index) => {
    const axes = drawing.axes(ratioPanels.length + index);
    data.push(...saturationTraces(own, index === 0).map((trace) => ({ ...trace, ...axes })));
  });
  return figure({
    name: 'depth',
    title: 'Independence through the depth of a network',
    alt:
      'Panels with the smallest over the largest singular value of random subsets of query vectors, after every block and inside of the blocks, on a logarithmic axis, and below them how concentrated the attention of the query is. ' +
      networksOf(places).map(ends).join(' '),
    note: 'Medians of random subsets; singular values in float64. Dependent vectors lie on the bottom edge. Solid: float64 features, dotted: float32 features. Diamonds: context matrices of the blocks’ outputs. Attention: mean of the largest weight, bars from the least to the most concentrated head; entropy over ln n.',
    data,
    layout: {
      ...drawing.layout,
      grid: { ...drawing.layout.grid, ygap: 0.3 },
      legend: { orientation: 'v', x: 1.02, y: 1 },
      margin: { t: 90 },
    },
  });
}

/** Half a decade below the least of the ratios that are more than rounding, and below float32's tolerance. */
function floorOf(tests: readonly (DepthTest | null)[]): number {
  const ratios = tests.flatMap((test) => (test && test.ratios.median > ROUNDING ? [test.ratios.median] : []));
  return 10 ** (Math.floor(Math.log10(Math.min(1e-5, ...ratios))) - 0.5);
}

function ratioTraces({ places, test, withContexts, floor }: RatioPanel, showlegend: boolean): Partial<Data>[] {
  const parts = (Object.keys(partNames) as DepthPart[]).filter((part) => part !== 'embeddings');
  const traces: object[] = [];
  for (const precision of ['float64', 'float32'] as const) {
    const own = places.filter((place) => place.precision === precision);
    if (own.length === 0) continue;
    parts.forEach((part, i) => {
      const along = own.filter((place) => place.part === part || (part === 'output' && place.part === 'embeddings'));
      const isOutput = part === 'output';
      traces.push({
        ...{ type: 'scatter', mode: isOutput ? 'lines+markers' : 'lines', name: partNames[part], legendgroup: part },
        showlegend: showlegend && !traces.some((trace) => 'legendgroup' in trace && trace.legendgroup === part),
        x: along.map(({ block }) => block),
        y: along.map((place) => Math.max(test(place)!.ratios.median, floor)),
        line: {
          width: isOutput ? 3 : 1.5,
          dash: precision === 'float64' ? 'solid' : 'dot',
          color: isOutput ? neutral : colours[i % colours.length],
        },
        marker: { symbol: 'circle', size: 7, color: isOutput ? neutral : colours[i % colours.length] },
        hovertemplate: `block %{x}, ${partNames[part]}: %{y:.1e}<extra>${precision} features</extra>`,
      });
    });
    const contexts = own.filter((place) => place.contexts !== null);
    if (!withContexts || contexts.length === 0) continue;
    traces.push({
      ...{ type: 'scatter', mode: 'markers', name: 'contexts', legendgroup: 'contexts' },
      showlegend: showlegend && !traces.some((trace) => 'name' in trace && trace.name === 'contexts'),
      x: contexts.map(({ block }) => block),
      y: contexts.map((place) => Math.max(place.contexts!.ratios.median, floor)),
      // Those of the output of the block, whatever the precision: they lie on each other.
      marker: { symbol: 'diamond-open', size: 9, color: neutral },
      hovertemplate: `block %{x}, context matrices: %{y:.1e}<extra>${precision} features</extra>`,
    });
  }
  return traces as Partial<Data>[];
}

/** Of each block's float64 features, or the float32 ones where there are no others; the two do not differ to the eye. */
function saturationTraces(places: readonly DepthPlace[], showlegend: boolean): Partial<Data>[] {
  const byBlock = groupBy(
    places.filter(({ saturation }) => saturation !== null),
    ({ block }) => block,
  );
  const own = [...byBlock.values()].map((same) => same.find(({ precision }) => precision === 'float64') ?? same[0]);
  const largest = own.map(({ saturation }) => saturation!.largestWeights);
  const middle = largest.map(mean);
  return [
    {
      ...{ type: 'scatter', mode: 'lines+markers', name: 'largest attention weight', showlegend },
      ...{ x: own.map(({ block }) => block), y: middle, legendgroup: 'largest weight' },
      error_y: {
        ...{ type: 'data', symmetric: false, thickness: 1, width: 3 },
        array: largest.map((weights, i) => Math.max(...weights) - middle[i]),
        arrayminus: largest.map((weights, i) => middle[i] - Math.min(...weights)),
      },
      line: { color: colours[0] },
      marker: { symbol: 'square', color: colours[0] },
      hovertemplate: 'block %{x}: %{y:.3f}<extra>largest weight</extra>',
    },
    {
      ...{ type: 'scatter', mode: 'lines+markers', name: 'entropy over ln n', showlegend, legendgroup: 'entropy' },
      x: own.map(({ block }) => block),
      y: own.map(({ saturation }) => mean(saturation!.entropies)),
      line: { color: colours[1], dash: 'dash' },
      marker: { symbol: 'triangle-up', color: colours[1] },
      hovertemplate: 'block %{x}: %{y:.3f}<extra>entropy</extra>',
    },
  ] as Partial<Data>[];
}

function ends(own: readonly DepthPlace[]): string {
  const outputs = own.filter(({ part }) => part === 'output');
  const [first, last] = [outputs[0], outputs[outputs.length - 1]];
  const ratio = ({ assumption1 }: DepthPlace) => assumption1.ratios.median.toExponential(1);
  return `${first.title}, ${first.precision}, k = n: ${ratio(first)} after block 1, ${ratio(last)} after block ${last.block}.`;
}
