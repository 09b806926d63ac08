import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, openSync, closeSync, ftruncateSync, writeFileSync, writeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeNpy } from 'attention-capacity/data';
import { formatHeader } from 'attention-capacity/data/files/npy-header';
import type { RankResult } from 'attention-capacity/cli/rank-text';
import { randomSource } from 'attention-capacity/tensor';
import { safetensorsBytes } from '../data/files/safetensors-bytes';
import { attentionCapacity, bin, json, refusal, temporaryFolder } from './command';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

const T = 60;
const d = 12;
const random = randomSource(1, 'rows');
/** Rows 3, 20 and 41 add up to row 55. */
const rows = Float64Array.from({ length: T * d }, () => random.normal());
for (let c = 0; c < d; c++) rows[55 * d + c] = rows[3 * d + c] + rows[20 * d + c] + rows[41 * d + c];
const transposed = Float64Array.from({ length: T * d }, (_, i) => rows[(i % T) * d + Math.floor(i / T)]);
const bytesOf = (data: Float32Array | Float64Array) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

test.before(async () => {
  await writeNpy(at('rows.npy'), { data: rows, shape: [T, d] });
  await writeNpy(at('rows32.npy'), { data: Float32Array.from(rows), shape: [T, d] });
  const header = formatHeader('float64', [T, d]);
  const text = Buffer.from(header).toString('latin1').replace("'fortran_order': False", "'fortran_order': True ");
  writeFileSync(at('fortran.npy'), Buffer.concat([Buffer.from(text, 'latin1'), bytesOf(transposed)]));
  const lines = Array.from({ length: T }, (_, i) => rows.subarray(i * d, (i + 1) * d).join(','));
  writeFileSync(
    at('rows.csv'),
    `${Array.from({ length: d }, (_, c) => `feature ${c}`).join(',')}\n${lines.join('\n')}\n`,
  );
  const size = rows.byteLength;
  const tensors = {
    queries: { dtype: 'F64', shape: [T, d], data_offsets: [0, size] },
    bias: { dtype: 'F64', shape: [d], data_offsets: [size, size + 8 * d] },
    half: { dtype: 'F32', shape: [T / 2, d], data_offsets: [size + 8 * d, size + 8 * d + 2 * T * d] },
  };
  const data = Buffer.concat([
    bytesOf(rows),
    bytesOf(new Float64Array(d)),
    bytesOf(Float32Array.from(rows.subarray(0, (T / 2) * d))),
  ]);
  writeFileSync(at('model.safetensors'), safetensorsBytes(tensors, data));
});

test('the JSON document has the keys of the contract, in words that other programs can rely on', async () => {
  const result = await json<RankResult>('rank', at('rows.npy'), '--k', '4,12', '--draws', '300', '--curve', '--search');
  assert.deepEqual(Object.keys(result), [
    'file',
    'shape',
    'dtype',
    'rtol',
    'seed',
    'precision',
    'resolution',
    'belowResolution',
    'notes',
    'tests',
    'curve',
    'kruskalRank',
  ]);
  const { file, shape, dtype, rtol, seed, precision, tests, curve, kruskalRank } = result;
  assert.deepEqual(
    { file, shape, dtype, rtol, seed, precision },
    { file: at('rows.npy'), shape: [T, d], dtype: 'float64', rtol: 'float64', seed: 0, precision: 'float64' },
  );
  assert.deepEqual(
    tests.map(({ k, draws }) => [k, draws]),
    [
      [4, 300],
      [12, 300],
    ],
  );
  for (const test of tests) {
    assert.deepEqual(Object.keys(test), [
      'k',
      'draws',
      'satisfied',
      'undecided',
      'fraction',
      'ci95',
      'tolerance',
      'ranks',
      'ranksDraws',
      'decidedBy',
      'sigmaRatio',
    ]);
    assert.equal(test.undecided, 0);
    assert.equal(
      Object.values(test.decidedBy).reduce((sum, count) => sum + count, 0),
      300,
    );
    assert.equal(test.fraction, test.satisfied / 300);
    assert.equal(test.tolerance, 12 * 2 ** -52);
    assert.ok(test.ci95[0] <= test.fraction && test.fraction <= test.ci95[1]);
    assert.equal(
      Object.values(test.ranks).reduce((sum, count) => sum + count, 0),
      test.ranksDraws,
    );
    assert.deepEqual(Object.keys(test.sigmaRatio), ['draws', 'min', 'median']);
    assert.equal(test.sigmaRatio.draws, 50);
  }
  assert.equal(curve!.length, d);
  assert.deepEqual(Object.keys(curve![0]), ['k', 'undecided', 'fraction', 'ci95']);
  assert.deepEqual(
    curve!.map(({ k }) => k),
    Array.from({ length: d }, (_, i) => i + 1),
  );
  assert.deepEqual(kruskalRank, { atLeast: 3, atMost: 3, witness: [3, 20, 41, 55] });
});

test('without --curve and --search their keys are absent; k is min(T, d) and the tolerance the dtype by default', async () => {
  const result = await json<RankResult>('rank', at('rows32.npy'), '--draws', '20');
  assert.deepEqual(Object.keys(result), [
    ...['file', 'shape', 'dtype', 'rtol', 'seed', 'precision'],
    ...['resolution', 'belowResolution', 'notes', 'tests'],
  ]);
  assert.equal(result.rtol, 'float32');
  assert.equal(result.tests[0].k, d);
  assert.equal(result.tests[0].tolerance, d * 2 ** -23);
  assert.equal(result.tests[0].sigmaRatio.draws, 20);
});

test('the same numbers in another order, format or precision have the same verdicts', async () => {
  const options = ['--k', '12', '--draws', '200', '--rtol', '1e-5'];
  const npy = await json<RankResult>('rank', at('rows.npy'), ...options);
  for (const [name, ...more] of [
    ['fortran.npy'],
    ['rows.csv'],
    ['model.safetensors', '--tensor', 'queries'],
    ['rows32.npy'],
  ]) {
    const other = await json<RankResult>('rank', at(name), ...options, ...more);
    assert.deepEqual(other.shape, [T, d], name);
    assert.deepEqual(other.tests[0].ranks, npy.tests[0].ranks, name);
    if (name !== 'rows32.npy') assert.deepEqual(other.tests, npy.tests, name);
  }
});

test('the histogram of ranks covers the first 500 draws, or as many as are asked for', async () => {
  for (const [args, expected] of [
    [[], 500],
    [['--ranks', '20'], 20],
    [['--ranks', '1000'], 600],
  ] as const) {
    const { tests } = await json<RankResult>('rank', at('rows.npy'), '--draws', '600', ...args);
    const counted = Object.values(tests[0].ranks).reduce((sum, count) => sum + count, 0);
    assert.deepEqual([tests[0].ranksDraws, counted], [expected, expected]);
  }
});

test('every effort finds bounds that hold, and the same effort the same ones', async () => {
  for (const effort of ['low', 'high', '0.05']) {
    const args = ['rank', at('rows.npy'), '--draws', '1', '--search', '--effort', effort];
    const [first, second] = [await json<RankResult>(...args), await json<RankResult>(...args)];
    assert.deepEqual(first.kruskalRank, second.kruskalRank);
    assert.ok(first.kruskalRank!.atLeast <= 3 && first.kruskalRank!.atMost >= 3);
  }
});

test('the seed decides the draws', async () => {
  const run = (seed: string) => json<RankResult>('rank', at('rows.npy'), '--draws', '60', '--seed', seed);
  const [first, again, other] = await Promise.all([run('7'), run('7'), run('8')]);
  assert.deepEqual(first, again);
  assert.notDeepEqual(first.tests, other.tests);
});

test('the tolerance is a name or a number', async () => {
  const run = (rtol: string) => json<RankResult>('rank', at('rows.npy'), '--draws', '50', '--rtol', rtol);
  const [single, double, number] = await Promise.all([run('float32'), run('float64'), run('0.2')]);
  assert.equal(single.tests[0].tolerance, 12 * 2 ** -23);
  assert.equal(double.tests[0].tolerance, 12 * 2 ** -52);
  assert.deepEqual([number.rtol, number.tests[0].tolerance, number.tests[0].satisfied], [0.2, 0.2, 0]);
});

test('a zero row and parallel rows decide the Kruskal rank', async () => {
  const zero = rows.slice();
  zero.fill(0, 9 * d, 10 * d);
  await writeNpy(at('zero.npy'), { data: zero, shape: [T, d] });
  const parallel = rows.slice();
  for (let c = 0; c < d; c++) parallel[30 * d + c] = -0.3 * parallel[8 * d + c];
  await writeNpy(at('parallel.npy'), { data: parallel, shape: [T, d] });
  const search = async (name: string) =>
    (await json<RankResult>('rank', at(name), '--draws', '5', '--search')).kruskalRank;
  assert.deepEqual(await search('zero.npy'), { atLeast: 0, atMost: 0, witness: [9] });
  assert.deepEqual(await search('parallel.npy'), { atLeast: 1, atMost: 1, witness: [8, 30] });
});

test('for people there is a table, and what was proved with its reasons', async () => {
  const { status, stdout, stderr } = await attentionCapacity(
    'rank',
    at('rows.npy'),
    '--k=4,12',
    '--draws=100',
    '--curve',
    '--search',
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /rows\.npy: 60 rows of 12 numbers, float64; verdicts in float64 at tolerance float64, seed 0/);
  assert.match(stdout, /^ k +draws +independent +fraction/m);
  assert.match(stdout, /^12 +100/m);
  assert.match(stdout, /every k at once/);
  assert.match(stdout, /Kruskal rank, proved: 3\n {2}minimal dependent set \(rows from 0\): 3, 20, 41, 55/);
  assert.match(stdout, /each of the 1770 pairs is independent/);
  assert.equal(stderr, '');
});

test('float32 numbers judged at a finer tolerance come with a warning, on standard error', async () => {
  const { status, stdout, stderr } = await attentionCapacity(
    ...['rank', at('rows32.npy'), '--draws', '5', '--rtol', 'float64', '--json'],
  );
  assert.equal(status, 0);
  assert.doesNotThrow(() => JSON.parse(stdout));
  assert.match(stderr, /^note: .*rows32\.npy' holds numbers with a relative spacing of 1e-7.*\n$/);
});

test('each bad argument gets one line that names the option, what was expected and what it got', async () => {
  const cases: [string[], RegExp][] = [
    [[], /expected a command \(rank, features, .*\), got none/],
    [['rnak'], /unknown command 'rnak'; the commands are rank,/],
    [['rank'], /missing required argument 'file'/],
    [['rank', 'a.npy', 'b.npy'], /Expected 1 argument but got 2/],
    [['rank', 'a.npy', '--drawz', '3'], /unknown option '--drawz'; rank knows --k, --draws,/],
    [['rank', 'a.npy', '--seed'], /option '--seed <number>' argument missing/],
    [['rank', 'a.npy', '--k', '0'], /--k expects whole numbers of at least 1, separated by commas, got '0'/],
    [['rank', 'a.npy', '--k', '-3'], /--k expects .* got '-3'/],
    [['rank', 'a.npy', '--k', '5,x'], /--k expects .* got '5,x'/],
    [['rank', 'a.npy', '--k', '2.5'], /--k expects .* got '2.5'/],
    [['rank', 'a.npy', '--draws', '0'], /--draws expects a whole number of at least 1, got '0'/],
    [['rank', 'a.npy', '--draws', '1e3x'], /--draws expects .* got '1e3x'/],
    [['rank', 'a.npy', '--ranks', '-1'], /--ranks expects a whole number of at least 0, got '-1'/],
    [
      ['rank', 'a.npy', '--effort', 'great'],
      /--effort expects low, normal, high or a number of seconds above 0, got 'great'/,
    ],
    [['rank', 'a.npy', '--effort', '0'], /--effort expects .* got '0'/],
    [['rank', 'a.npy', '--seed', '-1'], /--seed expects a whole number of at least 0, got '-1'/],
    [
      ['rank', 'a.npy', '--rtol', 'float16'],
      /--rtol expects float32, float64 or a number between 0 and 1, got 'float16'/,
    ],
    [['rank', 'a.npy', '--rtol', '1'], /--rtol expects .* got '1'/],
    [['rank', 'a.npy', '--rtol', 'NaN'], /--rtol expects .* got 'NaN'/],
  ];
  for (const [args, expected] of cases) assert.match(await refusal(...args), expected);
});

test('each bad file gets one line that names it, and exit status 2', async () => {
  const withValue = async (name: string, value: number) => {
    const bad = rows.slice();
    bad[17 * d + 5] = value;
    await writeNpy(at(name), { data: bad, shape: [T, d] });
  };
  await withValue('nan.npy', NaN);
  await withValue('infinite.npy', -Infinity);
  writeFileSync(at('cut.npy'), readFileSync(at('rows.npy')).subarray(0, 1000));
  writeFileSync(at('empty.npy'), '');
  copyFileSync(at('rows.npy'), at('rows.dat'));
  copyFileSync(at('rows.npy'), at('rows.txt'));
  await writeNpy(at('cube.npy'), { data: new Float64Array(8), shape: [2, 2, 2] });
  writeFileSync(at('words.csv'), '1,2\n3,four\n');
  writeFileSync(at('ragged.csv'), '1,2\n3\n');
  writeFileSync(at('cut.safetensors'), readFileSync(at('model.safetensors')).subarray(0, 400));
  const cases: [string[], RegExp][] = [
    [[at('absent.npy')], /absent\.npy' cannot be read: there is no such file/],
    [[folder], /expected a \.npy, .*\.csv, .* or \.safetensors file, got '/],
    [[at('rows.dat')], /expected a \.npy, .*\.csv, .* or \.safetensors file, got '.*rows\.dat'/],
    [[at('rows.txt')], /rows\.txt': expected text, .*got binary data/],
    [[at('nan.npy')], /nan\.npy': expected finite numbers, .* got NaN in row 17, column 5/],
    [[at('infinite.npy')], /infinite\.npy': expected finite numbers, .* got infinity in row 17, column 5/],
    [[at('cut.npy')], /cut\.npy'/],
    [[at('empty.npy')], /empty\.npy'/],
    [[at('cube.npy')], /cube\.npy': expected a matrix \[T, d\].*\(2, 2, 2\)/],
    [[at('words.csv')], /words\.csv', line 2/],
    [[at('ragged.csv')], /ragged\.csv', line 2/],
    [[at('cut.safetensors'), '--tensor', 'queries'], /cut\.safetensors/],
    [[at('model.safetensors')], /expected one matrix, got 2 \(queries, half\); name one with --tensor/],
    [[at('model.safetensors'), '--tensor', 'keys'], /expected a tensor 'keys', got queries, bias, half/],
    [[at('model.safetensors'), '--tensor', 'bias'], /tensor 'bias': expected a matrix \[T, d\].*\[12\]/],
    [
      [at('rows.npy'), '--tensor', 'x'],
      /a tensor's name expects a \.safetensors or \.npz file, got '.*rows\.npy'; leave the name 'x' out/,
    ],
    [[at('rows.npy'), '--k', '5,13'], /--k expects at most 12, the 12 columns of '.*rows\.npy' \(60 x 12\), got 13/],
  ];
  for (const [args, expected] of cases) assert.match(await refusal('rank', ...args), expected);
  await writeNpy(at('flat.npy'), { data: rows.slice(0, 5 * d), shape: [5, d] });
  assert.match(await refusal('rank', at('flat.npy'), '--k', '6'), /--k expects at most 5, the 5 rows of .* got 6/);
});

test('numbers spaced more widely than the tolerance are noted, whatever they are kept in', async () => {
  const single = Float32Array.from(rows, Math.fround);
  await writeNpy(at('wide.npy'), { data: Float64Array.from(single), shape: [T, d] });
  const lines = (digits: number) =>
    Array.from({ length: T }, (_, t) => [...rows.slice(t * d, (t + 1) * d)].map((x) => x.toFixed(digits)).join(','));
  writeFileSync(at('four.csv'), lines(4).join('\n'));
  await writeNpy(at('whole.npy'), { data: Int32Array.from(rows, (x) => Math.round(100 * x)), shape: [T, d] });
  for (const [name, below] of [
    ['wide.npy', true],
    ['four.csv', true],
    ['whole.npy', false],
    ['rows.npy', false],
  ] as const) {
    const { status, stdout, stderr } = await attentionCapacity('rank', at(name), '--draws', '20', '--json');
    assert.equal(status, 0, stderr);
    const { belowResolution, notes = [] } = JSON.parse(stdout) as RankResult;
    assert.equal(belowResolution, below, name);
    assert.equal(/rounding alone raises ranks/.test(notes.join()), below);
    assert.equal(stderr, notes.map((text) => `note: ${text}\n`).join(''));
  }
});

test('a file larger than the memory is refused with the size that it needs', async (t) => {
  const file = openSync(at('huge.npy'), 'w');
  try {
    const header = formatHeader('float64', [2_000_000, 100_000]);
    writeSync(file, header);
    try {
      ftruncateSync(file, header.length + 8 * 2_000_000 * 100_000);
    } catch {
      return t.skip('this file system holds no sparse file of 1.6 TB');
    }
    assert.match(await refusal('rank', at('huge.npy')), /huge\.npy' needs 1\.6 TB of memory/);
  } finally {
    ftruncateSync(file, 0);
    closeSync(file);
  }
});

test('help and a refusal are answered at once, before TensorFlow is loaded', () => {
  for (const args of [['--help'], ['rank', '--help'], ['rank', at('rows.npy'), '--k', '0'], ['rank', at('none.npy')]]) {
    const listLoaded = `process.on('exit', () => console.log(JSON.stringify(Object.keys(require.cache))))`;
    const run = `process.argv.splice(1, Infinity, ...${JSON.stringify([bin, ...args])}); ${listLoaded}; require(${JSON.stringify(bin)})`;
    const { stdout } = spawnSync(process.execPath, ['-e', run], { encoding: 'utf8' });
    const loaded = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as string[];
    assert.ok(loaded.some((file) => file.includes('commander')));
    assert.deepEqual(
      loaded.filter((file) => file.includes('tensorflow')),
      [],
      args.join(' '),
    );
  }
});

test('Ctrl-C ends the work with status 130 and one line', async () => {
  // On a busy machine starting takes long: the work has begun when a short one has ended.
  const began = Date.now();
  await json('rank', at('rows.npy'), '--draws', '1');
  const started = Date.now() - began;
  const child = spawn(process.execPath, [bin, 'rank', at('rows.npy'), '--draws', '100000000', '--json']);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  setTimeout(() => child.kill('SIGINT'), 2 * started);
  assert.equal(await ended, 130, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, /^attention-capacity: interrupted[^\n]*\n$/);
});

test('a reader that leaves early is no failure', async () => {
  const child = spawn(process.execPath, [bin, 'rank', at('rows.npy'), '--draws', '50', '--curve', '--json']);
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (text) => (stderr += text));
  assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0, stderr);
  assert.equal(stderr, '');
});

test('numbers spaced more widely than the tolerance are noted, however they are kept', async () => {
  const kept = Float64Array.from(Float32Array.from(rows));
  await writeNpy(at('rounded.npy'), { data: kept, shape: [T, d] });
  const lines = (digits: number) =>
    Array.from({ length: T }, (_, i) =>
      Array.from(rows.subarray(i * d, (i + 1) * d), (value) => value.toPrecision(digits)).join(),
    ).join('\n');
  writeFileSync(at('digits.csv'), lines(4));
  writeFileSync(at('all.csv'), lines(17));
  for (const [file, isRounded] of [
    ['rounded.npy', true],
    ['digits.csv', true],
    ['rows32.npy', true],
    ['rows.npy', false],
    ['all.csv', false],
  ] as const) {
    const { stderr } = await attentionCapacity('rank', at(file), '--draws', '3', '--rtol', 'float64', '--json');
    assert.equal(/rounding alone raises ranks at the tolerance float64/.test(stderr), isRounded, `${file}: ${stderr}`);
  }
});
