import { convert, svdvals, tf, valuesOf } from '../tensor';
import { inFloat64 } from './in-float64';
import { rankAt, relativeTolerance, type Rtol } from './tolerance';

export interface ContextRanks {
  /** Rank of each context matrix at the tolerance, `[B]`. */
  readonly ranks: Int32Array;
  /** The ratio to sigma_max that counts as zero. */
  readonly tolerance: number;
}

/**
 * Ranks of context matrices `[B, n, d]` (paper, Assumption 2: each should be n), of either precision, each at the tolerance
 * relative to its own largest singular value. The arithmetic is float64.
 */
export function contextRanks(contexts: tf.Tensor3D, { rtol }: { readonly rtol: Rtol }): ContextRanks {
  const [batch, n, d] = contexts.shape;
  const tolerance = relativeTolerance(rtol, n, d);
  const exact = convert(contexts, 'float64');
  const sigmas = inFloat64(() => valuesOf(svdvals(exact)));
  exact.dispose();
  const each = Math.min(n, d);
  const ranks = Int32Array.from({ length: batch }, (_, i) =>
    rankAt(sigmas.subarray(i * each, (i + 1) * each), tolerance),
  );
  return { ranks, tolerance };
}
