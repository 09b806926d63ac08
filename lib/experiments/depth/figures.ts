import type { Data } from 'plotly.js';
import type { DepthPart, DepthPlace, DepthTest } from './measure';
import { networksOf } from './steps';
import { figure, type Figure } from '../../report/display';
import { formatNumber } from '../../report/format';
import { bySystem, panels } from '../../report/panels';
import { colours, neutral, precisionColours, sigmaAxis } from '../../report/theme';
import { trace } from '../../report/traces';
import { groupBy, mean } from '../../statistics';

/** Smaller ratios are those of dependent vectors, all equal or in a plane: rounding only. */
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

interface RatioPanel {
  readonly title: string;
  readonly places: readonly DepthPlace[];
  readonly test: (place: DepthPlace) => DepthTest | null;
  readonly withContexts: boolean;
  /** The bottom of the panel; dependent vectors are drawn there. */
  readonly floor: number;
}

/** A panel for k = n, and one for k = d where there are enough images. */
function ratioPanelsOf(own: readonly DepthPlace[]): RatioPanel[] {
  const [{ title, n, d }] = own;
  const panel = (size: string, test: RatioPanel['test'], withContexts: boolean): RatioPanel => {
    const places = own.filter((place) => test(place) !== null);
    return { title: `${title}, ${size}`, places, test, withContexts, floor: floorOf(places.map(test)) };
  };
  return [
    panel(`<i>k</i> = <i>n</i> = ${n}`, ({ assumption1 }) => assumption1, true),
    panel(`<i>k</i> = <i>d</i> = ${d}`, ({ generalPosition }) => generalPosition, false),
  ].filter(({ places }) => places.length > 0);
}

/**
 * sigma_min / sigma_max along the depth, a colour for each part of a block: a panel for k = n and one for k = d for every
 * network; below, the saturation of the query's attention.
 */
export function depthFigure(places: readonly DepthPlace[]): Figure {
  const systems = bySystem(places);
  const ratioPanels = systems.flatMap(ratioPanelsOf);
  const titles = [...ratioPanels.map(({ title }) => title), ...systems.map(([{ title }]) => `${title}, attention`)];
  const depth = Math.max(...places.map(({ block }) => block));
  const { layout, axes, horizontalLine } = panels(titles, 250, (panel, isLast) => ({
    xaxis: { range: [-0.3, depth + 0.3], dtick: 1, ...(isLast && { title: { text: 'block (0: the embeddings)' } }) },
    yaxis:
      panel < ratioPanels.length
        ? { ...sigmaAxis, range: [Math.log10(ratioPanels[panel].floor), -1], dtick: 2 }
        : { range: [-0.03, 1.03], nticks: 5 },
  }));
  ratioPanels.forEach((panel, index) => {
    for (const precision of ['float32', 'float64'] as const) {
      const test = panel.places.filter((place) => place.precision === precision).map(panel.test)[0];
      if (test && test.tolerance > panel.floor) {
        horizontalLine(index, test.tolerance, `below: zero in ${precision}`, precisionColours[precision]);
      }
    }
  });
  const data = [
    ...ratioPanels.map((panel, index) => ratioTraces(panel, index === 0)),
    ...systems.map((own, index) => saturationTraces(own, index === 0)),
  ].flatMap((traces, panel) => traces.map((one) => ({ ...one, ...axes(panel) }) as Partial<Data>));
  return figure({
    name: 'depth',
    title: 'Independence through the depth of a network',
    alt:
      'Panels with the smallest over the largest singular value of random subsets of query vectors, after every block and inside the blocks, on a logarithmic axis, and below them how concentrated the attention of the query is. ' +
      networksOf(places).map(ends).join(' '),
    note: 'Medians of random subsets; singular values in float64. Dependent vectors lie on the bottom edge. Solid: float64 features, dotted: float32 features. Diamonds: context matrices of the blocks’ outputs. Attention: mean of the largest weight, bars from the least to the most concentrated head; entropy over ln n.',
    data,
    layout: {
      ...layout,
      grid: { ...layout.grid, ygap: 0.3 },
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

function ratioTraces({ places, test, withContexts, floor }: RatioPanel, first: boolean): Partial<Data>[] {
  const parts = (Object.keys(partNames) as DepthPart[]).filter((part) => part !== 'embeddings');
  const networks = (['float64', 'float32'] as const)
    .map((precision) => places.filter((place) => place.precision === precision))
    .filter((own) => own.length > 0);
  return networks.flatMap((own, i) => {
    const [{ precision }] = own;
    const common = (along: readonly DepthPlace[], ratios: readonly number[], name: string) => ({
      name,
      showlegend: first && i === 0,
      x: along.map(({ block }) => block),
      y: ratios.map((ratio) => Math.max(ratio, floor)),
      values: ratios,
      format: 'scientific' as const,
      hover: `block %{x}, ${name}: {value}<extra>${precision} features</extra>`,
    });
    const lines = parts.map((part, at) => {
      const isOutput = part === 'output';
      const along = own.filter((place) => place.part === part || (isOutput && place.part === 'embeddings'));
      const ratios = along.map((place) => test(place)!.ratios.median);
      const color = isOutput ? neutral : colours[at % colours.length];
      const dash = precision === 'float64' ? 'solid' : 'dot';
      return trace({
        ...common(along, ratios, partNames[part]),
        mode: isOutput ? 'lines+markers' : 'lines',
        line: { width: isOutput ? 3 : 1.5, dash, color },
        marker: { symbol: 'circle', size: 7, color },
      });
    });
    const contexts = withContexts ? own.filter((place) => place.contexts !== null) : [];
    if (contexts.length === 0) return lines;
    const ratios = contexts.map((place) => place.contexts!.ratios.median);
    // Those of the output of the block, whatever the precision: they lie on each other.
    const marker = { symbol: 'diamond-open', size: 9, color: neutral };
    return [...lines, trace({ ...common(contexts, ratios, 'context matrices'), mode: 'markers', marker })];
  });
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
  const common = { mode: 'lines+markers', showlegend, x: own.map(({ block }) => block) } as const;
  return [
    trace({
      ...common,
      name: 'largest attention weight',
      y: middle,
      error_y: {
        type: 'data',
        symmetric: false,
        thickness: 1,
        width: 3,
        array: largest.map((weights, i) => Math.max(...weights) - middle[i]),
        arrayminus: largest.map((weights, i) => middle[i] - Math.min(...weights)),
      },
      line: { color: colours[0] },
      marker: { symbol: 'square', color: colours[0] },
      hover: 'block %{x}: {value}<extra>largest weight</extra>',
    }),
    trace({
      ...common,
      name: 'entropy over ln n',
      y: own.map(({ saturation }) => mean(saturation!.entropies)),
      line: { color: colours[1], dash: 'dash' },
      marker: { symbol: 'triangle-up', color: colours[1] },
      hover: 'block %{x}: {value}<extra>entropy</extra>',
    }),
  ];
}

function ends(own: readonly DepthPlace[]): string {
  const outputs = own.filter(({ part }) => part === 'output');
  const [first, last] = [outputs[0], outputs[outputs.length - 1]];
  const ratio = ({ assumption1 }: DepthPlace) => formatNumber(assumption1.ratios.median, 'scientific');
  return `${first.title}, ${first.precision}, k = n: ${ratio(first)} after block 1, ${ratio(last)} after block ${last.block}.`;
}
