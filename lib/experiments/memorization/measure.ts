/**
 * Notebook 5: how many examples a layer memorizes exactly, along its heads, context and head size, beside its dimension, what
 * Theorem 1 promises, and what Adam reaches.
 */
import { cacheFolder } from '../../data/project-root';
import { layerOf, type ContextKind, type Layer, type Setting, type TaskKind } from '../../memorization/config';
import { dimensionFormula } from '../../memorization/capacity/dimension';
import { exactCapacity } from '../../memorization/capacity/exact-capacity';
import type { SweepResult } from '../../memorization/sweep/results';
import { expectedRank, theoremLowerBound } from '../../memorization/theorem';
import { begin } from '../../work';

/** The part of a layer that a panel varies. */
export type PanelAxis = 'context' | 'heads' | 'headSize';

/** The sizes that the panels start from, and how exact capacity is searched for. */
export interface PanelSizes {
  readonly heads: number;
  readonly context: number;
  readonly headSize: number;
  readonly width: number;
  /** C, of the classifications. */
  readonly classes: number;
  readonly seeds: number;
  readonly starts: number;
  readonly iterations: number;
  /** The width of an interval, in percent of the dimension. */
  readonly resolution: number;
}

/** How many examples one seed's task and weights memorized: all of `fittedAt`, and in no start all of `notFittedAt`. */
export interface SeedCapacity {
  readonly seed: number;
  readonly fittedAt: number;
  readonly notFittedAt: number;
}

/** A layer of a panel. */
export interface PanelPoint {
  readonly axis: PanelAxis;
  /** The value on that axis. */
  readonly x: number;
  readonly layer: Omit<Layer, 'examples' | 'seed'>;
  /** Of its outputs, C for each example. */
  readonly dimension: number;
  /** The dimension over the outputs of an example: more examples are fitted with probability 0. */
  readonly bound: number;
  /** Theorem 1, and the rank of Z: no more examples are fitted while the attention weights stay as they are drawn. */
  readonly theorem: number | null;
  readonly fixedAttention: number;
  readonly capacities: readonly SeedCapacity[];
}

/** A layer of each value on each axis, for both tasks and both kinds of context. Head sizes go past n. */
export function panelLayers(sizes: PanelSizes): Pick<PanelPoint, 'axis' | 'x' | 'layer'>[] {
  const { heads, context, headSize, width, classes } = sizes;
  const half = (value: number) => Math.floor(value / 2);
  const values: Readonly<Record<PanelAxis, readonly number[]>> = {
    context: [1, 2, context, context + half(context)],
    heads: [1, 2, heads, heads + half(heads)],
    headSize: [1, 2, context - 1, context, Math.min(width, context + half(context))],
  };
  const tasks: readonly TaskKind[] = ['regression', 'classification'];
  const kinds: readonly ContextKind[] = ['shared', 'random'];
  return (['context', 'heads', 'headSize'] as const).flatMap((axis) =>
    tasks.flatMap((task) =>
      kinds.flatMap((contexts) =>
        [...new Set(values[axis])].map((x) => {
          const base = { heads, context, headSize, width, classes, task, contexts, embedding: 'fixed' } as const;
          const { examples: _, seed: __, ...layer } = layerOf({ ...base, [axis]: x, examples: 1 });
          return { axis, x, layer };
        }),
      ),
    ),
  );
}

/** Measures the exact capacity of each layer with each seed. Trials are kept in the cache. */
export async function measurePanels(sizes: PanelSizes): Promise<PanelPoint[]> {
  const layers = panelLayers(sizes);
  const { seeds, starts, iterations, resolution } = sizes;
  const options = { starts, iterations, resolution: resolution / 100, folder: cacheFolder('exact-capacity') };
  const work = begin('exact capacities', layers.length * seeds);
  const points: PanelPoint[] = [];
  try {
    for (const { axis, x, layer } of layers) {
      const dimension = dimensionFormula({ ...layer, examples: 1, seed: 0 })!;
      const capacities: SeedCapacity[] = [];
      for (let seed = 0; seed < seeds; seed++) {
        const { fittedAt, notFittedAt } = await exactCapacity({ ...layer, seed }, options);
        capacities.push({ seed, fittedAt, notFittedAt });
        await work.advance(points.length * seeds + seed + 1);
      }
      points.push({
        axis,
        x,
        layer,
        dimension,
        bound: Math.floor(dimension / layer.classes),
        theorem: theoremLowerBound(layer),
        fixedAttention: expectedRank(layer),
        capacities,
      });
    }
  } finally {
    work.end();
  }
  return points;
}

/** The points of one panel: one axis, one task, one kind of context. */
export interface Panel {
  readonly axis: PanelAxis;
  readonly task: TaskKind;
  readonly contexts: ContextKind;
  readonly title: string;
  readonly points: readonly PanelPoint[];
}

/** The panels, all or those of one axis, in the order of the points. */
export function panelsOf(points: readonly PanelPoint[], only?: PanelAxis): Panel[] {
  const panels = new Map<string, PanelPoint[]>();
  for (const point of points) {
    if (only !== undefined && point.axis !== only) continue;
    const key = [point.axis, kindOf(point.layer)].join();
    panels.set(key, [...(panels.get(key) ?? []), point]);
  }
  return [...panels.values()].map((own) => {
    const [{ axis, layer }] = own;
    return { axis, task: layer.task, contexts: layer.contexts, title: kindOf(layer), points: own };
  });
}

/** `regression, shared contexts` */
export function kindOf({ task, contexts }: Pick<Setting, 'task' | 'contexts'>): string {
  return `${task}, ${contexts} contexts`;
}

/** A layer that Adam trained on T examples. */
export interface AdamPoint {
  readonly config: SweepResult['result']['config'];
  readonly steps: number;
  readonly seconds: number;
  readonly loss: number;
  /** Examples memorized: right answers, or outputs within 0.01 of their labels. */
  readonly fitted: number;
  /** Of the layer: the dimension over the outputs of an example. */
  readonly bound: number;
}

/** Finished trainings beside the dimension of their layers; those of an older version, which counted no examples, are left out. */
export function adamPoints(results: readonly SweepResult[]): AdamPoint[] {
  return results.flatMap(({ result: { config, steps, seconds, loss, fitted } }) => {
    if ((fitted as number | undefined) === undefined) return [];
    const layer = layerOf(config);
    return [{ config, steps, seconds, loss, fitted, bound: Math.floor(dimensionFormula(layer)! / layer.classes) }];
  });
}

/** How far trainings of one kind went: T is that of the examples that they were given. */
export interface AdamEdge {
  readonly kind: string;
  readonly bound: number;
  readonly trainings: number;
  /** The largest T of which every seed memorized every example, and the smallest of which one did not; null where there is none. */
  readonly allAt: number | null;
  readonly notAllAt: number | null;
  /** The most examples memorized, of any T. */
  readonly most: number;
}

/** The edge of each kind of layer that Adam trained. */
export function adamEdges(points: readonly AdamPoint[]): AdamEdge[] {
  const layers = new Map<string, AdamPoint[]>();
  for (const point of points) {
    const { heads, context, headSize } = point.config;
    const key = [kindOf(point.config), heads, context, headSize].join();
    layers.set(key, [...(layers.get(key) ?? []), point]);
  }
  return [...layers.values()].map((own) => {
    const sizes = [...new Set(own.map(({ config }) => config.examples))].sort((a, b) => a - b);
    const isAll = (T: number) =>
      own.filter(({ config }) => config.examples === T).every(({ fitted, config }) => fitted === config.examples);
    const firstShort = sizes.findIndex((T) => !isAll(T));
    const edge = firstShort < 0 ? sizes.length : firstShort;
    return {
      kind: kindOf(own[0].config),
      bound: own[0].bound,
      trainings: own.length,
      allAt: sizes[edge - 1] ?? null,
      notAllAt: sizes[edge] ?? null,
      most: Math.max(...own.map(({ fitted }) => fitted)),
    };
  });
}
