/**
 * Writes docs/architectures.md: every architecture of the registry with its largest difference from transformers, over all layers
 * of the small networks in test/golden/models. Run it after `npm run build`: node scripts/reports/architectures.mjs
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const require = createRequire(join(root, 'test', 'dist', 'package.json'));
const { architectures } = require('attention-capacity/models');
const { Configuration } = require('attention-capacity/models/configuration');
const { shapesOf } = require('attention-capacity/models/networks/architecture');
const { loadNetwork } = require('attention-capacity/models/networks/one-pass');
const { inPrecision, tf, toTensor, valuesOf } = require('attention-capacity/tensor');
const { difference } = require('./models/golden');
const { integerPixels, integerTokens, integerWeights } = require('./models/integer-weights');

const folder = join(root, 'test', 'golden', 'models');
/** Networks of full size are compared by `npm run test:all`. */
const SMALL = 64;

/** Token numbers, -1 behind an example's own; or pixels. */
function inputOf({ lengths, batch, size }, config) {
  if (!lengths) {
    const [height, width] = typeof size === 'number' ? [size, size] : size;
    return toTensor(integerPixels(batch, height, width), [batch, 3, height, width]);
  }
  const n = Math.max(...lengths);
  const ids = integerTokens(lengths.length, n, config.vocabularySize);
  const padded = ids.map((id, i) => (i % n < lengths[Math.floor(i / n)] ? id : -1));
  return tf.tensor2d(padded, [lengths.length, n], 'int32');
}

function largest(architecture, config, golden, precision) {
  const source = integerWeights(shapesOf(architecture, config), golden.amplitude);
  const network = loadNetwork(architecture, config, source, [...golden.layers.keys()], precision);
  const input = inPrecision(precision, () => inputOf(golden, config));
  const found = network
    .run(input, true)
    .map(({ contexts }, layer) =>
      difference(`layer ${layer}`, valuesOf(contexts), contexts.shape, golden.layers[layer]),
    );
  network.dispose();
  return Math.max(...found);
}

const rows = new Map(Object.keys(architectures).map((type) => [type, { networks: 0, float32: 0, float64: 0 }]));
const versions = new Set();
for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const golden = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const row = rows.get(golden.config?.model_type);
  if (!row || !golden.layers) continue;
  const architecture = architectures[golden.config.model_type];
  const config = architecture.configuration(new Configuration(file, golden.config));
  if (config.hiddenSize > SMALL) continue;
  versions.add(golden.provenance.versions.transformers);
  row.networks++;
  for (const precision of ['float32', 'float64']) {
    row[precision] = Math.max(row[precision], largest(architecture, config, golden, precision));
  }
}
const lacking = [...rows].filter(([, { networks }]) => networks === 0).map(([type]) => type);
if (lacking.length > 0) throw new Error(`expected golden values for every architecture, got none for ${lacking}`);
const lines = [...rows].map(([type, { networks, float32, float64 }]) => {
  const { input, query } = architectures[type];
  const first = input === 'images' ? 'class token' : 'first token';
  const token = { first, last: 'last token', mean: 'mean of the patches' }[query];
  return `| \`${type}\` | ${input === 'images' ? 'images' : 'text'} | ${token} | ${networks} | ${float32.toExponential(1)} | ${float64.toExponential(1)} |`;
});
writeFileSync(
  join(root, 'docs', 'architectures.md'),
  `# Architectures

What \`features --model\` reads from a Hugging Face folder, by the \`model_type\` of its config.json, and how far its hidden states
are from transformers' (${[...versions].sort().join(', ')}): the largest difference over all layers of small networks, in units of the
layer's largest value. The golden values are float64; where transformers computes in float32 whatever the model's type (RMSNorm,
rotary positions), they were made with those steps in float64. DINOv2's position embeddings are an exception: transformers
resizes them in float32.

CLIP and SigLIP are read as their vision half, from its own folder or from the whole model's. SigLIP has no class token, and the
probe that its head pools with is the same for every image and meets the last layer only; its query is the mean of the patches, as
global average pooling takes it. ViT-MAE sees all patches, row by row: \`mask_ratio\` 0, nothing shuffled. Position embeddings
(BEiT's tables of relative positions too) are resized for images of another size as transformers does it, and images need not be
square. Made by \`node scripts/reports/architectures.mjs\`.

| model_type | takes | query | networks compared | float32 | float64 |
| --- | --- | --- | --- | --- | --- |
${lines.join('\n')}
`,
);
