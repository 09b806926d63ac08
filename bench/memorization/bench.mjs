/**
 * Training steps and whole runs here against the reference's formulation in PyTorch (reference.py), in one run on the same
 * machine: `npm run bench memorization`; ATTENTION_BENCH=quick for fewer repeats. Both sides take turns, and what is
 * compared are medians.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import data from 'attention-capacity/data/index';
import config from 'attention-capacity/memorization/config';
import task from 'attention-capacity/memorization/task';
import trainer from 'attention-capacity/memorization/trainer';
import { sequences, stepOf } from './steps.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..', '..');
const python = process.env.ATTENTION_TORCH_PYTHON;
if (!python)
  throw new Error('ATTENTION_TORCH_PYTHON names no Python with torch: start this with `npm run bench memorization`.');
const quick = process.env.ATTENTION_BENCH === 'quick';
const rounds = quick ? 1 : 3;
const threads = availableParallelism();
const folder = mkdtempSync(join(tmpdir(), 'bench-memorization-'));

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

function reference(what, options) {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { status, stdout, stderr } = spawnSync(
    python,
    [join(here, 'reference.py'), what, '--threads', String(threads), ...args],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`PyTorch failed:\n${stderr}`);
  return JSON.parse(stdout);
}

/** The four rows, batch 256, d = 64; `models` are stacked and count together. */
const rows = [
  { heads: 20, context: 32, headSize: 64, contexts: 'random', models: 1, wanted: 20 },
  { heads: 60, context: 32, headSize: 64, contexts: 'random', models: 1, wanted: 50 },
  { heads: 30, context: 32, headSize: 15, contexts: 'shared', models: 1, wanted: 20 },
  { heads: 1, context: 10, headSize: 64, contexts: 'random', models: 1, wanted: 3 },
  { heads: 1, context: 10, headSize: 64, contexts: 'random', models: 8, wanted: 3 },
];

/** Milliseconds a step and model, here and in PyTorch, taking turns. */
function compareSteps(row) {
  const ours = [];
  const theirs = [];
  const { heads, context, headSize, models } = row;
  const repeats = heads === 1 ? 30 : 5;
  for (let round = 0; round < rounds; round++) {
    const step = stepOf(row, models);
    ours.push(step.time(quick ? 20 : 60).map((ms) => ms / models));
    step.dispose();
    theirs.push(reference('step', { heads, context, 'head-size': headSize, repeats }).seconds * 1000);
  }
  const here = median(ours.flat());
  const torch = median(theirs);
  return { ...row, ours: here, torch, ratio: torch / here };
}

/** The same task trained to accuracy 1 by both, wall time: three seeds. */
async function compareRuns() {
  const setting = { heads: 8, context: 16, headSize: 32, width: 32, contexts: 'random', task: 'classification' };
  const recipe = { classes: 10, examples: 1000, steps: 6000, learningRate: 3e-3, evaluateEvery: 250 };
  const runs = [];
  for (const seed of quick ? [0] : [0, 1, 2]) {
    const options = { ...setting, ...recipe, seed };
    const drawn = task.drawTask(config.setting(options), 'float32');
    await data.writeNpy(join(folder, 'x.npy'), sequences(drawn));
    await data.writeNpy(join(folder, 'y.npy'), { data: drawn.labels, shape: [recipe.examples] });
    const start = performance.now();
    const ours = await trainer.memorize(options);
    const seconds = (performance.now() - start) / 1000;
    const [theirs] = reference('train', {
      ...{ heads: 8, context: 16, 'head-size': 32, width: 32, classes: 10, steps: recipe.steps, seed, data: folder },
      ...{ 'evaluate-every': recipe.evaluateEvery, 'learning-rate': recipe.learningRate },
    }).runs;
    runs.push({ seed, seconds, accuracy: ours.accuracy, steps: ours.steps, torch: theirs });
    console.log(
      `seed ${seed}: accuracy ${ours.accuracy} after ${ours.steps} steps, ${seconds.toFixed(1)} s; ` +
        `PyTorch ${theirs.accuracy.toFixed(4)} after ${theirs.steps} steps, ${theirs.seconds.toFixed(1)} s`,
    );
  }
  const ours = median(runs.map(({ seconds }) => seconds));
  const torch = median(runs.map(({ torch }) => torch.seconds));
  return { setting: { ...setting, ...recipe }, runs, ours, torch, ratio: torch / ours };
}

/** Wall time of the command, start of the process included. */
function capacitySeconds(contexts, examples) {
  const bin = join(root, 'lib', 'bin', 'attention-capacity.js');
  const args = ['capacity', '--heads', 20, '--context', 32, '--head-size', 64, '--task', 'regression', '--json'];
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [bin, ...args, '--contexts', contexts, '--examples', examples].map(String),
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  const { featureRank, memorized } = JSON.parse(stdout);
  return { contexts, examples, featureRank, memorized, seconds: (performance.now() - start) / 1000 };
}

/** How a step's time grows with each size, and the multiplications it cannot do without. */
function scaling() {
  const base = { heads: 20, context: 32, headSize: 64, contexts: 'random', batch: 256 };
  const axes = {
    heads: [1, 5, 10, 20, 40, 60],
    context: [2, 8, 16, 32, 60],
    headSize: [8, 16, 32, 64],
    batch: [32, 64, 128, 256, 512],
  };
  return Object.entries(axes).flatMap(([axis, values]) =>
    values.map((value) => {
      const step = stepOf({ ...base, [axis]: value }, 1);
      const ms = median(step.time(quick ? 5 : 20));
      step.dispose();
      return { axis, value, ms, gflop: step.flop / 1e9, gflops: step.flop / ms / 1e6 };
    }),
  );
}

try {
  const steps = [];
  for (const row of rows) {
    const found = compareSteps(row);
    steps.push(found);
    const stacked = row.models > 1 ? `, ${row.models} stacked, per model` : '';
    console.log(
      `step H=${row.heads} n=${row.context} d_h=${row.headSize} ${row.contexts}${stacked}: ${found.ours.toFixed(2)} ms, ` +
        `PyTorch ${found.torch.toFixed(1)} ms: ${found.ratio.toFixed(1)} times faster (wanted ${row.wanted})`,
    );
  }
  const capacities = [
    ['shared', 621],
    ['shared', 10000],
    ['random', 1280],
  ].map(([contexts, examples]) => capacitySeconds(contexts, examples));
  for (const { contexts, examples, featureRank, seconds } of capacities)
    console.log(`capacity H=20 n=32 ${contexts} T=${examples}: rank ${featureRank}, ${seconds.toFixed(2)} s`);
  const grown = scaling();
  for (const { axis, value, ms, gflops } of grown)
    console.log(`step by ${axis} = ${value}: ${ms.toFixed(2)} ms, ${gflops.toFixed(1)} GFLOP/s`);
  const whole = await compareRuns();
  console.log(
    `memorized to accuracy 1: ${whole.ours.toFixed(1)} s, PyTorch ${whole.torch.toFixed(1)} s: ${whole.ratio.toFixed(1)} times faster`,
  );
  const machine = {
    cpu: cpus()[0].model.trim(),
    threads,
    memory: totalmem(),
    kernel: release(),
    node: process.version,
  };
  mkdirSync(join(root, 'reports'), { recursive: true });
  const results = { date: new Date().toISOString(), machine, steps, capacities, scaling: grown, whole };
  writeFileSync(join(root, 'reports', 'bench-memorization.json'), `${JSON.stringify(results, null, 1)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
