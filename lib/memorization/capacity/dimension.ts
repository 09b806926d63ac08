import { requireMemory } from '../../data';
import { rankAt, relativeTolerance } from '../../rank';
import { inFloat64, svdvals, toTensor, valuesOf, type Matrix } from '../../tensor';
import { layerOf, type Layer, type LayerOptions } from '../config';
import { initialParameters, parameterCount } from '../parameters';
import { drawTask } from '../task';
import { linearize } from './jacobian';

/** A layer without a number of examples. */
export type DimensionOptions = Omit<LayerOptions, 'examples'>;

/** How many independent directions the outputs of a layer have, however many examples there are. */
export interface FunctionalDimension {
  /** The rank of the Jacobian at float64's tolerance. */
  readonly dimension: number;
  /** Its rank at float32's tolerance: the directions that float32 tells from rounding. */
  readonly dimensionAtFloat32: number;
  /** {@link dimensionFormula} of the layer. */
  readonly formula: number | null;
  /** Trained weights, the columns of the Jacobian. */
  readonly parameters: number;
  /** Examples whose outputs, one a logit, are its rows. */
  readonly examples: number;
  /** The last singular value that counts, and the first that does not (0 where all count), over the largest. */
  readonly sigmaRatio: number;
  readonly nextRatio: number;
  /** Ratio to the largest singular value up to which one counts as zero. */
  readonly rtol: number;
}

/** Examples beyond those that reach the dimension: the rank must not rise with them. */
const SPARE = 10;

/**
 * The dimension of the set of functions that a layer computes when all its weights vary: the rank, at float64's tolerance, of
 * the Jacobian of its outputs on T examples by all weights, at random weights, T so large that more examples do not raise
 * it. Labels of more examples than this are fitted by chance only (docs/dimension.md).
 *
 * @throws InputError when the Jacobian does not fit into memory.
 */
export function functionalDimension(options: DimensionOptions): FunctionalDimension {
  const one = layerOf({ ...options, examples: 1 });
  const parameters = parameterCount(one);
  const formula = dimensionFormula(one);
  // Where the heads' outputs are fewer than the logits, an example adds no more directions than they are.
  const perExample = Math.min(one.classes, one.heads * one.valueSize);
  let examples = Math.ceil((formula ?? parameters) / perExample) + 2 * SPARE;
  for (;;) {
    const rows = examples * one.classes;
    requireMemory(
      3 * 8 * rows * parameters,
      `the Jacobian of ${rows} outputs by ${parameters} weights, whose rank is the dimension,`,
      `use fewer heads or a machine with more memory${formula === null ? '' : ` (the closed form says ${formula})`}`,
    );
    const setting = { ...one, examples };
    const task = { ...drawTask(setting, 'float64'), setting };
    const { jacobian } = linearize(task, initialParameters(setting));
    const found = rankOf(jacobian);
    const fewer = (examples - SPARE) * one.classes;
    if (
      found.rank < (one.classes === 1 ? fewer : examples - SPARE) ||
      rankOf(firstRows(jacobian, fewer)).rank === found.rank
    ) {
      const { rank: dimension, rankAtFloat32: dimensionAtFloat32, ...ratios } = found;
      return { dimension, dimensionAtFloat32, formula, parameters, examples, ...ratios };
    }
    examples *= 2;
  }
}

function rankOf({ data, shape }: Matrix) {
  const values = inFloat64(() => valuesOf(svdvals(toTensor(data, shape))));
  const rtol = relativeTolerance('float64', ...shape);
  const rank = rankAt(values, rtol);
  const rankAtFloat32 = rankAt(values, relativeTolerance('float32', ...shape));
  return {
    rank,
    rankAtFloat32,
    sigmaRatio: values[rank - 1] / values[0],
    nextRatio: (values[rank] ?? 0) / values[0],
    rtol,
  };
}

function firstRows({ data, shape: [, columns] }: Matrix, rows: number): Matrix {
  return { data: data.subarray(0, rows * columns), shape: [rows, columns] };
}

/** What of the data and the positions a dimension depends on; by default queries and tokens span all d dimensions. */
export interface Spans {
  /** D, the dimension of the span of the query vectors that the layer sees. */
  readonly queries?: number;
  /** The dimension of the span of the tokens: those of the shared context, or those of all contexts. */
  readonly tokens?: number;
  /**
   * Whether queries and keys are turned by their positions (RoPE: Su et al., 2021) instead of positions being added; for an even
   * d_h, pairs of different frequencies, and two tokens or more.
   */
  readonly rotary?: boolean;
}

/**
 * The dimension in closed form, for weights, queries and contexts in general position within their spans: docs/dimension.md
 * derives it. Null where there is none: spans and rotary positions are counted for a fixed embedding only.
 *
 * With a shared context, one output, d_v = 1 and a fixed embedding it is H [m (D + c - m) + v] + 1 with D the dimension of the
 * queries' span, c = v = min(n - 1, d) that of the tokens less their mean, m = min(d_h, c).
 */
export function dimensionFormula(layer: Layer, spans: Spans = {}): number | null {
  const { heads: H, keyValueHeads: G, headSize: r, valueSize: dv, width: d, classes: C, context: n, contexts } = layer;
  const { queries: D = d, tokens = d, rotary = false } = spans;
  if (layer.embedding !== 'fixed' && (D !== d || tokens !== d || rotary)) return null;
  const shared = contexts === 'shared';
  if (!shared && n === 1) {
    const k = Math.min(tokens, C, G * dv);
    return k * (tokens + C - k) + C;
  }
  const c = shared ? Math.min(n - 1, tokens) : tokens;
  const perGroup = H / G;
  const ofRank = (rank: number, columns: number) => {
    const m = Math.min(rank, columns, perGroup * D);
    return m * (perGroup * D + columns - m);
  };
  const m = Math.min(r, c, perGroup * D);
  const k = Math.min(d, C, H * Math.min(dv, c));
  const u = Math.min(dv, c, perGroup * k);
  // Turned by positions, all keys of a shared context may have any value of their own; what W_q and W_k can do bounds it.
  const turned = r * (perGroup * D + tokens - 1);
  const scores = !rotary ? ofRank(r, c) : shared ? Math.min(ofRank(r, n - 1), turned) : turned;
  const values = G * u * (c + perGroup * k - u) + k * (C - k) + C;
  if (layer.embedding === 'fixed') return G * scores + values;
  const q = shared ? Math.max(0, Math.min(n - 1 - d, d)) : Math.min(n - 1, d);
  return G * scores + values + q * Math.min(G * (m + u), d) + Math.min(H * m, d);
}
