import type { MemorizationConfig } from '../../memorization/config';
import type { SweepResult } from '../../memorization/sweep/results';
import { drawLabels } from '../../memorization/task';
import { expectedRank, theoremLowerBound } from '../../memorization/theorem';
import { fitLine, groupBy, variance, type Line } from '../../statistics';

/** The part of a setting that a panel varies. */
export type PanelAxis = 'heads' | 'context' | 'headSize';

/** One trained model, as a point of a panel. */
export interface PanelPoint {
  readonly panel: string;
  readonly axis: PanelAxis;
  /** The value on that axis. */
  readonly x: number;
  readonly config: MemorizationConfig;
  readonly loss: number;
  readonly accuracy: number | null;
  readonly steps: number;
  readonly seconds: number;
  /** See {@link memorizedExamples}. */
  readonly memorized: number;
  /** Theorem 1 for this model, and what its fixed initial attention weights could fit (the rank of Z). */
  readonly theorem: number | null;
  readonly fixedAttention: number;
}

/**
 * How many of its T examples a model knows, as one number. Classification: T (accuracy - 1/C) / (1 - 1/C), right answers
 * less those that guessing would give. Regression: T (1 - MSE / variance of the labels), which for a linear fit to r
 * independent columns is r on average.
 */
export function memorizedExamples(config: MemorizationConfig, loss: number, accuracy: number | null): number {
  const { examples: T, classes } = config;
  if (accuracy !== null) return (T * Math.max(accuracy - 1 / classes, 0)) / (1 - 1 / classes);
  return T * Math.max(1 - loss / variance(Array.from(drawLabels(config, 'float64'))), 0);
}

/** Finished runs as points, panel by panel; a panel's axis is the setting that differs between its runs. */
export function panelPoints(results: readonly SweepResult[]): PanelPoint[] {
  return [...groupBy(results, ({ panel }) => panel)].flatMap(([panel, own]) => {
    const axis = axisOf(own.map(({ result }) => result.config));
    return own.map(({ result: { config, loss, accuracy, steps, seconds } }) => ({
      panel,
      axis,
      x: config[axis],
      config,
      loss,
      accuracy,
      steps,
      seconds,
      memorized: memorizedExamples(config, loss, accuracy),
      theorem: theoremLowerBound(config),
      fixedAttention: Math.min(expectedRank(config), config.examples),
    }));
  });
}

function axisOf(configs: readonly MemorizationConfig[]): PanelAxis {
  const axes: readonly PanelAxis[] = ['headSize', 'context', 'heads'];
  return axes.find((axis) => new Set(configs.map((config) => config[axis])).size > 1) ?? 'heads';
}

/** The points of one panel: one task, one kind of context, one axis. */
export interface Panel {
  readonly axis: PanelAxis;
  readonly points: readonly PanelPoint[];
  /** Of its first model. */
  readonly config: MemorizationConfig;
  readonly title: string;
  /** Straight lines through the memorized examples, what the theorem promises (0 where it is silent), and fixed attention. */
  readonly trained: Line;
  readonly theorem: Line;
  readonly fixedAttention: Line;
}

/** The panels, all or those of one axis, in the order in which they come. */
export function panelsOf(points: readonly PanelPoint[], only?: PanelAxis): Panel[] {
  const own = only === undefined ? points : points.filter(({ axis }) => axis === only);
  return [...groupBy(own, ({ panel }) => panel).values()].map((panel) => {
    const [{ axis, config }] = panel;
    const sizes = [...new Set(panel.map((point) => point.config.examples))];
    const line = (of: (point: PanelPoint) => number) => fitLine(panel.map((point) => ({ x: point.x, y: of(point) })));
    return {
      axis,
      points: panel,
      config,
      title: `${config.task}, ${config.contexts} contexts, T = ${sizes.join(', ')}`,
      trained: line(({ memorized }) => memorized),
      theorem: line(({ theorem }) => theorem ?? 0),
      fixedAttention: line(({ fixedAttention }) => fixedAttention),
    };
  });
}
