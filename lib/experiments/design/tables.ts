import {
  bestOf,
  designs,
  nameOf,
  type Design,
  type DesignSpace,
  type DrawnDesign,
  type FittedDesign,
  type MeasuredDesign,
  type QuerySpan,
} from './measure';
import { shapeColumns } from '../tables';
import type { Column } from '../../report/display';
import { table, type Row, type Table } from '../../report/display';

const sizeColumns: readonly Column[] = [
  { key: 'sharing', title: 'keys and values' },
  ...shapeColumns(['heads']),
  { key: 'keyValueHeads', title: 'G', format: 'integer', about: 'heads of keys and values' },
  ...shapeColumns(['headSize']),
];

const sizesOf = ({
  sharing,
  layer: { heads, keyValueHeads, headSize, valueSize, context, width, contexts, classes },
}: Design) => ({
  sharing,
  heads,
  keyValueHeads,
  headSize,
  valueSize,
  context,
  width,
  contexts,
  outputs: classes,
});

/** Every measured choice of the small layers: what each panel of the figure is made of. */
export function designTable(
  panels: readonly { readonly title: string; readonly measured: readonly MeasuredDesign[] }[],
  fitted: readonly FittedDesign[],
): Table {
  return table(
    'designs',
    panels.flatMap(({ title, measured }) =>
      measured.map((design): Row => {
        const { weights, cache, dimension, rotary, rank, rankAtFloat32, theorem } = design;
        const exact = fitted.find(({ layer }) => JSON.stringify(layer) === JSON.stringify(design.layer));
        const capacity = { fittedAt: exact?.fittedAt ?? null, notFittedAt: exact?.notFittedAt ?? null };
        const measures = { weights, cache, dimension, rank, rankAtFloat32, rotary, theorem, ...capacity };
        return { budget: title, ...sizesOf(design), ...measures };
      }),
    ),
    [
      { key: 'budget' },
      ...sizeColumns,
      { key: 'weights', format: 'integer' },
      {
        key: 'cache',
        title: 'cache a token',
        format: 'integer',
        about: 'numbers that are kept of each token: G (d_h + d_v)',
      },
      { key: 'dimension', format: 'integer', about: 'closed form' },
      {
        key: 'rank',
        title: 'rank of J',
        format: 'integer',
        about: 'of the Jacobian at random weights, at float64’s tolerance',
      },
      { key: 'rankAtFloat32', title: 'at float32’s', format: 'integer', about: 'the same at float32’s tolerance' },
      { key: 'fittedAt', title: 'fitted', format: 'integer', about: 'random labels fitted to 1e-8' },
      {
        key: 'notFittedAt',
        title: 'not fitted',
        format: 'integer',
        about: 'by any start; one above the dimension where all were',
      },
      { key: 'rotary', title: 'dimension with RoPE', format: 'integer', about: 'where d_h is even' },
      { key: 'theorem', title: 'Theorem 1', format: 'integer', about: 'H (min(n, d_h) − 1) + 1' },
    ],
    {
      title: 'What the budgets can buy, small layers',
      note: 'H: as many heads as the budget allows. One output, d_v = 1.',
    },
  );
}

/** The standard budgets of a layer of width d: the weights of multi-head attention with H d_h = d, its cache and a quarter of it. */
export function standardSpaces(width: number): { readonly budget: string; readonly space: DesignSpace }[] {
  const space = (contexts: 'shared' | 'random', cache: number): DesignSpace => ({
    width,
    contexts,
    context: width / 4,
    outputs: width,
    weights: 4 * width ** 2,
    cache,
    headSizes: [8, 16, 32, 64, 128].filter((size) => size <= width),
    valueSizes: (headSize) => [headSize / 2, headSize, 2 * headSize],
  });
  return (['random', 'shared'] as const).flatMap((contexts) => [
    { budget: '4 d² weights', space: space(contexts, Infinity) },
    { budget: '4 d² weights, cache 2 d', space: space(contexts, 2 * width) },
    { budget: '4 d² weights, cache d / 2', space: space(contexts, width / 2) },
  ]);
}

/** The choice of largest dimension for each width and budget, beside standard multi-head attention with the same weights. */
export function standardDesignTable(widths: readonly number[]): Table {
  return table(
    'designs-by-width',
    widths.flatMap((width) =>
      standardSpaces(width).map(({ budget, space }): Row => {
        const { best, near } = bestOf(designs(space));
        const standard = standardDesign(space);
        const frugal = [best, ...near].reduce((a, b) => (b.cache < a.cache ? b : a));
        const { weights, cache, dimension, rotary } = best;
        const share = dimension / standard.dimension;
        const measures = {
          weights,
          cache,
          dimension,
          rotary,
          perWeight: dimension / weights,
          standard: standard.dimension,
          share,
        };
        return {
          budget,
          ...sizesOf(best),
          ...measures,
          near: near.length,
          frugal: nameOf(frugal),
          frugalCache: frugal.cache,
        };
      }),
    ),
    [
      ...shapeColumns(['width']),
      { key: 'contexts' },
      { key: 'budget' },
      ...sizeColumns,
      { key: 'valueSize', title: 'd_v', format: 'integer', about: 'size of a head’s values' },
      { key: 'cache', title: 'cache a token', format: 'integer' },
      { key: 'dimension', format: 'integer' },
      { key: 'perWeight', title: 'a weight', format: 'percent', about: 'dimension over weights' },
      {
        key: 'share',
        title: 'of the standard’s',
        format: 'percent',
        about:
          'multi-head attention with d_h = d_v = 64 (at most d / 4) and H d_h = d, whose cache is 2 d numbers a token',
      },
      { key: 'rotary', title: 'with RoPE', format: 'integer' },
      { key: 'near', title: 'others within 5 %', format: 'integer', about: 'as good a choice' },
      { key: 'frugal', title: 'of these, smallest cache' },
      { key: 'frugalCache', title: 'its cache a token', format: 'integer' },
    ],
    {
      title: 'Largest dimension for the weights of a standard layer',
      note: 'd outputs; n = d / 4 where the context is shared; head sizes 8 to 128, d_v half, once or twice d_h. Choices within 5 % are as good.',
    },
  );
}

/** Multi-head attention as it is usual: d_h = d_v = 64, or d / 4 where that is less, H d_h = d. */
export function standardDesign(space: DesignSpace): Design {
  const size = Math.min(64, space.width / 4);
  const [standard] = designs({
    ...space,
    weights: 4 * space.width ** 2,
    cache: 2 * space.width,
    headSizes: [size],
    valueSizes: () => [size],
  });
  return standard;
}

/** D of real query vectors, and what it leaves of the dimension of a standard layer and of the best head size. */
export function querySpanTable(spans: readonly QuerySpan[]): Table {
  return table(
    'query-spans',
    spans.map((span): Row => {
      const { system, title, examples, n, d, float32, float64 } = span;
      const [at32, at64] = [float32, float64].map((queries) => spanEffect(span, queries));
      return {
        system,
        title,
        examples,
        n,
        d,
        float32,
        float64,
        dimensionAtFloat32: at32.dimension,
        dimensionAtFloat64: at64.dimension,
        share: at32.dimension / at64.dimension,
        bestAtFloat32: at32.best,
        bestAtFloat64: at64.best,
      };
    }),
    [
      { key: 'title', title: 'layer' },
      { key: 'examples', title: 'T', format: 'integer' },
      { key: 'n', format: 'integer' },
      { key: 'd', format: 'integer' },
      {
        key: 'float32',
        title: 'D, float32',
        format: 'integer',
        about: 'rank of the T query vectors at float32’s tolerance',
      },
      { key: 'float64', title: 'D, float64', format: 'integer', about: 'of float64 features at float64’s tolerance' },
      {
        key: 'dimensionAtFloat32',
        title: 'dimension at that D',
        format: 'integer',
        about: 'multi-head attention, d_h = 64, H = d / 64, contexts of their own',
      },
      { key: 'dimensionAtFloat64', title: 'at float64’s D', format: 'integer' },
      { key: 'share', format: 'percent', about: 'what float32’s D leaves' },
      {
        key: 'bestAtFloat32',
        title: 'head size to choose, float32',
        about: 'largest dimension for 4 d² weights in multi-head attention, and all within 5 %',
      },
      { key: 'bestAtFloat64', title: 'float64' },
    ],
    {
      title: 'Dimensions that real query vectors span',
      note: 'D bounds the Kruskal rank from above. d outputs. Kruskal ranks of n or more make every head size up to n useful; D says how many directions its scores can tell apart.',
    },
  );
}

/** A standard layer's dimension where queries span D dimensions, and the head sizes of multi-head attention that compute most. */
function spanEffect({ d }: QuerySpan, queries: number): { dimension: number; best: string } {
  const { space } = standardSpaces(d)[1];
  const own = { ...space, spans: { queries }, valueSizes: (headSize: number) => [headSize] };
  const multiHead = designs(own).filter(({ sharing }) => sharing === 'multi-head');
  const { best, near } = bestOf(multiHead);
  const sizes = [best, ...near].map(({ layer }) => layer.headSize).sort((a, b) => a - b);
  return { dimension: standardDesign(own).dimension, best: sizes.join(', ') };
}

/** The designs that were drawn by a rule, and the share of its dimension that each fitted. */
export function drawnDesignTable(drawn: readonly DrawnDesign[]): Table {
  return table(
    'drawn-designs',
    drawn.map(
      ({ heads, keyValueHeads, context, headSize, width, contexts, bound, fittedAt, notFittedAt, share }): Row => ({
        contexts,
        heads,
        keyValueHeads,
        context,
        headSize,
        width,
        bound,
        fittedAt,
        notFittedAt,
        share,
      }),
    ),
    [
      { key: 'contexts' },
      ...shapeColumns(['heads']),
      { key: 'keyValueHeads', title: 'G', format: 'integer' },
      ...shapeColumns(['context', 'headSize', 'width']),
      { key: 'bound', title: 'dimension', format: 'integer' },
      { key: 'fittedAt', title: 'fitted', format: 'integer' },
      { key: 'notFittedAt', title: 'not fitted', format: 'integer' },
      { key: 'share', format: 'percent' },
    ],
    {
      title: 'Designs drawn by a rule: exact capacity beside the dimension',
      note: 'bench/memorization/exact-designs.mjs, seed 0; the results are committed.',
    },
  );
}
