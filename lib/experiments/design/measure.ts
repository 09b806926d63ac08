/**
 * The sizes of an attention layer as a choice: of all layers that a number of weights and a key-value cache can pay for, which
 * computes most? By dimension, which is exact (docs/dimension.md); small layers are also measured: what float32 leaves of the
 * dimension, and their exact capacity.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder, projectRoot, type ExampleSet } from '../../data';
import { computeFeatures } from '../../features/features';
import { InputError } from '../../input-error';
import { layerOf, type ContextKind, type Layer } from '../../memorization/config';
import { dimensionFormula, functionalDimension, type Spans } from '../../memorization/capacity/dimension';
import { exactCapacity } from '../../memorization/capacity/exact-capacity';
import { theoremLowerBound } from '../../memorization/theorem';
import type { FeatureLayer } from '../../models';
import { rankAt, relativeTolerance, singularValues } from '../../rank';
import type { Precision } from '../../tensor';
import { begin } from '../../work';

/**
 * How heads share keys and values: not at all; four heads to a group (grouped-query attention: Ainslie et al., 2023); all of
 * them (multi-query attention: Shazeer, 2019).
 */
export const sharings = ['multi-head', 'grouped-query', 'multi-query'] as const;
export type Sharing = (typeof sharings)[number];
/** Heads in a group of the grouped kind. */
export const GROUP = 4;

/** What is given, and what may be chosen. */
export interface DesignSpace {
  readonly width: number;
  readonly contexts: Exclude<ContextKind, 'perm'>;
  /** n; with contexts of their own, any n from two on computes the same. */
  readonly context: number;
  /** C: 1 for the paper's scalar label, d for a layer that writes a token. */
  readonly outputs: number;
  /** Most weights in W_q, W_k, W_v and W_o together. */
  readonly weights: number;
  /** Most numbers in the cache of keys and values, for each token. */
  readonly cache: number;
  readonly headSizes: readonly number[];
  /** d_v for a d_h. */
  readonly valueSizes: (headSize: number) => readonly number[];
  readonly spans?: Spans;
}

/** One choice. */
export interface Design {
  readonly sharing: Sharing;
  readonly layer: Omit<Layer, 'examples' | 'seed'>;
  /** d (H d_h + G d_h + G d_v + H d_v). */
  readonly weights: number;
  /** G (d_h + d_v), the numbers that are kept of each token. */
  readonly cache: number;
  readonly dimension: number;
  /** With rotary positions; null where d_h is odd, or there is one token. */
  readonly rotary: number | null;
  readonly theorem: number | null;
}

/** Every choice with as many heads as the budgets allow. Throws InputError when they pay for none. */
export function designs(space: DesignSpace): Design[] {
  const { width: d, contexts, context, outputs, headSizes, valueSizes, spans } = space;
  const found = headSizes.flatMap((r) =>
    valueSizes(r).flatMap((dv) =>
      sharings.flatMap((sharing): Design[] => {
        const [heads, keyValueHeads] = headsOf(space, sharing, r + dv);
        if (heads < 1) return [];
        const task = outputs === 1 ? 'regression' : 'classification';
        const shape = { heads, keyValueHeads, context, headSize: r, valueSize: dv, width: d, contexts, task } as const;
        const one = layerOf({ ...shape, classes: outputs, embedding: 'fixed', examples: 1 });
        const { examples: _, seed: __, ...layer } = one;
        return [
          {
            sharing,
            layer,
            weights: d * (heads + keyValueHeads) * (r + dv),
            cache: keyValueHeads * (r + dv),
            dimension: dimensionFormula(one, spans)!,
            rotary: r % 2 === 1 || context < 2 ? null : dimensionFormula(one, { ...spans, rotary: true }),
            theorem: theoremLowerBound(one),
          },
        ];
      }),
    ),
  );
  if (found.length > 0) return found;
  throw new InputError(
    `budgets: expected enough for one head of any of the given sizes, got ${space.weights} weights and ${space.cache} numbers a token.`,
  );
}

/** H and G of each kind: a head costs d weights for each of its `size` = d_h + d_v numbers, and so does a group. */
function headsOf({ width, weights, cache }: DesignSpace, sharing: Sharing, size: number): [H: number, G: number] {
  const inWeights = Math.floor(weights / (width * size));
  const inCache = Math.floor(cache / size);
  if (sharing === 'multi-query') return inCache < 1 ? [0, 0] : [inWeights - 1, 1];
  const perGroup = sharing === 'multi-head' ? 1 : GROUP;
  const groups = Math.min(Math.floor(inWeights / (perGroup + 1)), inCache);
  // One group is multi-query attention.
  return perGroup > 1 && groups < 2 ? [0, 0] : [perGroup * groups, groups];
}

/** H, G and sizes, in words. */
export function nameOf({ sharing, layer: { heads, keyValueHeads, headSize, valueSize, classes } }: Design): string {
  const groups = sharing === 'grouped-query' ? `, G = ${keyValueHeads}` : '';
  return `${sharing}, H = ${heads}${groups}, d_h = ${headSize}${classes > 1 ? `, d_v = ${valueSize}` : ''}`;
}

/** Choices within this share of the largest dimension count as equal to it. */
export const NEAR = 0.05;

/** The choice of largest dimension, of equals the one of smaller cache, and all that are within 5 % of it. */
export function bestOf<D extends Design>(choices: readonly D[]): { readonly best: D; readonly near: readonly D[] } {
  const best = choices.reduce((a, b) =>
    b.dimension > a.dimension || (b.dimension === a.dimension && b.cache < a.cache) ? b : a,
  );
  const near = choices.filter((one) => one !== best && one.dimension >= (1 - NEAR) * best.dimension);
  return { best, near };
}

/** A small choice whose Jacobian was taken apart. */
export interface MeasuredDesign extends Design {
  /** The ranks of its Jacobian at random weights, at both tolerances. */
  readonly rank: number;
  readonly rankAtFloat32: number;
}

/** Measures what floating point leaves of each choice's dimension. */
export async function measureDesigns(choices: readonly Design[]): Promise<MeasuredDesign[]> {
  const work = begin('ranks of Jacobians', choices.length);
  const found: MeasuredDesign[] = [];
  try {
    for (const design of choices) {
      const { dimension: rank, dimensionAtFloat32: rankAtFloat32 } = functionalDimension(design.layer);
      found.push({ ...design, rank, rankAtFloat32 });
      await work.advance(found.length);
    }
  } finally {
    work.end();
  }
  return found;
}

/** A choice, and the largest number of random labels that it was seen to fit exactly. */
export interface FittedDesign extends Design {
  readonly fittedAt: number;
  readonly notFittedAt: number;
}

/** Measures the exact capacity of choices. Trials are kept in the cache. */
export async function fitDesigns(
  choices: readonly Design[],
  {
    starts,
    iterations,
    resolution,
  }: { readonly starts: number; readonly iterations: number; readonly resolution: number },
): Promise<FittedDesign[]> {
  const options = { starts, iterations, resolution: resolution / 100, folder: cacheFolder('exact-capacity') };
  const work = begin('exact capacities', choices.length);
  const found: FittedDesign[] = [];
  try {
    for (const design of choices) {
      const { fittedAt, notFittedAt } = await exactCapacity({ ...design.layer, seed: 0 }, options);
      found.push({ ...design, fittedAt, notFittedAt });
      await work.advance(found.length);
    }
  } finally {
    work.end();
  }
  return found;
}

/** One of the designs that bench/memorization/exact-designs.mjs drew by a rule. */
export interface DrawnDesign {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly context: number;
  readonly headSize: number;
  readonly width: number;
  readonly contexts: ContextKind;
  readonly bound: number;
  readonly fittedAt: number;
  readonly notFittedAt: number;
  readonly share: number;
}

/** The committed exact capacities of designs drawn by a rule: they take minutes, and are not measured again. */
export function drawnDesigns(): DrawnDesign[] {
  const file = path.join(projectRoot(), 'bench', 'memorization', 'results', 'exact-designs.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { designs: DrawnDesign[] }).designs;
}

/** How many dimensions the query vectors of a real layer span. */
export interface QuerySpan {
  readonly system: string;
  readonly title: string;
  readonly examples: number;
  readonly n: number;
  readonly d: number;
  readonly heads: number;
  /** D: the rank of all query vectors, of features in that precision at its tolerance. */
  readonly float32: number;
  readonly float64: number;
}

/** D of each layer's query vectors, at both tolerances. */
export async function querySpans(layers: readonly FeatureLayer[], examples: ExampleSet): Promise<QuerySpan[]> {
  const spans = new Map<FeatureLayer, Partial<Record<Precision, number>>>();
  for (const precision of ['float32', 'float64'] as const) {
    for (const { layer, queries } of await computeFeatures(layers, examples, { precision, contexts: false })) {
      const rank = rankAt(singularValues(queries), relativeTolerance(precision, ...queries.shape));
      spans.set(layer, { ...spans.get(layer), [precision]: rank });
    }
  }
  return layers.map((layer) => {
    const { name: system, title, n, d } = layer;
    const { float32, float64 } = spans.get(layer) as Record<Precision, number>;
    // A head of 64, as in every ViT and BERT.
    return { system, title, examples: examples.count, n, d, heads: d / 64, float32, float64 };
  });
}
