import betaQuantile from '@stdlib/stats-base-dists-beta-quantile';

/**
 * The exact 95 % interval (Clopper and Pearson 1934) of a probability of which `successes` of `trials` were seen. With no
 * failure among N trials its lower end is 0.025^(1/N), about 1 - 3.7 / N.
 */
export function clopperPearson(successes: number, trials: number): [low: number, high: number] {
  const low = successes === 0 ? 0 : betaQuantile(0.025, successes, trials - successes + 1);
  const high = successes === trials ? 1 : betaQuantile(0.975, successes + 1, trials - successes);
  return [low, high];
}
