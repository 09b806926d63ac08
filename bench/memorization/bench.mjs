/**
 * Training steps and whole runs here against the reference's formulation in PyTorch (reference.py), in one run on the same
 * machine: `npm run bench memorization`. Both sides take turns. What is compared are medians by the clock, the least
 * times, and the work of all cores, which other work on the machine disturbs less. Results stay in results/.
 *
 * ATTENTION_BENCH=quick for fewer repeats; ATTENTION_BENCH_PARTS=steps,whole for some of steps, capacity, scaling, whole;
 * TF_NUM_INTRAOP_THREADS=1 for one thread on both sides.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import data from 'attention-capacity/data/index';
import config from 'attention-capacity/memorization/config';
import task from 'attention-capacity/memorization/task';
import trainer from 'attention-capacity/memorization/training/trainer';
import tensor from 'attention-capacity/tensor/index';
import { writeStepCost } from './step-cost.mjs';
import { cpuMs, sequences, stepOf } from './steps.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..', '..');
const python = process.env.ATTENTION_TORCH_PYTHON;
if (!python)
  throw new Error('ATTENTION_TORCH_PYTHON names no Python with torch: start this with `npm run bench memorization`.');
const quick = process.env.ATTENTION_BENCH === 'quick';
const rounds = quick ? 1 : 3;
const threads = Number(process.env.TF_NUM_INTRAOP_THREADS ?? availableParallelism());
const folder = mkdtempSync(join(tmpdir(), 'bench-memorization-'));

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
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
  { heads: 1, context: 10, headSize: 64, contexts: 'random', models: 16, wanted: 3 },
];

/** Milliseconds a step and model, here and in PyTorch, taking turns. */
function compareSteps(row) {
  const ours = [];
  const theirs = [];
  const { heads, context, headSize, models } = row;
  const repeats = heads === 1 ? 30 : 5;
  for (let round = 0; round < rounds; round++) {
    const step = stepOf(row, models);
    ours.push(...step.time(quick ? 20 : 60).map(({ ms, cpu }) => ({ ms: ms / models, cpu: cpu / models })));
    step.dispose();
    const { seconds, cpu } = reference('step', { heads, context, 'head-size': headSize, repeats });
    theirs.push(...seconds.map((time, i) => ({ ms: time * 1000, cpu: cpu[i] * 1000 })));
  }
  const of = (times) => ({
    ms: median(times.map(({ ms }) => ms)),
    least: Math.min(...times.map(({ ms }) => ms)),
    cpu: mean(times.map(({ cpu }) => cpu)),
  });
  const [here, torch] = [of(ours), of(theirs)];
  const ratio = { ms: torch.ms / here.ms, least: torch.least / here.least, cpu: torch.cpu / here.cpu };
  return { ...row, ours: here, torch, ratio };
}

/** The same task trained to accuracy 1 by both, wall time: three seeds. */
async function compareRuns() {
  const setting = { heads: 8, context: 16, headSize: 64, width: 64, contexts: 'random', task: 'classification' };
  const recipe = { classes: 10, examples: 500, steps: 2000, learningRate: 3e-3, evaluateEvery: 25 };
  const runs = [];
  for (const seed of quick ? [0] : [0, 1, 2]) {
    const options = { ...setting, ...recipe, seed };
    const drawn = task.drawTask(config.setting(options), 'float32');
    await data.writeNpy(join(folder, 'x.npy'), sequences(drawn));
    await data.writeNpy(join(folder, 'y.npy'), { data: drawn.labels, shape: [recipe.examples] });
    const [start, busy] = [performance.now(), process.cpuUsage()];
    const ours = await trainer.memorize(options);
    const [seconds, cpu] = [(performance.now() - start) / 1000, cpuMs(busy) / 1000];
    const [theirs] = reference('train', {
      ...{ heads: 8, context: 16, 'head-size': 64, width: 64, classes: 10, steps: recipe.steps, seed, data: folder },
      ...{ 'evaluate-every': recipe.evaluateEvery, 'learning-rate': recipe.learningRate },
    }).runs;
    runs.push({ seed, seconds, cpu, accuracy: ours.accuracy, steps: ours.steps, torch: theirs });
    console.log(
      `seed ${seed}: accuracy ${ours.accuracy} after ${ours.steps} steps, ${seconds.toFixed(1)} s; ` +
        `PyTorch ${theirs.accuracy.toFixed(4)} after ${theirs.steps} steps, ${theirs.seconds.toFixed(1)} s`,
    );
  }
  const of = (time) => ({ ours: median(runs.map(time)), torch: median(runs.map(({ torch }) => time(torch))) });
  const [clock, cores] = [of(({ seconds }) => seconds), of(({ cpu }) => cpu)];
  const ratio = { seconds: clock.torch / clock.ours, cpu: cores.torch / cores.ours };
  return { setting: { ...setting, ...recipe }, runs, ours: clock.ours, torch: clock.torch, ratio };
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

/**
 * How a step's time grows with each size, the multiplications it cannot do without, and the speed of a large product,
 * measured again and again in between.
 */
function scaling() {
  const base = { heads: 20, context: 32, headSize: 64, contexts: 'random', batch: 256 };
  const axes = {
    heads: [1, 2, 5, 10, 20, 40, 60],
    context: [2, 4, 8, 16, 32, 60],
    headSize: [8, 16, 32, 64],
    batch: [32, 64, 128, 256, 512],
  };
  let limit = 0;
  const points = Object.entries(axes).flatMap(([axis, values]) =>
    values.map((value) => {
      limit = Math.max(limit, productSpeed());
      const step = stepOf({ ...base, [axis]: value }, 1);
      const times = step.time(quick ? 20 : 60).map(({ ms }) => ms);
      step.dispose();
      return { axis, value, ms: median(times), least: Math.min(...times), gflop: step.flop / 1e9 };
    }),
  );
  return { limit, points };
}

/** GFLOP/s of one large product, 2000 x 2000 in float32: the best of three. */
function productSpeed() {
  const { tf } = tensor;
  const a = tf.randomUniform([2000, 2000]);
  const seconds = Array.from({ length: 3 }, () => {
    const start = performance.now();
    const product = tf.matMul(a, a);
    product.dispose();
    return (performance.now() - start) / 1000;
  });
  a.dispose();
  return (2 * 2000 ** 3) / Math.min(...seconds) / 1e9;
}

const measurements = {
  steps: () =>
    rows.map((row) => {
      const found = compareSteps(row);
      const { ours, torch, ratio } = found;
      const stacked = row.models > 1 ? `, ${row.models} stacked, per model` : '';
      console.log(
        `step H=${row.heads} n=${row.context} d_h=${row.headSize} ${row.contexts}${stacked}: ${ours.ms.toFixed(2)} ms, ` +
          `PyTorch ${torch.ms.toFixed(1)} ms: ${ratio.ms.toFixed(1)} times faster (wanted ${row.wanted}); least times ` +
          `${ours.least.toFixed(2)} and ${torch.least.toFixed(1)} ms: ${ratio.least.toFixed(1)}; work of all cores ` +
          `${ours.cpu.toFixed(2)} and ${torch.cpu.toFixed(1)} ms: ${ratio.cpu.toFixed(1)}`,
      );
      return found;
    }),
  capacity: () =>
    [
      ['shared', 621],
      ['shared', 10000],
      ['random', 1280],
    ].map(([contexts, examples]) => {
      const found = capacitySeconds(contexts, examples);
      const { featureRank, seconds } = found;
      console.log(`capacity H=20 n=32 ${contexts} T=${examples}: rank ${featureRank}, ${seconds.toFixed(2)} s`);
      return found;
    }),
  scaling: () => {
    const { limit, points } = scaling();
    console.log(`a product of 2000 x 2000 in float32: ${limit.toFixed(0)} GFLOP/s`);
    for (const { axis, value, ms, least, gflop } of points)
      console.log(
        `step by ${axis} = ${value}: ${ms.toFixed(2)} ms, at least ${least.toFixed(2)}; ` +
          `${((gflop / limit) * 1000).toFixed(2)} ms at the speed of that product`,
      );
    return { limit, points };
  },
  whole: async () => {
    const whole = await compareRuns();
    console.log(
      `memorized to accuracy 1: ${whole.ours.toFixed(1)} s, PyTorch ${whole.torch.toFixed(1)} s: ` +
        `${whole.ratio.seconds.toFixed(1)} times faster; work of all cores: ${whole.ratio.cpu.toFixed(1)}`,
    );
    return whole;
  },
};

const results = join(here, 'results');
const report = join(results, threads === 1 ? 'one-thread.json' : 'full.json');
const parts = process.env.ATTENTION_BENCH_PARTS?.split(',') ?? Object.keys(measurements);
const unknown = parts.find((part) => !(part in measurements));
if (unknown !== undefined)
  throw new Error(`ATTENTION_BENCH_PARTS has ${unknown}; known are ${Object.keys(measurements)}.`);
try {
  const machine = {
    cpu: cpus()[0].model.trim(),
    threads,
    memory: totalmem(),
    kernel: release(),
    node: process.version,
  };
  mkdirSync(results, { recursive: true });
  let found = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  for (const part of parts) {
    found = { ...found, date: new Date().toISOString(), machine, [part]: await measurements[part]() };
    writeFileSync(report, `${JSON.stringify(found, null, 1)}\n`);
  }
  if (parts.includes('scaling')) writeStepCost(found.scaling, join(results, 'step-cost.svg'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
