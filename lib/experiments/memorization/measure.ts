import { mean } from '../../rank';
import type { MemorizationConfig } from '../../memorization/config';
import type { SweepResult } from '../../memorization/sweep/results';
import { drawLabels } from '../../memorization/task';
import { expectedRank, theoremLowerBound } from '../../memorization/theorem';

/** What of a setting a panel varies. */
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
 * independent features is r on average.
 */
export function memorizedExamples(config: MemorizationConfig, loss: number, accuracy: number | null): number {
  const { examples: T, classes } = config;
  if (accuracy !== null) return (T * Math.max(accuracy - 1 / classes, 0)) / (1 - 1 / classes);
  return T * Math.max(1 - loss / variance(drawLabels(config, 'float64')), 0);
}

/** Finished runs as points, panel by panel; a panel's axis is the setting that differs between its runs. */
export function panelPoints(results: readonly SweepResult[]): PanelPoint[] {
  return [...new Set(results.map(({ panel }) => panel))].flatMap((panel) => {
    const own = results.filter((result) => result.panel === panel);
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

/** A straight line through points. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** 95 % interval of the slope, Student's t; null for fewer than three points. */
  readonly ci95: readonly [number, number] | null;
  /** Share of the variance that the line explains. */
  readonly r2: number;
}

/** Least squares, with the slope's interval. */
export function fitLine(points: readonly { readonly x: number; readonly y: number }[]): Line {
  const count = points.length;
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  const sum = (of: (point: { x: number; y: number }) => number) =>
    points.reduce((total, point) => total + of(point), 0);
  const xx = sum(({ x }) => (x - meanX) ** 2);
  const yy = sum(({ y }) => (y - meanY) ** 2);
  const slope = sum(({ x, y }) => (x - meanX) * (y - meanY)) / xx;
  const intercept = meanY - slope * meanX;
  const residuals = sum(({ x, y }) => (y - intercept - slope * x) ** 2);
  const error = count > 2 ? studentT975(count - 2) * Math.sqrt(residuals / (count - 2) / xx) : null;
  return {
    slope,
    intercept,
    ci95: error === null ? null : [slope - error, slope + error],
    r2: yy > 0 ? 1 - residuals / yy : 1,
  };
}

/** The 97.5 % point of Student's t, by the Cornish-Fisher expansion; within 0.1 % from 3 degrees of freedom on. */
function studentT975(degrees: number): number {
  if (degrees === 1) return 12.7062;
  if (degrees === 2) return 4.3027;
  const z = 1.959964;
  const [z3, z5, z7, z9] = [z ** 3, z ** 5, z ** 7, z ** 9];
  return (
    z +
    (z3 + z) / (4 * degrees) +
    (5 * z5 + 16 * z3 + 3 * z) / (96 * degrees ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * degrees ** 3) +
    (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * degrees ** 4)
  );
}

function variance(values: ArrayLike<number>): number {
  const numbers = Array.from(values);
  const middle = mean(numbers);
  return mean(numbers.map((value) => (value - middle) ** 2));
}
