/**
 * Every hidden state of BERT and GPT-2 against transformers. Goldens and how they were made: test/golden/models. A float32
 * result must lie within 1e-5 of the float64 golden, in units of the tensor's largest value, a float64 one within 1e-10.
 */
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTokenizer } from 'attention-capacity/data';
import { InputError } from 'attention-capacity/input-error';
import { huggingFaceTextModel, layerOf, randomGPT2, trainedMiniLM, type TextModel } from 'attention-capacity/models';
import { Configuration } from 'attention-capacity/models/configuration';
import { architectureOf } from 'attention-capacity/models/hugging-face/open-model';
import { shapesOf, type Architecture, type TextConfig } from 'attention-capacity/models/networks/architecture';
import { loadNetwork } from 'attention-capacity/models/networks/one-pass';
import type { WeightSource } from 'attention-capacity/models/weights/weight-source';
import { inPrecision, tf, valuesOf, type Precision } from 'attention-capacity/tensor';
import { difference, GOLDEN, readGolden, type Picks } from '../golden';
import { integerTokens, integerWeights } from '../integer-weights';

const precisions: Precision[] = ['float32', 'float64'];
const everything = Boolean(process.env.ATTENTION_TEST_ALL);

interface Golden {
  readonly config: Record<string, unknown>;
  readonly amplitude: number;
  /** Tokens of each example; what is behind them is padding. */
  readonly lengths: readonly number[];
  readonly layers: readonly Picks[];
}

/** The generator's token numbers `[B, n]`, -1 where an example has ended. */
function generated(config: TextConfig, lengths: readonly number[]): Int32Array {
  const n = Math.max(...lengths);
  const ids = integerTokens(lengths.length, n, config.vocabularySize);
  return ids.map((id, i) => (i % n < lengths[Math.floor(i / n)] ? id : -1));
}

/**
 * Largest differences, over all layers, of the contexts from the golden ones and of the queries from their rows in them.
 * Layers of `alone` are computed once more, with no contexts and no other layer.
 */
function compare(
  architecture: Architecture,
  config: TextConfig,
  source: WeightSource,
  { lengths, layers }: Pick<Golden, 'lengths' | 'layers'>,
  precision: Precision,
  alone: readonly number[],
  ids = generated(config, lengths),
): { contexts: number; queries: number } {
  const tensorsBefore = tf.memory().numTensors;
  const network = loadNetwork(architecture, config, source, [...layers.keys()], precision);
  const shape: [number, number] = [lengths.length, ids.length / lengths.length];
  const tokens = inPrecision(precision, () => tf.tensor2d(ids, shape, 'int32'));
  const whole = network.run(tokens, true);
  network.dispose();
  let contexts = 0;
  let queries = 0;
  for (const [layer, { contexts: states, queries: own }] of whole.entries()) {
    const values = valuesOf(states!);
    contexts = Math.max(contexts, difference(`layer ${layer}`, values, states!.shape, layers[layer]));
    const [, n, d] = states!.shape;
    const rows = valuesOf(own);
    rows.forEach((value, i) => {
      const b = Math.floor(i / d);
      const row = architecture.query === 'first' ? 0 : lengths[b] - 1;
      queries = Math.max(queries, Math.abs(value - values[(b * n + row) * d + (i % d)]) / layers[layer].scale);
    });
    if (alone.includes(layer)) {
      const one = loadNetwork(architecture, config, source, [layer], precision);
      const [{ queries: again, contexts: none }] = one.run(tokens, false);
      assert.equal(none, null);
      valuesOf(again).forEach((value, i) => assert.equal(value, rows[i], 'the same to the last bit'));
      again.dispose();
      one.dispose();
    }
    tf.dispose([states!, own]);
  }
  tokens.dispose();
  assert.equal(tf.memory().numTensors, tensorsBefore, 'no tensor leaked');
  return { contexts, queries };
}

const small = [
  ...['bert', 'bert-padded', 'bert-relu', 'gpt2', 'gpt2-padded', 'gpt2-by-layer', 'gpt2-unscaled'],
  ...['llama', 'llama-single', 'llama-3', 'llama-yarn', 'mistral', 'mistral-full', 'qwen2', 'qwen3'],
  ...['gemma', 'gemma2', 'gemma3', 'gpt-neox', 'gpt-neox-serial', 'opt', 'opt-350m'],
  ...['roberta', 'xlm-roberta', 'camembert', 'distilbert', 'electra', 'ernie', 'modernbert'],
];
// All 24 and 36 layers of the full sizes take 2.7 and 6.2 GB in float64: in test:all.
const large = everything ? ['bert-large', 'gpt2-large'] : [];

for (const name of [...small, ...large]) {
  for (const precision of precisions) {
    test(`${name}: the same hidden states as transformers, ${precision}`, (t) => {
      const golden = readGolden<Golden>(name);
      const file = new Configuration(name, golden.config);
      const architecture = architectureOf(file);
      const config = architecture.configuration(file) as TextConfig;
      const source = integerWeights(shapesOf(architecture, config), golden.amplitude);
      const alone = large.includes(name) ? [0, 1] : [...golden.layers.keys()];
      const { contexts, queries } = compare(architecture, config, source, golden, precision, alone);
      t.diagnostic(`largest difference of ${golden.layers.length} layers / scale: ${contexts.toExponential(1)}`);
      t.diagnostic(`queries alone against their rows: ${queries.toExponential(1)}`);
      const bound = precision === 'float32' ? 1e-5 : 1e-10;
      assert.ok(contexts <= bound, `contexts differ by ${contexts}`);
      assert.ok(queries <= (precision === 'float32' ? 1e-5 : 1e-13), `queries differ by ${queries}`);
    });
  }
}

test('trained MiniLM: the same hidden states as transformers', async (t) => {
  const model = await trainedMiniLM();
  const golden = readGolden<Golden>('trained-minilm');
  const { 'all-MiniLM-L6-v2': ids } = readGolden<Record<'all-MiniLM-L6-v2', number[][]>>('tokens');
  for (const precision of precisions) {
    const { contexts } = await compareTokens(model, ids.slice(0, 2), golden, precision);
    t.diagnostic(`${precision}, 7 layers: largest difference / scale ${contexts.toExponential(1)}`);
    assert.ok(contexts <= (precision === 'float32' ? 1e-5 : 1e-10), `contexts differ by ${contexts}`);
  }
});

for (const name of ['checkpoint-bert', 'checkpoint-gpt2-sharded']) {
  test(`${name}: a folder of save_pretrained, with its tokenizer`, async (t) => {
    const model = huggingFaceTextModel(join(GOLDEN, name));
    const { lines, layers } = readGolden<{ lines: string[]; layers: Picks[] }>(name);
    const { before, after, encode } = await readTokenizer(model.tokenizerFolder());
    const ids = lines.map((line) => [...before, ...encode(line), ...after]);
    for (const precision of precisions) {
      const { contexts } = await compareTokens(model, ids, { layers }, precision);
      t.diagnostic(`${precision}: largest difference / scale ${contexts.toExponential(1)}`);
      assert.ok(contexts <= (precision === 'float32' ? 1e-5 : 1e-10), `contexts differ by ${contexts}`);
    }
    assert.equal(model.notes.length, 1);
    assert.match(
      model.notes[0],
      name === 'checkpoint-bert' ? /not used: pooler\.dense\.bias, .*classifier/ : /not used: ln_f\.bias/,
    );
  });
}

test('a network that is read block by block gives the same to the last bit, and holds no weights between passes', async () => {
  for (const name of ['checkpoint-bert', 'checkpoint-gpt2-sharded']) {
    const { architecture, config, weights } = huggingFaceTextModel(join(GOLDEN, name));
    const before = tf.memory().numTensors;
    const results = [];
    for (const residentBytes of [2 ** 31, 0]) {
      const network = loadNetwork(architecture, config, await weights(), [0, 1, 2], 'float64', residentBytes);
      assert.equal(network.streamed, residentBytes === 0);
      if (network.streamed) assert.ok(tf.memory().numTensors - before <= 4, 'only what the embeddings need');
      const tokens = tf.tensor2d([5, 9, 30, 31, 9, -1], [2, 3], 'int32');
      const batches = network.run(tokens, true, true);
      results.push(batches.map(({ queries, contexts }) => [valuesOf(queries), valuesOf(contexts!)]));
      for (const { queries, contexts, attention } of batches) {
        tf.dispose([queries, contexts, attention].filter((tensor) => tensor !== null));
      }
      tokens.dispose();
      network.dispose();
    }
    assert.deepEqual(results[1], results[0]);
    assert.equal(tf.memory().numTensors, before, 'no tensor leaked');
  }
});

test('a network refuses tokens that it does not know, too many of them, and none', async () => {
  const model = huggingFaceTextModel(join(GOLDEN, 'checkpoint-bert'));
  const network = loadNetwork(model.architecture, model.config, await model.weights(), [0], 'float32');
  const cases: [number[], RegExp][] = [
    [[1, model.config.vocabularySize], /numbers from 0 to \d+, got \d+ at position 1/],
    [[1, -2], /got -2 at position 1/],
    [[1, -1, 1], /got 1 at position 2/],
    [[-1, -1], /at least one token/],
    [Array<number>(41).fill(1), /expected at most 40 tokens, .* got 41/],
  ];
  for (const [ids, message] of cases) {
    const tokens = tf.tensor2d(ids, [1, ids.length], 'int32');
    assert.throws(
      () => network.run(tokens, true),
      (error: Error) => error instanceof InputError && message.test(error.message),
    );
    tokens.dispose();
  }
  network.dispose();
});

test('layers of language models: names, sizes, what is refused', () => {
  const model = huggingFaceTextModel(join(GOLDEN, 'checkpoint-bert'));
  const layer = layerOf(model, 2, { n: 10 });
  assert.deepEqual([layer.name, layer.n, layer.d, layer.heads], ['checkpoint-bert-layer-2', 10, 16, 2]);
  assert.throws(() => layer.preprocessing, /takes text, not images/);
  for (const [output, n] of [
    [3, 10],
    ['3.mlp', 10],
    [1, 41],
    [1, 0],
  ] as const) {
    assert.throws(() => layerOf(model, output, { n }), InputError);
  }
});

test('random weights of GPT-2 have the spread that Hugging Face gives them', async () => {
  const source = await randomGPT2(0).weights();
  const std = (name: string) => {
    const values = Float64Array.from(source.read(name));
    return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  };
  assert.ok(Math.abs(std('h.1.attn.c_attn.weight') / 0.02 - 1) < 0.01);
  assert.ok(Math.abs(std('h.1.mlp.c_proj.weight') / (0.02 / Math.sqrt(24)) - 1) < 0.01);
  assert.deepEqual([std('h.1.ln_1.weight'), std('h.1.mlp.c_fc.bias')], [1, 0]);
});

/** {@link compare} for token numbers that are given. */
async function compareTokens(
  { architecture, config, weights }: TextModel,
  ids: readonly number[][],
  golden: { layers: readonly Picks[] },
  precision: Precision,
) {
  const lengths = ids.map(({ length }) => length);
  return compare(architecture, config, await weights(), { ...golden, lengths }, precision, [1], padded(ids));
}

/** `[B, n]`, -1 behind the examples that are shorter than others. */
function padded(ids: readonly number[][]): Int32Array {
  const n = Math.max(...ids.map(({ length }) => length));
  return Int32Array.from(ids.flatMap((row) => [...row, ...Array<number>(n - row.length).fill(-1)]));
}
