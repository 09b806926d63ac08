/**
 * Ranks here against `torch.linalg.matrix_rank` in float32: the same matrices and subsets on the same machine, in turns.
 * `npm run bench rank`; ATTENTION_BENCH=quick for a tenth of the work. Times are per subset, permutation or context, here
 * with all set-up included, in PyTorch the median of a sample. A round is PyTorch, here, PyTorch again, and its ratio that of
 * the mean of the two to ours: a machine that others use too changes its speed from minute to minute. What is printed are
 * the medians over the rounds, and the ratios' range. Ranks are compared draw by draw.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import data from 'attention-capacity/data/index';
import { IndependenceTest } from 'attention-capacity/rank/proofs/independence';
import rank from 'attention-capacity/rank/index';
import kruskalTest from 'attention-capacity/rank/kruskal-test';
import { RankCounter } from 'attention-capacity/rank/proofs/rank-count';
import { prepareRows } from 'attention-capacity/rank/proofs/rows';
import tensor from 'attention-capacity/tensor/index';
import { attention, contexts, normal, randomViT } from './matrices.mjs';

const { contextRanks, kruskalCurve, rankAt, relativeTolerance, singularValues, testKruskalRank } = rank;
const { inPrecision, tf, toTensor, valuesOf } = tensor;

const here = fileURLToPath(new URL('.', import.meta.url));
const python = process.env.ATTENTION_TORCH_PYTHON;
if (!python)
  throw new Error('ATTENTION_TORCH_PYTHON names no Python with torch: start this with `npm run bench rank`.');
const share = process.env.ATTENTION_BENCH === 'quick' ? 0.1 : 1;
const draws = 5000 * share;
/** Subsets that PyTorch is timed on, and whose ranks are compared. */
const sample = 60 * share;
const seed = 0;

const folder = mkdtempSync(join(tmpdir(), 'bench-rank-'));
const results = [];
const disagreements = [];
const machine = {
  processor: cpus()[0].model.trim(),
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  node: process.version,
};
const peakGiB = () => process.resourceUsage().maxRSS / 2 ** 20;

/** Writes what is known so far, after every row: a run of a quarter of an hour that is cut short has not been for nothing. */
function keep() {
  mkdirSync(join(here, 'results'), { recursive: true });
  const kept = join(here, 'results', share === 1 ? 'full.json' : 'quick.json');
  const document = { date: new Date().toISOString(), machine, peakGiB: peakGiB(), results, disagreements };
  writeFileSync(kept, `${JSON.stringify(document, null, 2)}\n`);
  return kept;
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const drawn = (features, k, count) =>
  Array.from({ length: count }, (_, draw) => kruskalTest.drawnSubset(seed, features.shape[0], k, draw));

/** Ranks and seconds by PyTorch, of subsets of the features, or of a stack of contexts. */
async function reference(features, subsets) {
  const files = [join(folder, 'matrix.npy')];
  await data.writeNpy(files[0], features);
  if (subsets) {
    files.push(join(folder, 'draws.npy'));
    const rows = Int32Array.from(subsets.flatMap((subset) => [...subset]));
    await data.writeNpy(files[1], { data: rows, shape: [subsets.length, subsets[0].length] });
  }
  const options = { encoding: 'utf8', maxBuffer: 2 ** 28 };
  const { status, stdout, stderr } = spawnSync(python, [join(here, 'reference.py'), ...files], options);
  if (status !== 0) throw new Error(`PyTorch failed:\n${stderr}`);
  return JSON.parse(stdout);
}

/** Milliseconds, and what `run` gave. */
async function timed(run) {
  const start = performance.now();
  const value = await run();
  return { value, ms: performance.now() - start };
}

/**
 * Rounds of PyTorch's way and ours in turns. `torch` gives what {@link reference} gives and `torchMilliseconds`, its time for
 * one unit; `ours` does `units` of them. Gives what both gave last.
 */
async function sideBySide(work, wanted, { rounds, units, ours, torch, more }) {
  const [times, torchTimes, ratios] = [[], [], []];
  let before = await torch();
  let given;
  for (let round = 0; round < rounds; round++) {
    const { value, ms } = await timed(ours);
    const after = await torch();
    const theirs = (before.torchMilliseconds + after.torchMilliseconds) / 2;
    times.push(ms / units);
    torchTimes.push(theirs);
    ratios.push((theirs * units) / ms);
    [before, given] = [after, value];
  }
  const [milliseconds, torchMilliseconds, ratio] = [times, torchTimes, ratios].map(median);
  const range = [Math.min(...ratios), Math.max(...ratios)];
  results.push({ work, milliseconds, torchMilliseconds, ratio, range, rounds, wanted, ...more?.(given) });
  keep();
  const figures = [milliseconds.toFixed(3), torchMilliseconds.toFixed(2), ratio.toFixed(1), wanted];
  const line = figures.map((figure) => String(figure).padStart(10)).join('');
  console.log(`${work.padEnd(40)}${line}   ${range.map((end) => end.toFixed(1)).join(' to ')}`);
  return { value: given, torch: before };
}

/** Lists the subsets where PyTorch's float32 finds another rank, with the singular values that it hangs on. */
function compare(work, features, subsets, torchRanks) {
  const k = subsets[0].length;
  const judge = new IndependenceTest(prepareRows(features), 'float32');
  const counted = new RankCounter(judge).count(subsets);
  const verdicts = judge.judge(subsets);
  subsets.forEach((subset, draw) => {
    const ours = counted[draw].rank;
    if ((ours === k) !== verdicts[draw].independent)
      throw new Error(`${work}: rank and verdict of draw ${draw} differ`);
    if (ours === torchRanks[draw]) return;
    const picked = Float64Array.from({ length: k * features.shape[1] }, (_, i) => {
      const columns = features.shape[1];
      return features.data[subset[Math.floor(i / columns)] * columns + (i % columns)];
    });
    const sigmas = singularValues({ data: picked, shape: [k, features.shape[1]] });
    const cut = relativeTolerance('float32', k, features.shape[1]);
    const nextToCut = [ours - 1, ours].map((i) => (i < k ? sigmas[i] / sigmas[0] / cut : null));
    const float64 = rankAt(sigmas, cut);
    disagreements.push({ work, draw, torchFloat32: torchRanks[draw], ours, float64, overTolerance: nextToCut });
  });
}

async function verdicts(work, features, k, wanted, { ranksDraws = 0, rounds }) {
  const count = ranksDraws || draws;
  const options = { k, draws: count, seed, rtol: 'float32', sigmaDraws: 0, ranksDraws };
  const subsets = drawn(features, k, sample);
  const { torch } = await sideBySide(work, wanted, {
    rounds,
    units: count,
    ours: () => testKruskalRank(features, options),
    torch: async () => {
      const found = await reference(features, subsets);
      return { ...found, torchMilliseconds: 1000 * median(found.seconds) };
    },
    more: ({ satisfied, decidedBy, nearTolerance }) => ({ satisfied, draws: count, decidedBy, nearTolerance }),
  });
  compare(work, features, subsets, torch.ranks);
}

/** The reference's sweep: k = 1, 11, …, and n and d, 5000 subsets each; its time from a few subsets at some of the sizes. */
async function curve(work, features, wanted) {
  const permutations = 5000 * share;
  const sizes = [1, 51, 101, 201, 301, 401, 501, 601, 701, 768];
  const swept = [...Array.from({ length: 77 }, (_, i) => 1 + 10 * i), 197, 768];
  await sideBySide(work, wanted, {
    rounds: 1,
    // All sizes of one draw, against one permutation.
    units: permutations,
    ours: () => kruskalCurve(features, { permutations, seed, rtol: 'float32' }),
    torch: async () => {
      const seconds = [];
      for (const k of sizes) seconds.push(median((await reference(features, drawn(features, k, 10))).seconds));
      const total = swept.reduce((sum, k) => {
        const at = sizes.findIndex((size) => size >= k);
        const right = Math.max(1, at);
        const weight = (k - sizes[right - 1]) / (sizes[right] - sizes[right - 1]);
        return sum + (1 - weight) * seconds[right - 1] + weight * seconds[right];
      }, 0);
      return { torchMilliseconds: 1000 * total };
    },
    more: ({ lengths }) => {
      const edges = [...lengths].sort((a, b) => a - b);
      return { permutations, edges: [edges[0], edges[edges.length - 1]] };
    },
  });
}

async function contextBench(work, wanted) {
  const stack = contexts(32);
  const [count, n, d] = stack.shape;
  const batches = Array.from({ length: count / 8 }, (_, i) =>
    inPrecision('float32', () => toTensor(stack.data.subarray(i * 8 * n * d, (i + 1) * 8 * n * d), [8, n, d])),
  );
  const passes = Math.ceil((1973 * share) / count);
  const { torch } = await sideBySide(work, wanted, {
    rounds: 5,
    units: passes * count,
    ours: () => {
      for (let pass = 0; pass < passes; pass++) {
        for (const batch of batches) contextRanks(batch, { rtol: 'float32' });
      }
    },
    torch: async () => {
      const found = await reference(stack);
      return { ...found, torchMilliseconds: 1000 * median(found.seconds) };
    },
  });
  const ours = batches.flatMap((batch) => [...contextRanks(batch, { rtol: 'float32' }).ranks]);
  ours.forEach((r, draw) => {
    if (r !== torch.ranks[draw]) disagreements.push({ work, draw, torchFloat32: torch.ranks[draw], ours: r });
  });
  for (const batch of batches) batch.dispose();
  return torch;
}

/** Billions of floating-point operations a second in one large float64 product: what the factorizations could reach. */
function productSpeed(n = 3000) {
  return inPrecision('float64', () => {
    const best = Array.from({ length: 3 }, () => {
      const start = performance.now();
      tf.tidy(() => {
        const a = toTensor(new Float64Array(n * n).fill(0.5), [n, n]);
        valuesOf(tf.slice(tf.matMul(a, a), [0, 0], [1, 1]));
      });
      return performance.now() - start;
    });
    return (2 * n ** 3) / Math.min(...best) / 1e6;
  });
}

try {
  machine.productGflops = productSpeed();
  console.log(`a large float64 product runs at ${machine.productGflops.toFixed(0)} GFLOP/s\n`);
  console.log(
    `${''.padEnd(40)}${['ms', 'torch ms', 'ratio', 'wanted'].map((head) => head.padStart(10)).join('')}   range`,
  );
  const [failing, vit, passing] = [attention(), randomViT(), normal()];
  await verdicts('verdict, k = 197', failing, 197, 20, { rounds: 5 });
  await verdicts('verdict, k = 768, all fail', failing, 768, 10, { rounds: 3 });
  await verdicts('verdict, k = 768, most pass', passing, 768, 4, { rounds: 1 });
  await verdicts('rank, k = 768, of about 480', failing, 768, 3, { rounds: 3, ranksDraws: 1000 * share });
  await verdicts('rank, k = 768, of about 660', vit, 768, 3, { rounds: 3, ranksDraws: 1000 * share });
  await curve('curve, k = 1 … 768, edge near 395', failing, 100);
  await curve('curve, k = 1 … 768, edge near 595', vit, 100);
  const { torch, threads } = await contextBench('rank of a context, 197 x 768', 10);
  console.log(
    `\npeak memory ${peakGiB().toFixed(2)} GiB; ${disagreements.length} disagreements with PyTorch's float32`,
  );
  for (const one of disagreements) console.log(JSON.stringify(one));
  machine.torch = torch;
  machine.torchThreads = threads;
  console.log(`kept in ${keep()}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
