/**
 * Every hidden state of BERT and GPT-2 against transformers. Goldens and how they were made: test/golden/models. A float32
 * result must lie within 1e-5 of the float64 golden, in units of the tensor's largest value, a float64 one within 1e-10.
 */
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTokenizer } from 'attention-capacity/data';
import { InputError } from 'attention-capacity/input-error';
import { languageLayer, randomGPT2, trainedMiniLM, type LanguageModel } from 'attention-capacity/models';
import { bertShapes } from 'attention-capacity/models/networks/bert';
import { Configuration } from 'attention-capacity/models/hugging-face/configuration';
import { gpt2Shapes } from 'attention-capacity/models/networks/gpt2';
import { huggingFaceText, languageConfig } from 'attention-capacity/models/hugging-face/hugging-face-text';
import { loadLanguageModel, type LanguageConfig } from 'attention-capacity/models/language-model';
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
function generated(config: LanguageConfig, lengths: readonly number[]): Int32Array {
  const n = Math.max(...lengths);
  const ids = integerTokens(lengths.length, n, config.vocabularySize);
  return ids.map((id, i) => (i % n < lengths[Math.floor(i / n)] ? id : -1));
}

/**
 * Largest differences, over all layers, of the contexts from the golden ones and of the queries from their rows in them.
 * Layers of `alone` are computed once more, with no contexts and no other layer.
 */
async function compare(
  config: LanguageConfig,
  source: WeightSource,
  { lengths, layers }: Pick<Golden, 'lengths' | 'layers'>,
  precision: Precision,
  alone: readonly number[],
  ids = generated(config, lengths),
): Promise<{ contexts: number; queries: number }> {
  const tensorsBefore = tf.memory().numTensors;
  const network = await loadLanguageModel(config, source, [...layers.keys()], precision);
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
      const row = config.architecture === 'bert' ? 0 : lengths[b] - 1;
      queries = Math.max(queries, Math.abs(value - values[(b * n + row) * d + (i % d)]) / layers[layer].scale);
    });
    if (alone.includes(layer)) {
      const one = await loadLanguageModel(config, source, [layer], precision);
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

const shapesOf = (config: LanguageConfig) => (config.architecture === 'bert' ? bertShapes(config) : gpt2Shapes(config));

const small = ['bert', 'bert-padded', 'bert-relu', 'gpt2', 'gpt2-padded', 'gpt2-by-layer', 'gpt2-unscaled'];
// All 24 and 36 layers of the full sizes take 2.7 and 6.2 GB in float64: in test:all.
const large = everything ? ['bert-large', 'gpt2-large'] : [];

for (const name of [...small, ...large]) {
  for (const precision of precisions) {
    test(`${name}: the same hidden states as transformers, ${precision}`, async (t) => {
      const golden = readGolden<Golden>(name);
      const config = languageConfig(new Configuration(name, golden.config));
      const source = integerWeights(shapesOf(config), golden.amplitude);
      const alone = large.includes(name) ? [0, 1] : [...golden.layers.keys()];
      const { contexts, queries } = await compare(config, source, golden, precision, alone);
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
    const model = huggingFaceText(join(GOLDEN, name));
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

test('a network refuses tokens that it does not know, too many of them, and none', async () => {
  const model = huggingFaceText(join(GOLDEN, 'checkpoint-bert'));
  const network = await loadLanguageModel(model.config, await model.weights(), [0], 'float32');
  const cases: [number[], RegExp][] = [
    [[1, model.config.vocabularySize], /numbers from 0 to \d+, but \d+ came at position 1/],
    [[1, -2], /but -2 came at position 1/],
    [[1, -1, 1], /but 1 came at position 2/],
    [[-1, -1], /at least one token/],
    [Array<number>(41).fill(1), /positions for 40 tokens, but an example has 41/],
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
  const model = huggingFaceText(join(GOLDEN, 'checkpoint-bert'));
  const layer = languageLayer(model, 2, 10);
  assert.deepEqual([layer.name, layer.n, layer.d, layer.heads], ['checkpoint-bert-layer-2', 10, 16, 2]);
  assert.throws(() => layer.preprocessing, /takes text, not images/);
  for (const [output, n] of [
    [3, 10],
    ['attention', 10],
    [1, 41],
    [1, 0],
  ] as const) {
    assert.throws(() => languageLayer(model, output, n), InputError);
  }
});

test('random weights of GPT-2 have the spread that Hugging Face gives them', async () => {
  const source = await randomGPT2(0).weights();
  const std = async (name: string) => {
    const values = Float64Array.from(await source.read(name));
    return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  };
  assert.ok(Math.abs((await std('h.1.attn.c_attn.weight')) / 0.02 - 1) < 0.01);
  assert.ok(Math.abs((await std('h.1.mlp.c_proj.weight')) / (0.02 / Math.sqrt(24)) - 1) < 0.01);
  assert.deepEqual([await std('h.1.ln_1.weight'), await std('h.1.mlp.c_fc.bias')], [1, 0]);
});

/** {@link compare} for token numbers that are given. */
function compareTokens(
  { config, weights }: LanguageModel,
  ids: readonly number[][],
  golden: { layers: readonly Picks[] },
  precision: Precision,
) {
  const lengths = ids.map(({ length }) => length);
  return weights().then((source) => compare(config, source, { ...golden, lengths }, precision, [1], padded(ids)));
}

/** `[B, n]`, -1 behind the examples that are shorter than others. */
function padded(ids: readonly number[][]): Int32Array {
  const n = Math.max(...ids.map(({ length }) => length));
  return Int32Array.from(ids.flatMap((row) => [...row, ...Array<number>(n - row.length).fill(-1)]));
}
