/**
 * Do trained models end where the reference's formulation ends? Six configurations, both sides on the same tasks with
 * weights and batches of their own, several seeds each; one table of losses and accuracies:
 *
 *     ATTENTION_TORCH_PYTHON=… node bench/memorization/agreement.mjs
 *
 * They agree when the means differ by no more than the spread from seed to seed: |difference| <= t * standard error, with
 * Welch's t at 1 %, six configurations being tried. Exit status 1 when one does not.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import data from 'attention-capacity/data/index';
import config from 'attention-capacity/memorization/config';
import task from 'attention-capacity/memorization/task';
import trainer from 'attention-capacity/memorization/training/trainer';
import { sequences } from './steps.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const python = process.env.ATTENTION_TORCH_PYTHON;
if (!python) throw new Error('ATTENTION_TORCH_PYTHON names no Python with torch.');
const seeds = [0, 1, 2, 3, 4];
/** Student's t at 99 % (two-sided) with 8 degrees of freedom, those of two groups of five. */
const T_99 = 3.355;

const recipe = {
  width: 16,
  classes: 10,
  batch: 64,
  steps: 1200,
  learningRate: 3e-3,
  evaluateEvery: 200,
  earlyStop: false,
};
const configurations = [
  { heads: 4, context: 8, headSize: 16, examples: 200, contexts: 'shared', task: 'classification' },
  { heads: 4, context: 8, headSize: 16, examples: 200, contexts: 'random', task: 'classification' },
  { heads: 2, context: 12, headSize: 4, examples: 150, contexts: 'perm', task: 'classification' },
  { heads: 4, context: 8, headSize: 16, examples: 200, contexts: 'shared', task: 'regression' },
  { heads: 6, context: 5, headSize: 8, examples: 250, contexts: 'random', task: 'regression' },
  { heads: 3, context: 1, headSize: 16, examples: 100, contexts: 'random', task: 'regression' },
];

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values) => {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
};

/** One process for all seeds: loading PyTorch takes longer than a training. */
async function trainReferences(all, folder) {
  const folders = [];
  for (const options of all) {
    const own = join(folder, `seed-${options.seed}`);
    mkdirSync(own, { recursive: true });
    const drawn = task.drawTask(config.setting(options), 'float32');
    await data.writeNpy(join(own, 'x.npy'), sequences(drawn));
    await data.writeNpy(join(own, 'y.npy'), { data: drawn.labels, shape: [options.examples] });
    folders.push(own);
  }
  const [options] = all;
  const values = {
    ...{ heads: options.heads, context: options.context, 'head-size': options.headSize, width: options.width },
    ...{ classes: options.classes, task: options.task, batch: options.batch, steps: options.steps, seed: seeds[0] },
    ...{ 'learning-rate': options.learningRate, 'evaluate-every': options.evaluateEvery, 'run-to-end': 1, threads: 1 },
    data: folders.join(','),
  };
  const args = Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { status, stdout, stderr } = spawnSync(python, [join(here, 'reference.py'), 'train', ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`PyTorch failed:\n${stderr}`);
  return JSON.parse(stdout).runs;
}

/** Means, spreads and whether they agree; accuracies are compared where there are any. */
function compare(name, ours, theirs) {
  const error = Math.sqrt((variance(ours) + variance(theirs)) / seeds.length);
  const difference = mean(ours) - mean(theirs);
  return {
    [name]: mean(ours),
    [`${name}Torch`]: mean(theirs),
    [`${name}Spread`]: Math.sqrt(variance(ours)),
    [`${name}SpreadTorch`]: Math.sqrt(variance(theirs)),
    [`${name}Agrees`]: Math.abs(difference) <= T_99 * error,
  };
}

const folder = mkdtempSync(join(tmpdir(), 'agreement-'));
const rows = [];
try {
  for (const configuration of configurations) {
    const options = seeds.map((seed) => ({ ...recipe, ...configuration, seed }));
    const ours = await trainer.memorizeTogether(options.map((one) => config.memorizationConfig(one)));
    const theirs = await trainReferences(options, folder);
    const loss = compare('loss', ...[ours, theirs].map((runs) => runs.map((run) => run.loss)));
    const known = configuration.task === 'classification';
    const accuracy = known && compare('accuracy', ...[ours, theirs].map((runs) => runs.map((run) => run.accuracy)));
    rows.push({ ...configuration, ...loss, ...accuracy });
    const text = (name, found) =>
      `${name} ${found[name].toPrecision(3)} ± ${found[`${name}Spread`].toPrecision(2)}, PyTorch ${found[`${name}Torch`].toPrecision(3)} ± ${found[`${name}SpreadTorch`].toPrecision(2)}: ${found[`${name}Agrees`] ? 'agrees' : 'DIFFERS'}`;
    console.log(
      `${config.describe({ ...options[0] }).replace(/, seed 0$/, '')}: ${text('loss', loss)}${accuracy ? `; ${text('accuracy', accuracy)}` : ''}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
mkdirSync(join(here, 'results'), { recursive: true });
writeFileSync(
  join(here, 'results', 'agreement.json'),
  `${JSON.stringify({ date: new Date().toISOString(), recipe, seeds, rows }, null, 1)}\n`,
);
if (rows.some((row) => !row.lossAgrees || row.accuracyAgrees === false)) process.exitCode = 1;
