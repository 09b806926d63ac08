import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { layerOf, layers, loadLayers, randomAttention, randomViTB16 } from 'attention-capacity/models';
import { cut, joined, piecesFor, tidied } from 'attention-capacity/models/networks/pieces';
import { randomAttentionWeights } from 'attention-capacity/models/ready/random-attention';
import { resizeGrid } from 'attention-capacity/data/images/resize-grid';
import { inPrecision, tf, toTensor, valuesOf } from 'attention-capacity/tensor';
import { integerPixels, unit } from '../integer-weights';

test("the paper's four systems, at the paper's sizes", () => {
  const rows = layers.paper().map((layer) => [layer.name, layer.n, layer.d, layer.heads, layer.provenance.layer]);
  assert.deepEqual(rows, [
    ['random-embeddings', 197, 768, 12, 0],
    ['random-attention', 197, 768, 1, 'attention'],
    ['random-vit-b16', 197, 768, 12, 1],
    ['trained-vit-s', 257, 384, 6, 1],
  ]);
});

test('random weights follow from the seed alone, and have the spread that Hugging Face gives them', async () => {
  const weights = await randomViTB16(3).weights();
  const name = 'encoder.layer.0.attention.attention.query.weight';
  const values = weights.read(name) as Float32Array;
  assert.ok(values instanceof Float32Array);
  assert.equal(values.length, 768 * 768);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  assert.ok(Math.abs(mean) < 2e-4 && Math.abs(std - 0.02) < 1e-4, `mean ${mean}, std ${std}`);
  assert.deepEqual((await randomViTB16(3).weights()).read(name), values);
  assert.notDeepEqual((await randomViTB16(4).weights()).read(name), values);
  assert.ok(weights.read('encoder.layer.0.layernorm_after.weight').every((value) => value === 1));
  assert.ok(weights.read('encoder.layer.0.intermediate.dense.bias').every((value) => value === 0));

  const bound = Math.sqrt(6 / (64 + 64));
  const xavier = randomAttentionWeights(0, 64).read('W_Q');
  const largest = Math.max(...xavier.map(Math.abs));
  assert.ok(largest <= bound && largest > 0.99 * bound, `${largest} of ${bound}`);
});

test('one pass gives every layer what it gives alone, without a leak', async () => {
  const before = tf.memory().numTensors;
  const three = layers.paper({ seed: 1 }).slice(0, 3);
  for (const precision of ['float32', 'float64'] as const) {
    const pixels = inPrecision(precision, () => toTensor(integerPixels(2, 224), [2, 3, 224, 224])) as tf.Tensor4D;
    const together = await loadLayers(three, precision);
    const whole = together.run(pixels, true);
    const queries = together.run(pixels, false);
    for (const [index, layer] of three.entries()) {
      const alone = await layer.load(precision);
      const contexts = alone.contexts(pixels);
      const rows = alone.queries(pixels);
      assert.deepEqual(contexts.shape, [2, layer.n, layer.d]);
      assert.deepEqual(valuesOf(contexts), valuesOf(whole[index].contexts!), layer.name);
      assert.deepEqual(valuesOf(rows), valuesOf(queries[index].queries), layer.name);
      assert.equal(queries[index].contexts, null);
      tf.dispose([contexts, rows]);
      alone.dispose();
    }
    tf.dispose([
      pixels,
      ...whole.flatMap((batch) => [batch.queries, batch.contexts!]),
      ...queries.map((b) => b.queries),
    ]);
    together.dispose();
  }
  assert.equal(tf.memory().numTensors, before);
});

test('a batch in pieces gives what it gives whole, and small enough pieces are asked for', () => {
  const before = tf.memory().numTensors;
  const batch = toTensor(unit('batch', 42), [7, 2, 3]) as tf.Tensor3D;
  const sizes: number[] = [];
  const run = (piece: tf.Tensor3D) => {
    sizes.push(piece.shape[0]);
    const contexts = tf.add(tf.mul(piece, 2), 1) as tf.Tensor3D;
    return [
      { queries: tf.sum(contexts, 1) as tf.Tensor2D, contexts, attention: null },
      { queries: tf.max(piece, 1) as tf.Tensor2D, contexts: null, attention: null },
    ];
  };
  const [whole, three] = [1, 3].map((pieces) => tidied(() => joined(cut(batch, pieces).map(run))));
  assert.deepEqual(sizes, [7, 2, 3, 2]);
  assert.deepEqual(three[0].contexts!.arraySync(), whole[0].contexts!.arraySync());
  for (const layer of [0, 1]) assert.deepEqual(three[layer].queries.arraySync(), whole[layer].queries.arraySync());
  assert.equal(three[1].contexts, null);
  tf.dispose([
    batch,
    ...[...whole, ...three].flatMap(({ queries, contexts }) => (contexts ? [queries, contexts] : queries)),
  ]);
  assert.equal(tf.memory().numTensors, before);

  // 197 x 3072 doubles of 8 images take 37 MiB: two pieces.
  assert.deepEqual(
    [piecesFor(8, 197 * 3072, 'float32'), piecesFor(8, 197 * 3072, 'float64'), piecesFor(3, 1e9, 'float64')],
    [1, 2, 3],
  );
});

test('layers that need other pixels cannot share a pass', async () => {
  await assert.rejects(loadLayers(layers.paper(), 'float32'), /must share their preprocessing/);
});

test('two layers of one model are named apart', () => {
  const model = randomViTB16(0);
  const names = [layerOf(model, 0), randomAttention(model, 0), layerOf(model, 12)].map(({ name }) => name);
  assert.deepEqual(names, ['random-vit-b16-embeddings', 'random-vit-b16-attention', 'random-vit-b16-layer-12']);
  const provenances = [layerOf(model, 1), layerOf(model, 2), layerOf(randomViTB16(1), 1)].map((layer) =>
    JSON.stringify(layer.provenance),
  );
  assert.equal(new Set(provenances).size, 3);
});

test('a grid resized to its own size is itself; halved, each value is four taps of the cubic kernel', () => {
  const grid = Float64Array.from({ length: 36 }, (_, i) => Math.sin(i));
  resizeGrid(grid, [6, 6], [6, 6], 1).forEach((value, i) => assert.ok(Math.abs(value - grid[i]) < 1e-15));
  const halved = resizeGrid(Float64Array.of(1, 10, 100, 1000), [1, 4], [1, 2], 1);
  // The kernel with a = -0.75 at distances 1.5 and 0.5; the border's value is repeated.
  const [outer, inner] = [-0.09375, 0.59375];
  assert.deepEqual(Array.from(halved), [
    outer * (1 + 100) + inner * (1 + 10),
    outer * (10 + 1000) + inner * (100 + 1000),
  ]);
});
