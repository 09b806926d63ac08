/**
 * Every hidden state of BERT and GPT-2 against transformers. Goldens and how they were made: test/golden/models. A float32
 * result must lie within 1e-5 of the float64 golden, in units of the tensor's largest value, a float64 one within 1e-10.
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { bertShapes } from 'attention-capacity/models/bert';
import { Configuration } from 'attention-capacity/models/configuration';
import { gpt2Shapes } from 'attention-capacity/models/gpt2';
import { languageConfig } from 'attention-capacity/models/hugging-face-text';
import { loadLanguageModel, type LanguageConfig } from 'attention-capacity/models/language-model';
import type { WeightSource } from 'attention-capacity/models/weights/weight-source';
import { inPrecision, tf, valuesOf, type Precision } from 'attention-capacity/tensor';
import { difference, readGolden, type Picks } from './golden';
import { integerTokens, integerWeights } from './integer-weights';

const precisions: Precision[] = ['float32', 'float64'];
const everything = Boolean(process.env.ATTENTION_TEST_ALL);

interface Golden {
  readonly config: Record<string, unknown>;
  readonly amplitude: number;
  /** Tokens of each example; what is behind them is padding. */
  readonly lengths: readonly number[];
  readonly layers: readonly Picks[];
}

/** Token numbers `[B, n]`, -1 where an example has ended. */
function tokensOf(config: LanguageConfig, lengths: readonly number[]): tf.Tensor2D {
  const n = Math.max(...lengths);
  const ids = integerTokens(lengths.length, n, config.vocabularySize);
  const padded = ids.map((id, i) => (i % n < lengths[Math.floor(i / n)] ? id : -1));
  return tf.tensor2d(padded, [lengths.length, n], 'int32');
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
): Promise<{ contexts: number; queries: number }> {
  const tensorsBefore = tf.memory().numTensors;
  const network = await loadLanguageModel(config, source, [...layers.keys()], precision);
  const tokens = inPrecision(precision, () => tokensOf(config, lengths));
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
