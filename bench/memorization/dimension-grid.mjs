/**
 * The closed form of the dimension beside the rank of the Jacobian, in 300 settings drawn by a rule from seed 0:
 *
 *     [ATTENTION_JAX_PYTHON=…] node bench/memorization/dimension-grid.mjs
 *
 * writes results/dimension-grid.csv. With a Python that has jax, numpy and gmpy2 (test/golden/memorization/dimension.py), the
 * settings whose rank in float64 is not the formula are decided with 60 digits; without, their `rank60` stays empty. Exit
 * status 1 when a rank is above the formula, or is below it with 60 digits.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import dimension from 'attention-capacity/memorization/capacity/dimension';
import { randomSource } from 'attention-capacity/tensor/index';

const SETTINGS = 300;
const output = fileURLToPath(new URL('results/dimension-grid.csv', import.meta.url));
const exactRanks = fileURLToPath(new URL('../../test/golden/memorization/dimension.py', import.meta.url));
const python = process.env.ATTENTION_JAX_PYTHON;

/** Every value as likely as another; tokens up to beyond twice the width, groups that divide the heads. */
function drawSetting(seed) {
  const random = randomSource(0, 'dimension-grid', seed);
  const pick = (...values) => values[random.integer(values.length)];
  const [width, heads] = [pick(4, 6, 8), pick(1, 2, 3, 4, 6)];
  const classes = pick(1, 1, 2, 3, 6, 10);
  return {
    heads,
    keyValueHeads: pick(heads, ...[1, 2, 3, 4, 6].filter((groups) => heads % groups === 0)),
    context: pick(1, 2, 3, 4, 6, width, width + 1, width + 3, 2 * width + 2),
    headSize: 1 + random.integer(width),
    valueSize: pick(1, 1, 2, 3),
    width,
    classes,
    contexts: pick('shared', 'random', 'perm'),
    embedding: pick('trained', 'fixed'),
    task: classes === 1 ? 'regression' : 'classification',
    seed,
  };
}

const rows = Array.from({ length: SETTINGS }, (_, seed) => {
  const setting = drawSetting(seed);
  return { ...setting, ...dimension.functionalDimension(setting) };
});
const different = rows.filter(({ dimension, formula }) => dimension !== formula);
if (python) {
  const layers = different.map((row) => [
    { ...row, contexts: row.contexts === 'perm' ? 'random' : row.contexts },
    row.examples,
  ]);
  const { stdout, stderr, status, signal } = spawnSync(python, [exactRanks, '--exact'], {
    input: JSON.stringify(layers),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${python} ended with ${status ?? signal}: ${stderr}`);
  JSON.parse(stdout).forEach((rank, i) => (different[i].rank60 = rank));
}

const columns = [
  ...[
    'heads',
    'keyValueHeads',
    'context',
    'headSize',
    'valueSize',
    'width',
    'classes',
    'contexts',
    'embedding',
    'seed',
  ],
  ...['parameters', 'examples', 'formula', 'dimension', 'rank60', 'sigmaRatio', 'nextRatio', 'rtol'],
];
const cell = (value) =>
  typeof value === 'number' && !Number.isInteger(value) ? value.toExponential(2) : (value ?? '');
writeFileSync(
  output,
  [columns, ...rows.map((row) => columns.map((key) => cell(row[key])))].map((row) => row.join(',')).join('\n') + '\n',
);
const above = rows.filter(({ dimension, formula }) => dimension > formula);
const refuted = different.filter(({ rank60, formula }) => rank60 !== undefined && rank60 !== formula);
console.log(
  `${rows.length - different.length} of ${rows.length} ranks in float64 are the formula, ${above.length} above it`,
);
console.log(`${different.length} others${python ? `, ${refuted.length} of them also with 60 digits` : ' not decided'}`);
if (above.length + refuted.length > 0) process.exitCode = 1;
