/**
 * Query vectors computed in double-double arithmetic from the formulas of vit.ts and random-attention.ts, one image
 * at a time: correct to some 30 digits, so that the forward error of float64 can be measured against them. Slow (seconds per
 * image), and deliberately separate from the tensor code, so that the two check each other.
 */
import type { ImageModel } from '../../models';
import { tokenCount } from '../../models/networks/architecture';
import { resizeGrid } from '../../data/images/resize-grid';
import type { ViTConfig } from '../../models/networks/vit';
import { randomAttentionWeights } from '../../models/ready/random-attention';
import type { WeightSource } from '../../models/weights/weight-source';
import {
  add,
  at,
  dd,
  divide,
  dot,
  errorFunction,
  exactly,
  exponential,
  linear,
  multiply,
  put,
  squareRoot,
  subtract,
  zeros,
  type DoubleDouble,
  type DoubleDoubles,
} from './double-double';

/** The model's class-token row of layer 1, or of random attention over its embeddings. */
export interface ReferenceQueries {
  /** Pixels `[3, H, W]` in float64 -> e(t), `[d]`. */
  query(pixels: Float64Array): DoubleDoubles;
}

/** Reads the weights that `output` needs; `seed` draws random attention. Only ViTs with erf GELU, as both of ours are. */
export async function referenceQueries(
  model: ImageModel,
  output: 'attention' | 1,
  seed: number,
): Promise<ReferenceQueries> {
  const { inputSize } = model;
  const config = model.config as ViTConfig;
  if (config.activation !== 'gelu') throw new Error(`double-double queries know gelu, not ${config.activation}`);
  const source = await model.weights();
  const embed = embedding(config, inputSize, source);
  const d = config.hiddenSize;
  const n = tokenCount(config, inputSize, inputSize);
  if (output === 'attention') {
    const drawn = randomAttentionWeights(seed, d);
    const [wQ, wK, wV, wO] = ['W_Q', 'W_K', 'W_V', 'W_O'].map((name) => exactly(transposed(drawn.read(name), d)));
    const maps = { wQ, wK, wV, wO, bQ: null, bV: null, bO: null };
    return {
      query(pixels) {
        const tokens = embed(pixels);
        const normed = tokens.map((token) => layerNorm(token, 1e-5, null, null));
        return sum(tokens[0], attentionOfFirst(normed, maps, 1, divide(dd(1), squareRoot(dd(d)))));
      },
    };
  }
  const block = 'encoder.layer.0.';
  const dino = config.layout === 'dinov2';
  const read = (name: string) => source.read(block + name);
  const affine = (name: string) => [read(`${name}.weight`), read(`${name}.bias`)] as const;
  const map = (name: string) => [exactly(read(`${name}.weight`)), read(`${name}.bias`)] as const;
  const [wQ, bQ] = map('attention.attention.query');
  const [wK] = map('attention.attention.key');
  const [wV, bV] = map('attention.attention.value');
  const [wO, bO] = map('attention.output.dense');
  const before = affine(dino ? 'norm1' : 'layernorm_before');
  const after = affine(dino ? 'norm2' : 'layernorm_after');
  const mlpIn = map(dino ? 'mlp.fc1' : 'intermediate.dense');
  const mlpOut = map(dino ? 'mlp.fc2' : 'output.dense');
  const scales = dino ? [read('layer_scale1.lambda1'), read('layer_scale2.lambda1')] : [null, null];
  const scale = divide(dd(1), squareRoot(dd(d / config.heads)));
  return {
    query(pixels) {
      const tokens = embed(pixels);
      if (tokens.length !== n) throw new Error(`expected ${n} tokens, got ${tokens.length}`);
      const normed = tokens.map((token) => layerNorm(token, config.layerNormEps, ...before));
      const attended = attentionOfFirst(normed, { wQ, wK, wV, wO, bQ, bV, bO }, config.heads, scale);
      const y = sum(tokens[0], scaled(attended, scales[0]));
      const inner = linear(...mlpIn, layerNorm(y, config.layerNormEps, ...after));
      for (let i = 0; i < inner.hi.length; i++) put(inner, i, gelu(at(inner, i)));
      return sum(y, scaled(linear(...mlpOut, inner), scales[1]));
    },
  };
}

type Numbers = Float32Array | Float64Array;

/** Pixels `[3, H, W]` -> X_0, its n tokens of `[d]` each. */
function embedding(
  config: ViTConfig,
  inputSize: number,
  source: WeightSource,
): (pixels: Float64Array) => DoubleDoubles[] {
  const { hiddenSize: d, patchSize: p } = config;
  const side = Math.floor(inputSize / p);
  const learnedSide = Math.floor(config.imageSize / p);
  const classToken = source.read('embeddings.cls_token');
  const positions = source.read('embeddings.position_embeddings');
  const projection = exactly(source.read('embeddings.patch_embeddings.projection.weight'));
  const bias = source.read('embeddings.patch_embeddings.projection.bias');
  const grid = positions.subarray(d);
  // The resized grid is taken as given: it is a constant of the network, the same for every image.
  const patchPositions =
    side === learnedSide ? grid : resizeGrid(Float64Array.from(grid), [learnedSide, learnedSide], [side, side], d);
  const first = zeros(d);
  for (let i = 0; i < d; i++) put(first, i, add(dd(classToken[i]), dd(positions[i])));
  return (pixels) => {
    const tokens = [first];
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const patch = zeros(3 * p * p);
        let next = 0;
        for (let channel = 0; channel < 3; channel++) {
          for (let y = 0; y < p; y++) {
            for (let x = 0; x < p; x++) {
              patch.hi[next++] = pixels[(channel * inputSize + row * p + y) * inputSize + column * p + x];
            }
          }
        }
        const token = linear(projection, bias, patch);
        const offset = (row * side + column) * d;
        for (let i = 0; i < d; i++) put(token, i, add(at(token, i), dd(patchPositions[offset + i])));
        tokens.push(token);
      }
    }
    return tokens;
  };
}

interface Maps {
  readonly wQ: DoubleDoubles;
  readonly wK: DoubleDoubles;
  readonly wV: DoubleDoubles;
  readonly wO: DoubleDoubles;
  readonly bQ: Numbers | null;
  readonly bV: Numbers | null;
  readonly bO: Numbers | null;
}

/** The first token's attention to all: keys' biases drop out of the softmax, and the values are averaged before W_V. */
function attentionOfFirst(
  tokens: readonly DoubleDoubles[],
  maps: Maps,
  heads: number,
  scale: DoubleDouble,
): DoubleDoubles {
  const d = tokens[0].hi.length;
  const size = d / heads;
  const query = linear(maps.wQ, maps.bQ, tokens[0]);
  const joined = zeros(d);
  for (let head = 0; head < heads; head++) {
    const own = slice(query, head * size, (head + 1) * size);
    const moved = zeros(d); // W_K^T q of this head
    for (let i = 0; i < d; i++) put(moved, i, dot(maps.wK, own, size, head * size * d + i, 0, d));
    const scores = tokens.map((token) => multiply(dot(moved, token, d), scale));
    const largest = scores.reduce((best, score) => (score.hi > best.hi ? score : best));
    const weights = scores.map((score) => exponential(subtract(score, largest)));
    const total = weights.reduce(add);
    const mean = zeros(d);
    tokens.forEach((token, index) => {
      const weight = divide(weights[index], total);
      for (let i = 0; i < d; i++) put(mean, i, add(at(mean, i), multiply(weight, at(token, i))));
    });
    const rows = slice(maps.wV, head * size * d, (head + 1) * size * d);
    const value = linear(rows, maps.bV && maps.bV.subarray(head * size, (head + 1) * size), mean);
    for (let i = 0; i < size; i++) put(joined, head * size + i, at(value, i));
  }
  return linear(maps.wO, maps.bO, joined);
}

const slice = ({ hi, lo }: DoubleDoubles, from: number, to: number): DoubleDoubles => ({
  hi: hi.subarray(from, to),
  lo: lo.subarray(from, to),
});

function layerNorm(x: DoubleDoubles, eps: number, weight: Numbers | null, bias: Numbers | null): DoubleDoubles {
  const d = x.hi.length;
  let mean = dd(0);
  for (let i = 0; i < d; i++) mean = add(mean, at(x, i));
  mean = divide(mean, dd(d));
  let variance = dd(0);
  for (let i = 0; i < d; i++) {
    const centred = subtract(at(x, i), mean);
    variance = add(variance, multiply(centred, centred));
  }
  const deviation = squareRoot(add(divide(variance, dd(d)), dd(eps)));
  const normed = zeros(d);
  for (let i = 0; i < d; i++) {
    const value = divide(subtract(at(x, i), mean), deviation);
    put(normed, i, weight && bias ? add(multiply(value, dd(weight[i])), dd(bias[i])) : value);
  }
  return normed;
}

const HALF_ROOT = squareRoot(dd(0.5));

/** x (1 + erf(x / sqrt 2)) / 2. */
function gelu(x: DoubleDouble): DoubleDouble {
  const { hi, lo } = multiply(x, add(dd(1), errorFunction(multiply(x, HALF_ROOT))));
  return dd(hi / 2, lo / 2);
}

function sum(a: DoubleDoubles, b: DoubleDoubles): DoubleDoubles {
  const result = zeros(a.hi.length);
  for (let i = 0; i < a.hi.length; i++) put(result, i, add(at(a, i), at(b, i)));
  return result;
}

function scaled(x: DoubleDoubles, lambda: Numbers | null): DoubleDoubles {
  if (!lambda) return x;
  const result = zeros(x.hi.length);
  for (let i = 0; i < x.hi.length; i++) put(result, i, multiply(at(x, i), dd(lambda[i])));
  return result;
}

/** The transpose of a matrix `[d, d]`. */
function transposed(matrix: Numbers, d: number): Numbers {
  const result = new Float64Array(matrix.length);
  for (let row = 0; row < d; row++)
    for (let column = 0; column < d; column++) result[column * d + row] = matrix[row * d + column];
  return result;
}
