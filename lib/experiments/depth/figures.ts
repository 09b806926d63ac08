import type { Data } from 'plotly.js';
import type { DepthPlace, DepthTest } from './measure';
import { depthSteps, networksOf, STEP_NAMES } from './steps';
import { figure, type Figure } from '../../report/display';
import { formatNumber } from '../../report/format';
import { logAxis } from '../../report/log-axis';
import { bySystem, panels } from '../../report/panels';
import { meanings, neutral, precisionColours, sigmaAxis } from '../../report/theme';
import { trace } from '../../report/traces';
import { groupBy, mean } from '../../statistics';

/** Smaller ratios are those of dependent vectors, all equal or in a plane: rounding only. */
const ROUNDING = 1e-15;

const precisions = ['float32', 'float64'] as const;
const isOutput = ({ part }: DepthPlace) => part === 'output' || part === 'embeddings';

interface Line {
  /** Written beside the line. */
  readonly label: string;
  readonly test: (place: DepthPlace) => DepthTest | null;
  readonly dash: 'solid' | 'dash';
}

const LINES: readonly Line[] = [
  { label: 'k = n', test: ({ assumption1 }) => assumption1, dash: 'solid' },
  { label: 'k = d', test: ({ generalPosition }) => generalPosition, dash: 'dash' },
];

/**
 * sigma_min / sigma_max of random subsets of the blocks' outputs along the depth, for k = n and k = d in both precisions, and of
 * the context matrices; below, how concentrated the attention of the query is. One column for each network.
 */
export function depthFigure(places: readonly DepthPlace[]): Figure {
  const systems = bySystem(places.filter(isOutput));
  const depth = Math.max(...places.map(({ block }) => block));
  const tests = ({ assumption1, generalPosition, contexts }: DepthPlace) =>
    [assumption1, generalPosition, contexts].filter((test) => test !== null);
  const scales = systems.map((own) =>
    logAxis(
      own.flatMap((place) => tests(place).map(({ ratios }) => ratios.median)),
      { zero: ROUNDING, shown: own.map(({ assumption1 }) => assumption1.tolerance) },
    ),
  );
  const titles = [...systems.map(([{ title }]) => title), ...systems.map(([{ title }]) => `${title}, attention`)];
  const { layout, axes, horizontalLine, zeros } = panels(
    titles,
    300,
    (panel, isLast) => ({
      // Room on the right for the labels of the lines.
      xaxis: {
        range: [-0.3, depth + 0.3 + 0.12 * (depth + 1)],
        tickvals: Array.from({ length: depth + 1 }, (_, block) => block),
        ...(isLast && { title: { text: 'block (0: the embeddings)' } }),
      },
      yaxis:
        panel < systems.length
          ? { ...scales[panel].axis, title: sigmaAxis.title }
          : { range: [-0.03, 1.03], nticks: 5, title: { text: 'weight, entropy' } },
    }),
    systems.length,
  );
  const data = systems.flatMap((own, panel) => {
    zeros(panel, 'y', scales[panel]);
    for (const precision of precisions) {
      const place = own.find((one) => one.precision === precision);
      if (place)
        horizontalLine(
          panel,
          place.assumption1.tolerance,
          `below: zero in ${precision}`,
          precisionColours[precision],
          'left',
        );
    }
    return [
      ...outputTraces(own, scales[panel].place, panel === 0).map((one) => ({ ...one, ...axes(panel) })),
      ...saturationTraces(own).map((one) => ({ ...one, ...axes(systems.length + panel) })),
    ] as Partial<Data>[];
  });
  return figure({
    name: 'depth',
    title: 'Independence of the blocks’ outputs through the depth of a network',
    alt:
      'Above, the smallest over the largest singular value of random subsets of query vectors, after every block, on a logarithmic axis; below, how concentrated the attention of the query is. ' +
      networksOf(places).map(ends).join(' '),
    note: `Medians of random subsets; singular values in float64. The grey strip holds dependent vectors: a ratio below ${formatNumber(ROUNDING, 'scientific')}, which is rounding. Diamonds: context matrices. Attention: the largest weight is the mean over heads and images, its bars reach from the least to the most concentrated head; the entropy is over ln n.`,
    data,
    layout: { ...layout, grid: { ...layout.grid, xgap: 0.14 } },
  });
}

function outputTraces(own: readonly DepthPlace[], place: (ratio: number) => number, first: boolean): Partial<Data>[] {
  const present = precisions.filter((precision) => own.some((one) => one.precision === precision));
  const pointsOf = (precision: string, test: Line['test']) =>
    own.flatMap((one) => {
      const found = one.precision === precision ? test(one) : null;
      return found ? [{ block: one.block, ratios: found.ratios }] : [];
    });
  const common = (precision: (typeof precisions)[number], label: string, along: ReturnType<typeof pointsOf>) => ({
    x: along.map(({ block }) => block),
    y: along.map(({ ratios }) => place(ratios.median)),
    hover: `block %{x}, ${label}: {value}<extra>${precision} features</extra>`,
    values: along.map(
      ({ ratios: { median, min, draws } }) =>
        `σ_min/σ_max = ${formatNumber(median, 'scientific')}<br>median of ${draws}, least ${formatNumber(min, 'scientific')}`,
    ),
  });
  const lines = LINES.flatMap(({ label, test, dash }, i) => {
    const last = present.map((precision) => pointsOf(precision, test).at(-1));
    return present.flatMap((precision, at): Partial<Data>[] => {
      const along = pointsOf(precision, test);
      if (along.length === 0) return [];
      const color = precisionColours[precision];
      // Where both lines end in the same place, one label is enough.
      const isLabelled = !last.slice(at + 1).some((other) => other && endTogether(other, last[at]!));
      return [
        trace({
          ...common(precision, label, along),
          mode: 'text+lines+markers',
          name: `${precision} features`,
          legendgroup: precision,
          showlegend: first && i === 0,
          line: { width: 2, dash, color },
          marker: { symbol: 'circle', size: 7, color },
          text: along.map((_, index) => (isLabelled && index === along.length - 1 ? ` ${label}` : '')),
          textposition: 'middle right',
          textfont: { color, size: 11 },
        }),
      ];
    });
  });
  const name = 'context matrices';
  const contexts = present.flatMap((precision, at): Partial<Data>[] => {
    const along = pointsOf(precision, (one) => one.contexts);
    if (along.length === 0) return [];
    const marker = { symbol: 'diamond-open', size: 9, color: precisionColours[precision] } as const;
    const legend = { name, legendgroup: name, showlegend: first && at === present.length - 1 };
    return [trace({ ...common(precision, name, along), mode: 'markers', marker, ...legend })];
  });
  return [...lines, ...contexts];
}

function endTogether(one: End, other: End): boolean {
  const ratio = one.ratios.median / other.ratios.median;
  return one.block === other.block && ratio > 1 / NEAR && ratio < NEAR;
}

interface End {
  readonly block: number;
  readonly ratios: { readonly median: number };
}

/** Labels of lines that end within this factor of each other would lie on each other. */
const NEAR = 10;

/** Of each block's float64 features, or the float32 ones where there are no others; the two do not differ to the eye. */
function saturationTraces(places: readonly DepthPlace[]): Partial<Data>[] {
  const byBlock = groupBy(
    places.filter(({ saturation }) => saturation !== null),
    ({ block }) => block,
  );
  const own = [...byBlock.values()].map((same) => same.find(({ precision }) => precision === 'float64') ?? same[0]);
  const largest = own.map(({ saturation }) => saturation!.largestWeights);
  const middle = largest.map(mean);
  const entropies = own.map(({ saturation }) => mean(saturation!.entropies));
  const isAbove = (middle.at(-1) ?? 0) > (entropies.at(-1) ?? 0);
  const label = (text: string, above: boolean) => ({
    text: own.map((_, at) => (at === own.length - 1 ? text : '')),
    textposition: above ? ('top right' as const) : ('bottom right' as const),
  });
  const common = { mode: 'text+lines+markers', showlegend: false, x: own.map(({ block }) => block) } as const;
  return [
    trace({
      ...common,
      ...label('largest<br>weight', isAbove || (middle.at(-1) ?? 0) < 0.2),
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
      line: { color: meanings.attention },
      textfont: { color: meanings.attention, size: 11 },
      marker: { symbol: 'square', color: meanings.attention },
      hover: 'block %{x}: {value}, mean of the heads<extra>largest weight</extra>',
    }),
    trace({
      ...common,
      ...label('entropy', !isAbove && (entropies.at(-1) ?? 0) < 0.9),
      name: 'entropy over ln n',
      y: entropies,
      line: { color: neutral, dash: 'dash' },
      textfont: { color: neutral, size: 11 },
      marker: { symbol: 'triangle-up', color: neutral },
      hover: 'block %{x}: {value} of ln n, mean of the heads<extra>entropy</extra>',
    }),
  ];
}

/**
 * The factor by which each step of a block changes sigma_min / sigma_max of n query vectors: a mark for each block, a bar at
 * the median; a panel for each network.
 */
export function depthStepFigure(places: readonly DepthPlace[]): Figure {
  const systems = bySystem(depthSteps(places)).filter((own) => own.some(({ factors }) => factors.length > 0));
  const scale = logAxis(
    systems.flatMap((own) => own.flatMap(({ factors }) => factors.map(({ factor }) => factor))),
    { zero: ROUNDING, shown: [1] },
  );
  const { layout, axes, verticalLine, zeros } = panels(
    systems.map(([{ title }]) => title),
    300,
    (panel, isLast) => ({
      xaxis: {
        ...scale.axis,
        ...(isLast && { title: { text: 'factor on σ<sub>min</sub>/σ<sub>max</sub>, <i>k</i> = <i>n</i>' } }),
      },
      yaxis: {
        categoryorder: 'array',
        categoryarray: [...STEP_NAMES].reverse(),
        ...(panel > 0 && { showticklabels: false }),
      },
    }),
    Math.min(systems.length, 2),
  );
  const data = systems.flatMap((own, panel) => {
    verticalLine(panel, 1, 'no change');
    zeros(panel, 'x', scale);
    return precisions.flatMap((precision): Partial<Data>[] => {
      const steps = own.filter((step) => step.precision === precision && step.factors.length > 0);
      const marks = steps.flatMap(({ step, factors }) => factors.map((one) => ({ step, ...one })));
      const color = precisionColours[precision];
      const common = {
        ...axes(panel),
        mode: 'markers',
        name: `${precision} features`,
        legendgroup: precision,
      } as const;
      return [
        trace({
          ...common,
          showlegend: panel === 0,
          x: marks.map(({ factor }) => scale.place(factor)),
          y: marks.map(({ step }) => step),
          marker: { symbol: precision === 'float32' ? 'circle' : 'diamond', size: 8, opacity: 0.55, color },
          hover: `%{y}, {value}<extra>${precision} features</extra>`,
          values: marks.map(({ block, factor }) => `block ${block}: times ${formatNumber(factor)}`),
        }),
        trace({
          ...common,
          showlegend: false,
          x: steps.map(({ median }) => scale.place(median)),
          y: steps.map(({ step }) => step),
          marker: { symbol: 'line-ns-open', size: 18, color, line: { width: 3 } },
          hover: `%{y}, {value}<extra>${precision} features</extra>`,
          values: steps.map(
            ({ median, factors }) => `median of ${factors.length} blocks: times ${formatNumber(median)}`,
          ),
        }),
      ];
    });
  });
  return figure({
    name: 'depth-steps',
    title: 'What each step of a block does to independence',
    alt:
      'For each step of a block, from the first LayerNorm to the addition of the MLP, the factor by which it changes the smallest over the largest singular value of n query vectors; a mark for each block. ' +
      systems
        .flat()
        .filter(({ factors }) => factors.length > 0)
        .map(({ title, precision, step, median }) => `${title}, ${precision}, ${step}: times ${formatNumber(median)}`)
        .join('; ') +
      '.',
    note: 'One mark for each block; bars: medians of the blocks. To the right of 1 the step takes the vectors further from dependence. The two sums are compared with the vectors before the addition.',
    data,
    layout: { ...layout, grid: { ...layout.grid, xgap: 0.06 } },
  });
}

function ends(own: readonly DepthPlace[]): string {
  const outputs = own.filter(({ part }) => part === 'output');
  const [first, last] = [outputs[0], outputs[outputs.length - 1]];
  const ratio = ({ assumption1 }: DepthPlace) => formatNumber(assumption1.ratios.median, 'scientific');
  return `${first.title}, ${first.precision}, k = n: ${ratio(first)} after block 1, ${ratio(last)} after block ${last.block}.`;
}
