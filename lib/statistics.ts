/** Statistics of short lists of numbers. */
import betaQuantile from '@stdlib/stats-base-dists-beta-quantile';
import studentQuantile from '@stdlib/stats-base-dists-t-quantile';

/** The arithmetic mean; NaN of an empty list. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The middle value, or the mean of the two in the middle; NaN of an empty list. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The mean squared distance from the mean. */
export function variance(values: readonly number[]): number {
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** 2));
}

/**
 * The exact 95 % interval (Clopper and Pearson 1934) of a probability of which `successes` of `trials` were seen. With no
 * failure among N trials its lower end is 0.025^(1/N), about 1 - 3.7 / N.
 */
export function clopperPearson(successes: number, trials: number): [low: number, high: number] {
  const low = successes === 0 ? 0 : betaQuantile(0.025, successes, trials - successes + 1);
  const high = successes === trials ? 1 : betaQuantile(0.975, successes + 1, trials - successes);
  return [low, high];
}

/** The 95 % interval of the mean that values were drawn from, Student's t; infinite for fewer than two. */
export function meanInterval(values: readonly number[]): [low: number, high: number] {
  const count = values.length;
  if (count < 2) return [-Infinity, Infinity];
  const middle = mean(values);
  const error = studentQuantile(0.975, count - 1) * Math.sqrt(variance(values) / (count - 1));
  return [middle - error, middle + error];
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
  const error = count > 2 ? studentQuantile(0.975, count - 2) * Math.sqrt(residuals / (count - 2) / xx) : null;
  return {
    slope,
    intercept,
    ci95: error === null ? null : [slope - error, slope + error],
    r2: yy > 0 ? 1 - residuals / yy : 1,
  };
}

/** Spearman's: Pearson's correlation of the ranks, where equal values share theirs; 0 where all values are equal. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const ranks = (values: readonly number[]) =>
    values.map((value) => {
      const below = values.filter((other) => other < value).length;
      const same = values.filter((other) => other === value).length;
      return below + (same + 1) / 2;
    });
  const [x, y] = [ranks(a), ranks(b)];
  const [meanX, meanY] = [mean(x), mean(y)];
  const covariance = mean(x.map((rank, i) => (rank - meanX) * (y[i] - meanY)));
  const scale = Math.sqrt(variance(x) * variance(y));
  return scale === 0 ? 0 : covariance / scale;
}

/**
 * Spearman's correlation of two lists with a third taken out, and its 95 % interval by Fisher's transformation with the variance
 * 1.06 / (N - 4) (Fieller, Hartley and Pearson 1957; one variable taken out).
 */
export function partialRankCorrelation(
  a: readonly number[],
  b: readonly number[],
  given: readonly number[],
): { readonly correlation: number; readonly ci95: readonly [number, number] } {
  const [ab, ag, bg] = [rankCorrelation(a, b), rankCorrelation(a, given), rankCorrelation(b, given)];
  const rest = Math.sqrt((1 - ag ** 2) * (1 - bg ** 2));
  const correlation = rest > 0 ? Math.max(-1, Math.min(1, (ab - ag * bg) / rest)) : 0;
  const error = 1.96 * Math.sqrt(1.06 / Math.max(a.length - 4, 0));
  const middle = Math.atanh(correlation);
  return { correlation, ci95: [Math.tanh(middle - error), Math.tanh(middle + error)] };
}

/** Items grouped by `key`; keys and items keep the order in which they come. */
export function groupBy<T, K>(items: Iterable<T>, key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
