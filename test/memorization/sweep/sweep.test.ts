import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { InputError } from 'attention-capacity';
import { acquire } from 'attention-capacity/memorization/sweep/lock';
import { planSweep, readSweep } from 'attention-capacity/memorization/sweep/plan';
import { readResult, resultFile, type SweepResult } from 'attention-capacity/memorization/sweep/results';
import { runSweep, stackSize, sweepResults } from 'attention-capacity/memorization/sweep/sweep';

const root = path.join(__dirname, '../../../..');
const command = path.join(root, 'lib/bin/attention-capacity.js');
const base = mkdtempSync(path.join(os.tmpdir(), 'sweep-'));
after(() => rmSync(base, { recursive: true, force: true }));
let folder = base;
beforeEach((context) => {
  folder = path.join(base, context.name.replace(/[^a-z0-9]+/gi, '-').slice(0, 40));
  mkdirSync(folder, { recursive: true });
});

const grid = { panel: 'heads', task: 'classification', contexts: 'shared', heads: [1, 2], context: 3, examples: 20 };
const profile = {
  width: 8,
  classes: 5,
  batch: 16,
  learningRate: 0.01,
  steps: 120,
  evaluateEvery: 40,
  earlyStop: false,
};
const sweep = { name: 'tiny', seeds: [0, 1], profile, grids: [grid] };

test('a grid is every combination, and the profile its recipe', () => {
  const { runs } = planSweep({
    ...sweep,
    grids: [grid, { ...grid, panel: 'more', heads: 1, examples: [20, 40], steps: 7 }],
  });
  assert.deepEqual(
    runs.map(({ id }) => id),
    [
      ...['heads/H1-n3-r8-T20-s0', 'heads/H1-n3-r8-T20-s1', 'heads/H2-n3-r8-T20-s0', 'heads/H2-n3-r8-T20-s1'],
      ...['more/H1-n3-r8-T20-s0', 'more/H1-n3-r8-T20-s1', 'more/H1-n3-r8-T40-s0', 'more/H1-n3-r8-T40-s1'],
    ],
  );
  assert.deepEqual([runs[0].config.steps, runs[7].config.steps, runs[7].config.batch], [120, 7, 16]);
});

test('the paper’s grid is 342 runs a seed, with the reference’s lengths', () => {
  const { runs } = readSweep(path.join(root, 'workflow/paper.json'));
  assert.equal(runs.filter(({ config }) => config.seed === 0).length, 342);
  const steps = (id: string) => runs.find((run) => run.id === id)?.config.steps;
  assert.equal(steps('classification-heads-random/H60-n32-r64-T130000-s5'), 253_906);
  assert.equal(steps('regression-context-shared/H20-n1-r64-T10000-s0'), 50_000);
  assert.equal(steps('classification-head-size-shared/H30-n32-r15-T20000-s0'), 300_000);
  assert.equal(steps('saturation-8-heads/H8-n32-r64-T1300-s0'), 300_000);
});

const nonsense: [unknown, RegExp][] = [
  [{ ...sweep, grid: [] }, /^the sweep: expected name, about, seeds, profile, grids, got the key 'grid'\.$/],
  [{ ...sweep, profile: { lr: 1 } }, /^profile: expected width, .*, got the key 'lr'\.$/],
  [{ ...sweep, grids: [{ ...grid, n: 3 }] }, /^grids\[0\]: expected panel, .*, got the key 'n'\.$/],
  [
    { ...sweep, grids: [{ ...grid, heads: 0 }] },
    /^heads\/H0-n3-r8-T20-s0: heads: expected a whole number of at least 1, got 0/,
  ],
  [{ ...sweep, grids: [{ ...grid, context: undefined }] }, /^grids\[0\] \(heads\): expected context, got none\.$/],
  [{ ...sweep, grids: [grid, grid] }, /^expected each run once, got heads\/H1-n3-r8-T20-s0 twice/],
  [{ ...sweep, seeds: 3 }, /^seeds: expected a list of at least one, got 3\.$/],
  [
    { ...sweep, grids: [{ ...grid, steps: 5, passes: 2 }] },
    /expected either steps or passes and minSteps, got both\.$/,
  ],
  [{ ...sweep, name: '../up' }, /^name: expected lower-case words/],
  [[], /^the sweep: expected an object with .*, got \[\]\.$/],
];
for (const [value, message] of nonsense) {
  test(`bad sweep: ${message.source}`, () => {
    assert.throws(
      () => planSweep(value),
      (error) => error instanceof InputError && message.test(error.message),
    );
  });
}

const senseless: [object, string][] = [
  [{ heads: 0 }, 'odd/H0-n3-r8-T20-s0: heads: expected a whole number of at least 1, got 0.'],
  [{ headSize: 9 }, 'odd/H1-n3-r9-T20-s0: head size: expected at most the width, 8, got 9.'],
  [{ learningRate: -1 }, 'odd/H1-n3-r8-T20-s0: learning rate: expected a positive number, got -1.'],
  [{ contexts: 'fixed' }, "odd/H1-n3-r8-T20-s0: contexts: expected shared or random or perm, got 'fixed'."],
  [{ examples: 0.5 }, 'odd/H1-n3-r8-T0.5-s0: examples: expected a whole number of at least 1, got 0.5.'],
];
for (const [values, line] of senseless) {
  test(`${line} The rest is run.`, async () => {
    const odd = { ...grid, panel: 'odd', heads: 1, ...values };
    const plan = planSweep({ ...sweep, seeds: [0], grids: [odd, { ...grid, heads: 1 }] });
    const lines: string[] = [];
    const { runs, done, missing } = await runSweep(plan, { folder, report: (text) => lines.push(text) });
    assert.deepEqual([runs, done, lines[0]], [2, 1, line]);
    assert.deepEqual(
      missing.map(({ run, reason }) => `${run}: ${reason}`),
      [line],
    );
    await assert.rejects(runSweep(plan, { folder, only: plan.refused[0].run }), { message: line });
  });
}

test('what is missing is trained, once, and says how', async () => {
  const plan = planSweep(sweep);
  const lines: string[] = [];
  const first = await runSweep(plan, { folder, report: (line) => lines.push(line) });
  assert.deepEqual(first, { runs: 4, done: 4, trained: 4, missing: [] });
  assert.match(lines[0], /^heads\/H\d-n3-r8-T20-s\d: loss [\d.]+, accuracy [\d.]+ after 120 steps, [\d.]+ s$/);
  rmSync(resultFile(folder, plan.runs[1]));
  assert.equal((await runSweep(plan, { folder })).trained, 1);
  const results = sweepResults(plan, folder);
  assert.deepEqual(
    results.map(({ run }) => run),
    plan.runs.map(({ id }) => id),
  );
  assert.deepEqual(results[2].result.config, plan.runs[2].config);
  assert.ok(results[2].versions.node && results[2].machine.threads >= 1);
  assert.deepEqual(
    readdirSync(folder).sort(),
    ['.checkpoints', 'heads'].filter((name) => existsSync(path.join(folder, name))),
  );
});

test('panels that meet in one setting both get its result', async () => {
  const plan = planSweep({ ...sweep, grids: [grid, { ...grid, panel: 'contexts', heads: 2, context: [2, 3] }] });
  const outcome = await runSweep(plan, { folder });
  assert.deepEqual(outcome, { runs: 8, done: 8, trained: 8, missing: [] });
  const [of, other] = ['heads/H2-n3-r8-T20-s0', 'contexts/H2-n3-r8-T20-s0'].map(
    (id) => sweepResults(plan, folder).find(({ run }) => run === id)!.result,
  );
  assert.deepEqual(of, other);
});

test('trained in a stack or alone, the results are the same', async () => {
  const plan = planSweep(sweep);
  assert.ok(stackSize(plan.runs[0].config) > 1);
  await runSweep(plan, { folder });
  const alone = path.join(folder, 'alone');
  for (const { id } of plan.runs) await runSweep(plan, { folder: alone, only: id });
  const timeless = ({ result }: SweepResult) => ({ ...result, seconds: null });
  assert.deepEqual(sweepResults(plan, folder).map(timeless), sweepResults(plan, alone).map(timeless));
});

test('a result that was cut in the middle is named, kept aside and made again', async () => {
  const plan = planSweep(sweep);
  await runSweep(plan, { folder });
  const file = resultFile(folder, plan.runs[2]);
  const whole = JSON.parse(readFileSync(file, 'utf8')) as SweepResult;
  writeFileSync(file, readFileSync(file).subarray(0, 200));
  const lines: string[] = [];
  const outcome = await runSweep(plan, { folder, report: (line) => lines.push(line) });
  assert.deepEqual([outcome.trained, outcome.missing.length], [1, 0]);
  assert.match(lines[0], /^heads\/H2-n3-r8-T20-s0: its result was cut short; it is kept as '.*\.broken'/);
  assert.ok(existsSync(`${file}.broken`));
  assert.equal(readResult(folder, plan.runs[2], () => undefined)?.result.loss, whole.result.loss);
});

test('a diverging run is named and missing at the end; the others are done', async () => {
  const plan = planSweep({
    ...sweep,
    grids: [
      { ...grid, heads: 1, learningRate: 1e30 },
      { ...grid, panel: 'calm' },
    ],
  });
  const lines: string[] = [];
  const outcome = await runSweep(plan, { folder, report: (line) => lines.push(line) });
  assert.deepEqual([outcome.runs, outcome.done], [6, 4]);
  assert.deepEqual(
    outcome.missing.map(({ run }) => run),
    ['heads/H1-n3-r8-T20-s0', 'heads/H1-n3-r8-T20-s1'],
  );
  assert.match(outcome.missing[0].reason, /expected a finite loss, got NaN or infinity after \d+ steps/);
  assert.ok(lines.some((line) => line.startsWith('heads/H1-n3-r8-T20-s1: ')));
});

test('a result of another configuration is not mistaken for one of this sweep', async () => {
  await runSweep(planSweep(sweep), { folder });
  const longer = planSweep({ ...sweep, profile: { ...profile, steps: 130 } });
  await assert.rejects(
    runSweep(longer, { folder }),
    (error) => error instanceof InputError && /expected a result with steps = 130, got 120/.test(error.message),
  );
});

test('a refused sweep says why and nothing else, and moves no file', async () => {
  const plan = planSweep({ ...sweep, grids: [{ ...grid, heads: [1, 2, 0] }] });
  await runSweep(plan, { folder });
  const [broken] = plan.runs;
  writeFileSync(resultFile(folder, broken), '{"run":');
  const longer = { ...sweep, profile: { ...profile, steps: 130 }, grids: [{ ...grid, heads: [1, 2, 0] }] };
  const lines: string[] = [];
  await assert.rejects(runSweep(planSweep(longer), { folder, report: (line) => lines.push(line) }), InputError);
  assert.deepEqual(lines, []);
  assert.ok(existsSync(resultFile(folder, broken)));
  const file = path.join(folder, 'longer.json');
  writeFileSync(file, JSON.stringify(longer));
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'sweep', file, '--out', folder], {
    encoding: 'utf8',
  });
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /^attention-capacity: [^\n]+ expected a result with steps = 130, got 120; [^\n]+\n$/);
});

test('two sweeps on one folder: the second says who is there; a dead one’s lock is taken over', async () => {
  const plan = planSweep(sweep);
  const release = acquire(path.join(folder, '.lock'));
  assert.ok(typeof release === 'function');
  await assert.rejects(
    runSweep(plan, { folder }),
    (error) => error instanceof InputError && error.message.includes(`process ${process.pid} on ${os.hostname()}`),
  );
  release();
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  writeFileSync(path.join(folder, '.lock'), JSON.stringify({ pid, host: os.hostname(), since: 'before' }));
  writeFileSync(path.join(folder, 'other.lock'), JSON.stringify({ pid: 1, host: 'elsewhere', since: 'before' }));
  assert.equal(
    typeof acquire(path.join(folder, 'other.lock')),
    'object',
    'whether it is alive cannot be seen from another machine',
  );
  assert.equal((await runSweep(plan, { folder })).done, 4);
});

test('a run in training elsewhere is left alone', async () => {
  const plan = planSweep(sweep);
  const release = acquire(path.join(folder, `${plan.runs[0].id}.lock`));
  assert.ok(typeof release === 'function');
  const { done, missing } = await runSweep(plan, { folder });
  release();
  assert.equal(done, 3);
  assert.match(missing[0].reason, /^in training elsewhere/);
});

test('killed in the middle and started again, it resumes and ends with the same results', async () => {
  const long = { ...sweep, profile: { ...profile, steps: 1500 } };
  const plan = planSweep(long);
  const file = path.join(folder, 'sweep.json');
  writeFileSync(file, JSON.stringify(long));
  const out = path.join(folder, 'out');
  const child = spawn(process.execPath, [command, 'sweep', file, '--out', out], { stdio: 'ignore' });
  while (!existsSync(path.join(out, 'heads'))) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 300));
  child.kill('SIGKILL');
  await once(child, 'close');
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'sweep', file, '--out', out, '--json'], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.equal((JSON.parse(stdout) as { done: number }).done, 4);
  const undisturbed = path.join(folder, 'undisturbed');
  await runSweep(plan, { folder: undisturbed });
  const losses = (where: string) => sweepResults(plan, where).map(({ result }) => [result.loss, result.evaluations]);
  assert.deepEqual(losses(out), losses(undisturbed));
});

test('the command: exit 2 and one line for a bad file, 1 when something is missing', () => {
  const file = path.join(folder, 'sweep.json');
  const run = (...args: string[]) => spawnSync(process.execPath, [command, 'sweep', ...args], { encoding: 'utf8' });
  writeFileSync(file, '{"name": "x",');
  assert.deepEqual([run(file).status, run(file).stderr.trim().split('\n').length], [2, 1]);
  assert.match(run(path.join(folder, 'absent.json')).stderr, /absent\.json': expected a JSON file/);
  const one = { ...grid, heads: 1, learningRate: 1e30 };
  writeFileSync(file, JSON.stringify({ ...sweep, seeds: [0], grids: [one] }));
  const diverged = run(file, '--out', path.join(folder, 'out'));
  assert.equal(diverged.status, 1);
  assert.match(diverged.stderr, /missing: heads\/H1-n3-r8-T20-s0 \(.*expected a finite loss/);
  assert.deepEqual(run(file, '--list').stdout, 'heads/H1-n3-r8-T20-s0\n');
  assert.equal(run(file, '--run', 'nothing', '--out', path.join(folder, 'out')).status, 2);
  writeFileSync(file, JSON.stringify({ ...sweep, seeds: [0], grids: [{ ...grid, heads: [0, 1] }] }));
  const partial = run(file, '--out', path.join(folder, 'partial'));
  assert.equal(partial.status, 1);
  assert.match(partial.stderr, /missing: heads\/H0-n3-r8-T20-s0 \(heads: expected a whole number/);
  assert.match(partial.stdout, /^1 of 2 runs done/);
});

test('Snakemake runs the same sweep to the same files', async (context) => {
  const { isReady, setUp } = (await import(pathToFileURL(path.join(root, 'workflow/setup.mjs')).href)) as {
    isReady(): boolean;
    setUp(): Promise<void>;
  };
  if (!isReady()) {
    if (!process.env.ATTENTION_TEST_ALL)
      return context.skip('needs 300 MB once: node workflow/setup.mjs, or npm run test:all');
    await setUp();
  }
  const file = path.join(folder, 'sweep.json');
  const one = { ...sweep, seeds: [0], grids: [{ ...grid, heads: [1, 0, 2] }] };
  writeFileSync(file, JSON.stringify(one));
  const out = path.join(folder, 'out');
  const runner = [path.join(root, 'workflow/run.mjs'), '--cores', '2', '--config', `sweep=${file}`, `out=${out}`];
  const { status, stderr } = spawnSync(process.execPath, runner, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /missing: heads\/H0-n3-r8-T20-s0 \(heads: expected a whole number/);
  const plan = planSweep(one);
  assert.equal(sweepResults(plan, out).length, 2);
  const again = spawnSync(process.execPath, runner, { cwd: folder, encoding: 'utf8' });
  assert.match(again.stderr + again.stdout, /Nothing to be done/);
});
