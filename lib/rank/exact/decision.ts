/**
 * How a decision was reached:
 * - `definition`: nothing had to be computed (more rows than columns, a row of zeros only, a ratio of at least 1);
 * - `double-double`: by numbers of some 106 bits, their rounding bounded;
 * - `multiprecision`: by whole numbers of some hundred bits.
 */
export type ExactMethod = 'definition' | 'double-double' | 'multiprecision';

/** Whether rows are independent at a tolerance: sigma_min > ratio sigma_max, strictly. */
export interface ExactDecision {
  /** Proved either way, rounding included; null where sigma_min is too near to the tolerance to tell. */
  readonly independent: boolean | null;
  readonly method: ExactMethod;
  /** Where `independent` is null: sigma_min / (ratio sigma_max) is proved to lie between 1 - within and 1 + within. */
  readonly within: number | null;
}
