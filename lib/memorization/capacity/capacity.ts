import { relativeTolerance } from '../../rank';
import { inFloat64, inPrecision, qr, tf, toTensor, triangularSolve, valuesOf, type Matrix } from '../../tensor';
import { setting as settingOf, type Setting, type SettingOptions } from '../config';
import { stackData } from '../data';
import { featureRank, scalarLabels } from './feature-matrix';
import { labelledFeatures } from './labelled-features';
import { factorize, provedSigmaRatio, solve, withRidge } from './least-squares';
import { forward } from '../model';
import { initialParameters, parameterView, sinusoidalPositions } from '../parameters';
import { drawTask, type Task } from '../task';
import { featuresPerHead, independentColumns, sharedUpperBound, theoremLowerBound } from '../theorem';

/** What one factorization says about a layer with random attention weights, before training. */
export interface Capacity {
  readonly config: Setting;
  /** H (min(n, d_h) - 1) + 1; null where n > d and the theorem is silent. */
  readonly theoremLowerBound: number | null;
  /** H (n - 1) + 1 for shared contexts, else null. */
  readonly sharedUpperBound: number | null;
  /** Rank of the feature matrix of the T examples at float64's tolerance: how many random labels it can fit. */
  readonly featureRank: number;
  /** Whether all T labels were fitted to `maxResidual` <= 1e-8. */
  readonly memorized: boolean;
  /**
   * Largest |output - label| over the examples when the solved weights run in the model, labels within [0, 1]; null when
   * the weights that would be needed are too large for float64.
   */
  readonly maxResidual: number | null;
  readonly precision: 'float64';
  readonly rtol: number;
  /**
   * Smallest over largest of the `featureRank` singular values that count, or a lower bound of it: where one QR proves
   * full rank, no singular values are computed.
   */
  readonly sigmaRatio: number;
}

/** The residual up to which a label counts as fitted. */
export const FITTED = 1e-8;

/**
 * Measures what a layer with weights drawn like a model's initialisation can memorize: the rank of its feature matrix,
 * and value and output weights that fit the drawn labels, found by one linear solve and checked by running the model.
 */
export async function capacity(options: SettingOptions): Promise<Capacity> {
  const config = settingOf(options);
  const task = drawTask(config, 'float64');
  const vector = initialParameters(config);
  const columns = independentColumns(config);
  const labelled = await labelledFeatures(task, vector, columns);
  const z = pickColumns(labelled, range(columns.length));
  const y = pickColumns(labelled, [columns.length]);
  const rtol = relativeTolerance('float64', config.examples, config.heads * featuresPerHead(config));

  const factors = factorize(z);
  const proved = provedSigmaRatio(factors);
  let rank = Math.min(...z.shape);
  let sigmaRatio = proved;
  let beta: Float64Array;
  if (proved > rtol) {
    beta = solve(factors, y.data);
  } else {
    const spectrum = featureRank(await everyFeature(task, vector), config.examples);
    const { singularValues } = spectrum;
    rank = spectrum.rank;
    sigmaRatio = singularValues[Math.max(rank - 1, 0)] / singularValues[0];
    // Directions that float64 cannot tell from 0 would need unbounded weights: a ridge leaves them out.
    const ridge = rank < Math.min(...z.shape) ? rtol * singularValues[0] : 0;
    beta = ridge > 0 ? solve(...withRidge(z, y.data, ridge)) : solve(factors, y.data);
  }
  const fitted = putIntoModel(config, vector, columns, beta);
  const residual = largestResidual(task, fitted);
  return {
    config,
    theoremLowerBound: theoremLowerBound(config),
    sharedUpperBound: sharedUpperBound(config),
    featureRank: rank,
    memorized: residual <= FITTED,
    maxResidual: Number.isFinite(residual) ? residual : null,
    precision: 'float64',
    rtol,
    sigmaRatio,
  };
}

/** Z with all its columns, dependent ones too, or its triangle: whose singular values decide a doubtful rank. */
async function everyFeature(task: Task, vector: Float64Array): Promise<Matrix> {
  const columns = task.setting.heads * featuresPerHead(task.setting);
  return pickColumns(await labelledFeatures(task, vector, range(columns)), range(columns));
}

/**
 * The same weights with value, output and decoder replaced by ones that make the model say Z beta: head h's value
 * weights beta_h, all outputs the first unit vector, and a decoder that reads it.
 *
 * @param columns of Z to which the entries of beta belong; the others' weights are zero.
 */
export function putIntoModel(
  setting: Setting,
  vector: Float64Array,
  columns: readonly number[],
  beta: Float64Array,
): Float64Array {
  const { heads: H, width: d, classes } = setting;
  const perHead = featuresPerHead(setting);
  const coefficients = new Float64Array(H * perHead);
  beta.forEach((value, i) => (coefficients[columns[i]] = value));

  const fitted = vector.slice();
  const values = perHead === d ? coefficients : throughTokens(setting, vector, coefficients);
  parameterView(fitted, setting, 'value').set(values);
  const output = parameterView(fitted, setting, 'output').fill(0);
  for (let h = 0; h < H; h++) output[h * d] = 1;
  const decoder = parameterView(fitted, setting, 'decoder').fill(0);
  const bias = parameterView(fitted, setting, 'decoderBias').fill(0);
  if (setting.task === 'regression') decoder[0] = 1;
  // A class c is read off the scalar s where 2 c s - c^2, that is -(s - c)^2 without s^2, is largest.
  for (let c = 0; setting.task === 'classification' && c < classes; c++) {
    const label = c / (classes - 1);
    decoder[c] = 2 * label;
    bias[c] = -(label ** 2);
  }
  return fitted;
}

/** Value weights beta_h [H, d] whose values at the n shared tokens are the given ones [H, n]: X beta_h = gamma_h. */
function throughTokens(setting: Setting, vector: Float64Array, gamma: Float64Array): Float64Array {
  const { heads: H, context: n, width: d } = setting;
  const { tokens } = drawTask({ ...setting, examples: 1 }, 'float64');
  const embedding = parameterView(vector, setting, 'embedding');
  return inFloat64(() => {
    const weight = toTensor(embedding.slice(0, d * d), [d, d]);
    const bias = toTensor(embedding.slice(d * d), [1, d]);
    const positions = toTensor(sinusoidalPositions(n + 1, d).slice(d), [n, d]);
    const embedded = tf.add(tf.add(tf.matMul(toTensor(tokens, [n, d]), weight), bias), positions); // X [n, d]
    const [q, r] = qr(tf.transpose(embedded)); // X^T = Q R
    const right = tf.transpose(toTensor(gamma, [H, n])); // [n, H]
    const beta = tf.matMul(q, triangularSolve(r, right, { lower: false, adjoint: true })); // [d, H]
    return valuesOf(tf.transpose(beta)) as Float64Array;
  });
}

/** Largest |output - label| over all examples, with classes as numbers in [0, 1]; infinite where an output is NaN. */
export function largestResidual(task: Task, vector: Float64Array): number {
  const { examples: T, classes } = task.setting;
  const labels = scalarLabels(task);
  return inPrecision('float64', () => {
    const data = stackData([task]);
    const vectors = toTensor(vector, [1, vector.length]) as tf.Tensor2D;
    let largest = 0;
    for (let from = 0; from < T; from += 256) {
      const rows = tf.tidy(() => tf.range(from, Math.min(from + 256, T), 1, 'int32').expandDims(0) as tf.Tensor2D);
      const outputs = forward(vectors, data, rows, task.setting);
      const values = valuesOf(outputs);
      tf.dispose([rows, outputs]);
      for (let b = 0; b < values.length / classes; b++) {
        // With the decoder above, the last class' logit minus the first one's is 2 s - 1.
        const first = values[b * classes];
        const s = classes === 1 ? first : (values[(b + 1) * classes - 1] - first + 1) / 2;
        const residual = Math.abs(s - labels[from + b]);
        largest = Number.isNaN(residual) ? Infinity : Math.max(largest, residual);
      }
    }
    tf.dispose(vectors);
    data.dispose();
    return largest;
  });
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function pickColumns({ data, shape: [rows, width] }: Matrix, columns: readonly number[]): Matrix {
  const picked = new Float64Array(rows * columns.length);
  for (let row = 0; row < rows; row++) {
    columns.forEach((column, i) => (picked[row * columns.length + i] = data[row * width + column]));
  }
  return { data: picked, shape: [rows, columns.length] };
}
