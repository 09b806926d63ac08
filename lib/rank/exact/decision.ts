/**
 * How a decision was reached:
 * - `definition`: nothing had to be computed (more rows than columns, no row but zeros, a ratio of at least 1);
 * - `multiprecision`: by arithmetic on integers of some hundred bits.
 */
export type ExactMethod = 'definition' | 'multiprecision';

/** Whether rows are independent at a tolerance: sigma_min > ratio sigma_max, strictly. */
export interface ExactDecision {
  /** Proved either way, rounding included; null where sigma_min is too near to the tolerance to tell. */
  readonly independent: boolean | null;
  readonly method: ExactMethod;
  /** Where `independent` is null: the relative distance from the tolerance within which sigma_min is proved to lie. */
  readonly within: number | null;
}
