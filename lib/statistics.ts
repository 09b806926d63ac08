/** Statistics of short lists of numbers. */
import betaQuantile from '@stdlib/stats-base-dists-beta-quantile';

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

/**
 * The exact 95 % interval (Clopper and Pearson 1934) of a probability of which `successes` of `trials` were seen. With no
 * failure among N trials its lower end is 0.025^(1/N), about 1 - 3.7 / N.
 */
export function clopperPearson(successes: number, trials: number): [low: number, high: number] {
  const low = successes === 0 ? 0 : betaQuantile(0.025, successes, trials - successes + 1);
  const high = successes === trials ? 1 : betaQuantile(0.975, successes + 1, trials - successes);
  return [low, high];
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
