/** What is found inside of a block, against the formulas in plain loops, and against the block's own output. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { blockParts, layerOf, type ImageModel, type LayerOutput } from 'attention-capacity/models';
import { Configuration } from 'attention-capacity/models/configuration';
import { shapesOf } from 'attention-capacity/models/networks/architecture';
import { loadNetwork } from 'attention-capacity/models/networks/one-pass';
import { dinov2 } from 'attention-capacity/models/networks/vit';
import { inPrecision, tf, toTensor, valuesOf } from 'attention-capacity/tensor';
import { readGolden } from '../golden';
import { integerPixels, integerWeights } from '../integer-weights';

type Rows = number[][];

/** DINOv2's layout, since it has LayerScale too; two blocks of it are looked at. */
const golden = readGolden<{ config: Record<string, unknown>; amplitude: number }>('dinov2');
const config = dinov2.configuration(new Configuration('dinov2', golden.config));
const source = integerWeights(shapesOf(dinov2, config), golden.amplitude);
const { hiddenSize: d, heads, imageSize } = config;
const batch = 3;

/** Block 2 of one image in plain loops: X_1 -> its parts, tokens by columns. */
function naiveParts(x: Rows): Record<string, Rows> {
  const read = (name: string) => source.read(`encoder.layer.1.${name}`);
  const map = (rows: Rows, name: string) => {
    const [weight, bias] = [read(`${name}.weight`), read(`${name}.bias`)];
    return rows.map((row) =>
      Array.from(bias, (b, j) => row.reduce((sum, value, i) => sum + value * weight[j * row.length + i], b)),
    );
  };
  const norm = (rows: Rows, name: string) => {
    const [weight, bias] = [read(`${name}.weight`), read(`${name}.bias`)];
    return rows.map((row) => {
      const mean = row.reduce((sum, value) => sum + value, 0) / d;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / d;
      return row.map((value, i) => ((value - mean) / Math.sqrt(variance + config.layerNormEps)) * weight[i] + bias[i]);
    });
  };
  const scale = (rows: Rows, name: string) => {
    const lambda = read(`${name}.lambda1`);
    return rows.map((row) => row.map((value, i) => value * lambda[i]));
  };
  const plus = (a: Rows, b: Rows) => a.map((row, i) => row.map((value, j) => value + b[i][j]));

  const normed = norm(x, 'norm1');
  const [q, k, v] = ['query', 'key', 'value'].map((name) => map(normed, `attention.attention.${name}`));
  const size = d / heads;
  const saturation: Rows = x.map(() => []);
  const entropies: Rows = x.map(() => []);
  const joined: Rows = x.map(() => []);
  for (let head = 0; head < heads; head++) {
    const own = (row: number[]) => row.slice(head * size, (head + 1) * size);
    q.forEach((query, token) => {
      const scores = k.map((key) => own(key).reduce((sum, value, i) => sum + value * own(query)[i], 0));
      const powers = scores.map((score) => Math.exp(score / Math.sqrt(size)));
      const total = powers.reduce((sum, power) => sum + power, 0);
      const weights = powers.map((power) => power / total);
      saturation[token].push(Math.max(...weights));
      entropies[token].push(-weights.reduce((sum, weight) => sum + weight * Math.log(weight), 0));
      joined[token].push(
        ...own(v[0]).map((_, i) => weights.reduce((sum, weight, j) => sum + weight * own(v[j])[i], 0)),
      );
    });
  }
  const attention = scale(map(joined, 'attention.output.dense'), 'layer_scale1');
  const residual = plus(x, attention);
  const normAfter = norm(residual, 'norm2');
  const hidden = map(normAfter, 'mlp.fc1').map((row) => row.map(gelu));
  const mlp = scale(map(hidden, 'mlp.fc2'), 'layer_scale2');
  return {
    ...{ 'norm-1': normed, heads: joined, attention, residual, 'norm-2': normAfter, mlp, output: plus(residual, mlp) },
    saturation: saturation.map((row, token) => [...row, ...entropies[token]]),
  };
}

/** x Phi(x), with erf by its power series: the arguments here are small. */
function gelu(x: number): number {
  const z = x / Math.SQRT2;
  let [sum, term] = [0, z];
  for (let i = 0; i < 200; i++) {
    sum += term / (2 * i + 1);
    term *= (-z * z) / (i + 1);
  }
  return x * (0.5 + sum / Math.sqrt(Math.PI));
}

const parts = [...blockParts.map((part) => `2.${part}` as const), 2 as const];
const outputs: LayerOutput[] = [1, ...parts];

function run(precision: 'float32' | 'float64', wanted: readonly LayerOutput[], contexts: boolean[] | boolean) {
  const network = loadNetwork(dinov2, config, source, wanted, precision);
  const results = inPrecision(precision, () => {
    const pixels = toTensor(integerPixels(batch, imageSize), [batch, 3, imageSize, imageSize]) as tf.Tensor4D;
    const found = network.run(pixels, contexts, contexts).map(({ queries, contexts, attention }) => {
      const values = {
        queries: valuesOf(queries),
        contexts: contexts && valuesOf(contexts),
        attention: attention && valuesOf(attention),
      };
      tf.dispose([queries, contexts, attention].filter((tensor) => tensor !== null));
      return values;
    });
    pixels.dispose();
    return found;
  });
  network.dispose();
  return results;
}

for (const precision of ['float32', 'float64'] as const) {
  test(`every part of a block is what its formula says, ${precision}`, (t) => {
    const before = tf.memory().numTensors;
    const found = run(precision, outputs, true);
    assert.equal(tf.memory().numTensors, before, 'no tensor leaked');
    const below = found[0].contexts!;
    const n = below.length / batch / d;
    const bound = precision === 'float32' ? 1e-5 : 1e-12;
    for (let image = 0; image < batch; image++) {
      const rows = (values: ArrayLike<number>, count: number, width: number): Rows =>
        Array.from({ length: count }, (_, i) =>
          Array.from({ length: width }, (_, j) => values[(image * count + i) * width + j]),
        );
      const expected = naiveParts(rows(below, n, d));
      outputs.slice(1).forEach((output, index) => {
        const part = typeof output === 'number' ? 'output' : output.split('.')[1];
        const { queries, contexts, attention } = found[index + 1];
        const compare = (got: Rows, all: Rows, what: string) => {
          const wanted = all.slice(0, got.length);
          const scale = Math.max(...all.flat().map(Math.abs));
          assert.equal(got[0].length, wanted[0].length);
          const worst = Math.max(...got.flatMap((row, i) => row.map((value, j) => Math.abs(value - wanted[i][j]))));
          if (image === 0) t.diagnostic(`${part}, ${what}: ${(worst / scale).toExponential(1)} of scale`);
          assert.ok(worst <= bound * scale, `${part}, ${what}: ${worst} of ${scale}`);
        };
        compare(rows(queries, 1, d), expected[part], 'queries');
        compare(rows(contexts!, n, d), expected[part], 'contexts');
        compare(rows(attention!, 1, 2 * heads), expected.saturation, 'attention of the query');
      });
    }
  });
}

test('what is asked for beside changes no bit, with contexts for some outputs only', () => {
  const whole = run('float64', outputs, true);
  const alone = run('float64', ['2.mlp'], false);
  assert.deepEqual(alone[0].queries, whole[outputs.indexOf('2.mlp')].queries);
  const some = run('float64', ['2.norm-1', 2, '1.heads'], [true, false, false]);
  assert.deepEqual(some[0], whole[outputs.indexOf('2.norm-1')]);
  assert.deepEqual(some[1].queries, whole[outputs.indexOf(2)].queries);
  assert.deepEqual([some[1].contexts, some[2].contexts], [null, null]);
  assert.deepEqual([some[1].attention, some[2].attention], [null, null]);
  // Two layers of one output get tensors of their own, and embeddings have no attention.
  const twice = run('float64', [0, 2, 2], true);
  assert.deepEqual(twice[1], twice[2]);
  assert.equal(twice[0].attention, null);
});

test('places have names, sizes and errors', () => {
  const model: ImageModel = {
    ...{ name: 'small', title: 'small ViT', architecture: dinov2, config, inputSize: imageSize, provenance: {} },
    preprocessing: () => assert.fail('not needed'),
    weights: () => Promise.resolve(source),
  };
  const layer = layerOf(model, '2.norm-1');
  assert.deepEqual([layer.name, layer.d], ['small-block-2-norm-1', d]);
  assert.equal(layerOf(model, '1.mlp').title, 'small ViT, block 1, what the MLP adds');
  for (const wrong of ['0.mlp', '99.mlp', '1.nothing', 99] as LayerOutput[]) {
    assert.throws(() => layerOf(model, wrong), /small: expected (a layer from 0|a part of a block from 1) .*, got /);
  }
});
