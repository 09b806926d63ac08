import type { Matrix } from '../../tensor';
import type { Layer } from '../config';
import { parameterCount, parameterView, sinusoidalPositions, trainedFrom } from '../parameters';
import type { Task } from '../task';

/** A task whose setting says all of a layer. */
export interface LayerTask extends Task {
  readonly setting: Layer;
}

/** Outputs of a layer, and how they change with its trained weights. */
export interface Linearization {
  /** `[T C]`: the C outputs of each example behind each other. */
  readonly outputs: Float64Array;
  /** `[T C, P]`: the derivative of each output by each trained weight, in the order of the parameter vector. */
  readonly jacobian: Matrix & { readonly data: Float64Array };
}

/** The outputs [T C] of a layer on its task, float64. */
export function outputsOf(task: LayerTask, vector: Float64Array): Float64Array {
  return run(task, vector, null);
}

/** The outputs and their Jacobian, written out by hand, float64. */
export function linearize(task: LayerTask, vector: Float64Array): Linearization {
  const { setting } = task;
  const shape = [setting.examples * setting.classes, parameterCount(setting)] as const;
  const data = new Float64Array(shape[0] * shape[1]);
  return { outputs: run(task, vector, data), jacobian: { data, shape } };
}

/**
 * Example by example, with x the embedded query, X_i the embedded tokens, U = W_o W_dec and head h of group g:
 *
 *     q = x W_q^h / sqrt(d),  p = W_k^g q,  a = softmax(X p),  z = (sum_i a_i X_i) W_v^g,  out_c = sum_h z U_c^h + b_c
 *
 * and, with w = W_v^g U_c^h, y_i = X_i w, g_i = a_i (y_i - sum_j a_j y_j) the derivative by score i, and
 * k = (sum_i g_i X_i) W_k^g / sqrt(d):
 *
 *     d out_c / d W_q^h = x k^T          d W_k^g = (sum_i g_i X_i) q^T      d W_v^g = (sum_i a_i X_i) (U_c^h)^T
 *     d out_c / d x     = W_q^h k        d X_i   = g_i p + a_i w
 *
 * Loops rather than tensors: the rows of the Jacobian are written once, in place, and nothing else is large.
 */
function run(task: LayerTask, vector: Float64Array, jacobian: Float64Array | null): Float64Array {
  const { setting } = task;
  const { heads: H, context: n, headSize: r, width: d, classes: C, examples: T, valueSize: dv } = setting;
  const perGroup = H / setting.keyValueHeads;
  const view = (name: Parameters<typeof parameterView>[2]) => parameterView(vector, setting, name);
  const [query, key, value, output] = [view('query'), view('key'), view('value'), view('output')];
  const [decoder, decoderBias] = [view('decoder'), view('decoderBias')];
  const read = readOut(setting, value, output, decoder);
  const scale = 1 / Math.sqrt(d);
  const P = parameterCount(setting);
  const offsets = columnOffsets(setting);
  const embedded = embedder(task, view('embedding'));
  const outputs = new Float64Array(T * C);

  const q = new Float64Array(H * r);
  const probes = new Float64Array(H * d);
  const weights = new Float64Array(H * n);
  const means = new Float64Array(H * d); // sum_i a_i X_i
  const z = new Float64Array(H * dv);
  const g = new Float64Array(n);
  const shift = new Float64Array(d); // sum_i g_i X_i
  const k = new Float64Array(r);
  const dQuery = new Float64Array(d);
  const dTokens = new Float64Array(n * d);

  for (let t = 0; t < T; t++) {
    const { x, tokens } = embedded(t);
    for (let h = 0; h < H; h++) {
      const group = Math.floor(h / perGroup);
      for (let j = 0; j < r; j++) {
        let sum = 0;
        for (let i = 0; i < d; i++) sum += x[i] * query[(h * d + i) * r + j];
        q[h * r + j] = sum * scale;
      }
      for (let i = 0; i < d; i++) {
        let sum = 0;
        for (let j = 0; j < r; j++) sum += key[(group * d + i) * r + j] * q[h * r + j];
        probes[h * d + i] = sum;
      }
      softmaxOfScores(tokens, probes.subarray(h * d, (h + 1) * d), weights.subarray(h * n, (h + 1) * n));
      weightedTokens(tokens, weights.subarray(h * n, (h + 1) * n), means.subarray(h * d, (h + 1) * d));
      for (let v = 0; v < dv; v++) {
        let sum = 0;
        for (let i = 0; i < d; i++) sum += means[h * d + i] * value[(group * d + i) * dv + v];
        z[h * dv + v] = sum;
      }
    }
    for (let c = 0; c < C; c++) {
      let sum = decoderBias[c];
      for (let hv = 0; hv < H * dv; hv++) sum += z[hv] * read.weights[hv * C + c];
      outputs[t * C + c] = sum;
      if (jacobian === null) continue;

      const row = jacobian.subarray((t * C + c) * P, (t * C + c + 1) * P);
      dQuery.fill(0);
      dTokens.fill(0);
      for (let h = 0; h < H; h++) {
        const group = Math.floor(h / perGroup);
        const w = read.directions.subarray((h * C + c) * d, (h * C + c + 1) * d);
        const a = weights.subarray(h * n, (h + 1) * n);
        scoreDerivatives(tokens, a, w, g);
        weightedTokens(tokens, g, shift);
        for (let j = 0; j < r; j++) {
          let sum = 0;
          for (let i = 0; i < d; i++) sum += shift[i] * key[(group * d + i) * r + j];
          k[j] = sum * scale;
        }
        const [atQuery, atKey] = [offsets.query + h * d * r, offsets.key + group * d * r];
        for (let i = 0; i < d; i++) {
          let sum = 0;
          for (let j = 0; j < r; j++) {
            row[atQuery + i * r + j] = x[i] * k[j];
            row[atKey + i * r + j] += shift[i] * q[h * r + j];
            sum += query[(h * d + i) * r + j] * k[j];
          }
          dQuery[i] += sum;
        }
        const atValue = offsets.value + group * d * dv;
        for (let v = 0; v < dv; v++) {
          const u = read.weights[(h * dv + v) * C + c];
          for (let i = 0; i < d; i++) row[atValue + i * dv + v] += means[h * d + i] * u;
          const [zv, atOutput] = [z[h * dv + v], offsets.output + (h * dv + v) * d];
          for (let j = 0; j < d; j++) {
            row[atOutput + j] = zv * decoder[j * C + c];
            row[offsets.decoder + j * C + c] += zv * output[(h * dv + v) * d + j];
          }
        }
        if (setting.embedding === 'fixed') continue;
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < d; j++) dTokens[i * d + j] += g[i] * probes[h * d + j] + a[i] * w[j];
        }
      }
      row[offsets.decoderBias + c] = 1;
      if (setting.embedding !== 'fixed') embeddingRow(task, t, dQuery, dTokens, row);
    }
  }
  return outputs;
}

/** U = W_o W_dec `[H d_v, C]`, and the directions w = W_v^g U_c^h `[H, C, d]` in which an output reads the tokens. */
function readOut(setting: Layer, value: Float64Array, output: Float64Array, decoder: Float64Array) {
  const { heads: H, width: d, classes: C, valueSize: dv, keyValueHeads } = setting;
  const weights = new Float64Array(H * dv * C);
  const directions = new Float64Array(H * C * d);
  for (let hv = 0; hv < H * dv; hv++) {
    const group = Math.floor((hv * keyValueHeads) / (H * dv));
    for (let c = 0; c < C; c++) {
      let u = 0;
      for (let j = 0; j < d; j++) u += output[hv * d + j] * decoder[j * C + c];
      weights[hv * C + c] = u;
      const at = (Math.floor(hv / dv) * C + c) * d;
      for (let i = 0; i < d; i++) directions[at + i] += value[(group * d + i) * dv + (hv % dv)] * u;
    }
  }
  return { weights, directions };
}

/** Where the columns of each array begin; those of a fixed embedding are none. */
function columnOffsets(setting: Layer) {
  const all = new Float64Array(trainedFrom(setting) + parameterCount(setting));
  const at = (name: Parameters<typeof parameterView>[2]) =>
    parameterView(all, setting, name).byteOffset / 8 - trainedFrom(setting);
  return {
    query: at('query'),
    key: at('key'),
    value: at('value'),
    output: at('output'),
    decoder: at('decoder'),
    decoderBias: at('decoderBias'),
  };
}

/** Gives the embedded query [d] and tokens [n, d] of an example, positions added; the next call overwrites them. */
function embedder(task: LayerTask, embedding: Float64Array) {
  const { context: n, width: d, contexts, embedding: kind } = task.setting;
  const positions = sinusoidalPositions(n + 1, d);
  const x = new Float64Array(d);
  const tokens = new Float64Array(n * d);
  const embed = (raw: Float64Array, position: number, into: Float64Array) => {
    for (let j = 0; j < d; j++)
      into[j] = positions[position * d + j] + (kind === 'fixed' ? raw[j] : embedding[d * d + j]);
    if (kind === 'fixed') return;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) into[j] += raw[i] * embedding[i * d + j];
    }
  };
  const embedTokens = (t: number) => {
    for (let i = 0; i < n; i++) embed(rawToken(task, t, i), i + 1, tokens.subarray(i * d, (i + 1) * d));
  };
  if (contexts === 'shared') embedTokens(0);
  return (t: number) => {
    embed(rawQuery(task, t), 0, x);
    if (contexts !== 'shared') embedTokens(t);
    return { x, tokens };
  };
}

function rawQuery({ queries, setting: { width: d } }: LayerTask, t: number): Float64Array {
  return queries.subarray(t * d, (t + 1) * d) as Float64Array;
}

function rawToken({ tokens, bagRows, setting }: LayerTask, t: number, i: number): Float64Array {
  const { context: n, width: d, contexts } = setting;
  const row = contexts === 'shared' ? i : contexts === 'random' ? t * n + i : bagRows![t * n + i];
  return tokens.subarray(row * d, (row + 1) * d) as Float64Array;
}

function softmaxOfScores(tokens: Float64Array, probe: Float64Array, weights: Float64Array): void {
  const d = probe.length;
  let largest = -Infinity;
  for (let i = 0; i < weights.length; i++) {
    let score = 0;
    for (let j = 0; j < d; j++) score += tokens[i * d + j] * probe[j];
    weights[i] = score;
    largest = Math.max(largest, score);
  }
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i] = Math.exp(weights[i] - largest);
  for (let i = 0; i < weights.length; i++) weights[i] /= total;
}

/** sum_i weights_i X_i [d]. */
function weightedTokens(tokens: Float64Array, weights: Float64Array, sum: Float64Array): void {
  const d = sum.length;
  sum.fill(0);
  for (let i = 0; i < weights.length; i++) {
    for (let j = 0; j < d; j++) sum[j] += weights[i] * tokens[i * d + j];
  }
}

/** g_i = a_i (y_i - sum_j a_j y_j), y_i = X_i w. */
function scoreDerivatives(tokens: Float64Array, a: Float64Array, w: Float64Array, g: Float64Array): void {
  const d = w.length;
  let mean = 0;
  for (let i = 0; i < a.length; i++) {
    let y = 0;
    for (let j = 0; j < d; j++) y += tokens[i * d + j] * w[j];
    g[i] = y;
    mean += a[i] * y;
  }
  for (let i = 0; i < a.length; i++) g[i] = a[i] * (g[i] - mean);
}

/** The embedding's columns: e^T (d out / d x) + sum_i E_i^T (d out / d X_i), and the bias below. */
function embeddingRow(
  task: LayerTask,
  t: number,
  dQuery: Float64Array,
  dTokens: Float64Array,
  row: Float64Array,
): void {
  const { context: n, width: d } = task.setting;
  for (let token = -1; token < n; token++) {
    const raw = token < 0 ? rawQuery(task, t) : rawToken(task, t, token);
    const by = token < 0 ? dQuery : dTokens.subarray(token * d, (token + 1) * d);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) row[i * d + j] += raw[i] * by[j];
    }
    for (let j = 0; j < d; j++) row[d * d + j] += by[j];
  }
}
