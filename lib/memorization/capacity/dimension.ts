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
      const { rank: dimension, ...ratios } = found;
      return { dimension, formula, parameters, examples, ...ratios };
    }
    examples *= 2;
  }
}

function rankOf({ data, shape }: Matrix) {
  const values = inFloat64(() => valuesOf(svdvals(toTensor(data, shape))));
  const rtol = relativeTolerance('float64', ...shape);
  const rank = rankAt(values, rtol);
  return { rank, sigmaRatio: values[rank - 1] / values[0], nextRatio: (values[rank] ?? 0) / values[0], rtol };
}

function firstRows({ data, shape: [, columns] }: Matrix, rows: number): Matrix {
  return { data: data.subarray(0, rows * columns), shape: [rows, columns] };
}

/**
 * The dimension in closed form, for weights, queries and contexts in general position: docs/dimension.md derives it.
 *
 * With a shared context, one output, d_v = 1 and a fixed embedding it is H [m (D + c - m) + v] + 1 with D = d the
 * dimension of the queries' span, c = v = min(n - 1, d) that of the tokens less their mean, m = min(d_h, c).
 */
export function dimensionFormula(layer: Layer): number | null {
  const { heads: H, keyValueHeads: G, headSize: r, valueSize: dv, width: d, classes: C, context: n, contexts } = layer;
  const shared = contexts === 'shared';
  if (!shared && n === 1) {
    const k = Math.min(d, C, G * dv);
    return k * (d + C - k) + C;
  }
  const c = shared ? Math.min(n - 1, d) : d;
  const perGroup = H / G;
  const m = Math.min(r, c, perGroup * d);
  const k = Math.min(d, C, H * Math.min(dv, c));
  const u = Math.min(dv, c, perGroup * k);
  const scores = G * m * (perGroup * d + c - m);
  const values = G * u * (c + perGroup * k - u) + k * (C - k) + C;
  if (layer.embedding === 'fixed') return scores + values;
  const q = shared ? Math.max(0, Math.min(n - 1 - d, d)) : Math.min(n - 1, d);
  return scores + values + q * Math.min(G * (m + u), d) + Math.min(H * m, d);
}
