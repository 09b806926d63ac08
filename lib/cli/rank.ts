import type { Command } from 'commander';
import { InputError } from '../input-error';
import type { Interrupted } from '../work';
import { defaultOperations } from '../rank/search/bounds';
import type { MatrixFile } from '../data';
import type { KruskalPoint, Rtol } from '../rank';
import type { KruskalBounds } from '../rank/kruskal-bounds';
import { tolerance, wholeNumber, wholeNumbers } from './arguments';
import { note, print, printJson } from './output';
import type { RankResult, RankTestResult } from './rank-text';

interface RankOptions {
  readonly k?: readonly number[];
  readonly draws: number;
  readonly ranks: number;
  readonly seed: number;
  readonly rtol?: Rtol;
  readonly exact?: true;
  readonly tensor?: string;
  readonly curve?: true;
  readonly search?: true;
  readonly effort: Effort;
  readonly json?: true;
}

interface RankOutcome {
  readonly result: RankResult;
  readonly bounds?: KruskalBounds;
  /** The search was interrupted: its bounds are what was proved until then. */
  readonly interrupted?: Interrupted;
}

/** How long the search may take: as a matrix of its size is worth, a tenth or ten times that, or so many seconds. */
type Effort = 'low' | 'normal' | 'high' | number;

/** Multiplications in a second on one core, as the search counts them. */
const OPERATIONS_PER_SECOND = 1e9;

/** `attention-capacity rank FILE`. */
export function register(program: Command): void {
  program
    .command('rank')
    .description('test the Kruskal rank of the rows of a matrix: are every k of them linearly independent?')
    .argument('<file>', 'T x d numbers: .npy, .npz, .csv, .tsv, .txt or .safetensors')
    .option('--k <sizes>', 'sizes of the subsets, e.g. 197,768 (default: min(T, d))', wholeNumbers('--k', 1))
    .option(
      '--draws <count>',
      'random subsets of each size; with --curve, permutations',
      wholeNumber('--draws', 1),
      5000,
    )
    .option(
      '--ranks <count>',
      'how many of them, from the first on, the histogram of ranks covers',
      wholeNumber('--ranks', 0),
      500,
    )
    .option('--seed <number>', 'seed of the random subsets', wholeNumber('--seed', 0), 0)
    .option('--rtol <ratio>', "float32, float64 or a number (default: the file's own)", tolerance('--rtol'))
    .option('--exact', 'linear independence over the rationals, without a tolerance')
    .option('--tensor <name>', 'which tensor of a .safetensors or .npz file')
    .option('--curve', 'the fraction of independent subsets for every k')
    .option('--search', 'bounds that hold for every subset: certificates and a witness')
    .option('--effort <size>', 'of the search: low, normal, high or seconds', effort, 'normal')
    .option('--json', 'print one JSON document')
    .action(rank);
}

function effort(text: string): Effort {
  if (text === 'low' || text === 'normal' || text === 'high') return text;
  const seconds = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : NaN;
  if (seconds > 0 && seconds < Infinity) return seconds;
  throw new InputError(`--effort expects low, normal, high or a number of seconds above 0, got '${text}'`);
}

/** Counted, not timed, so that the same effort finds the same bounds on any machine. */
function operationsOf(size: Effort, [T, d]: readonly [number, number]): number {
  if (typeof size === 'number') return size * OPERATIONS_PER_SECOND;
  return defaultOperations(T, d) * { low: 0.1, normal: 1, high: 10 }[size];
}

/** The bounds that a search finds, or what it had when it was interrupted. */
async function searched(search: () => Promise<KruskalBounds>): Promise<Omit<RankOutcome, 'result'>> {
  try {
    return { bounds: await search() };
  } catch (error) {
    const { KruskalSearchInterrupted } = await import('../rank/kruskal-bounds.js');
    if (!(error instanceof KruskalSearchInterrupted)) throw error;
    return { bounds: error.bounds, interrupted: error };
  }
}

async function rank(file: string, options: RankOptions): Promise<void> {
  const outcome = options.exact ? await rankExactly(file, options) : await rankAtTolerance(file, options);
  const { result, bounds, interrupted } = outcome;
  if (options.json) {
    printJson(result);
    for (const { bound, value, argument } of bounds?.certificates ?? []) note(`${bound} ${value}: ${argument}`);
    for (const text of bounds?.notes ?? []) note(text);
  } else {
    const { rankText } = await import('./rank-text.js');
    print(rankText(result, bounds));
  }
  if (interrupted) throw interrupted;
}

async function rankAtTolerance(file: string, options: RankOptions): Promise<RankOutcome> {
  const { readMatrixFile } = await import('../data/files/read-matrix.js');
  const matrix = await readMatrixFile(file, { tensor: options.tensor });
  const { draws, seed } = options;
  const rtol = options.rtol ?? matrix.dtype;
  const sizes = sizesOf(options, matrix.shape, file);
  const { resolutionOf } = await import('../rank/resolution.js');
  const resolution = resolutionOf(matrix.data);
  const belowResolution = isBelow(rtol, resolution, matrix);
  const notes = [...(matrix.notes ?? []), ...(belowResolution ? [roundingNote(file, rtol, resolution)] : [])];
  for (const text of notes) note(text);
  const { kruskalCurve, testKruskalRank } = await import('../rank/index.js');
  const { searchKruskalRank } = await import('../rank/kruskal-bounds.js');
  const { showProgress } = await import('../report/progress.js');
  showProgress();
  const tests: RankTestResult[] = [];
  const known: (readonly number[])[] = [];
  for (const k of sizes) {
    const test = await testKruskalRank(matrix, { k, draws, seed, rtol, ranksDraws: options.ranks });
    tests.push(testResult(test));
    if (test.witness) known.push(test.witness.rows);
  }
  const curve = options.curve && (await kruskalCurve(matrix, { permutations: draws, seed, rtol }));
  const operations = operationsOf(options.effort, matrix.shape);
  const { bounds, interrupted } = options.search
    ? await searched(() => searchKruskalRank(matrix, { rtol, seed, known, operations }))
    : {};
  const result: RankResult = {
    file,
    shape: matrix.shape,
    dtype: matrix.dtype,
    rtol,
    seed,
    precision: 'float64',
    resolution,
    belowResolution,
    notes,
    tests,
    ...(curve && { curve: curveResult(curve.points) }),
    ...(bounds && {
      kruskalRank: {
        atLeast: bounds.atLeast,
        atMost: bounds.atMost,
        witness: bounds.witness,
        ...perhapsNotMinimal(bounds),
        ...(interrupted && { interrupted: true }),
      },
    }),
  };
  return { result, bounds, interrupted };
}

/** A witness is minimal unless the document says that it may not be. */
function perhapsNotMinimal({ witnessMinimal }: KruskalBounds): { witnessMinimal?: false } {
  return witnessMinimal === false ? { witnessMinimal } : {};
}

/** Without a tolerance singular values are not looked at. */
const NO_RATIOS = { draws: 0, min: NaN, median: NaN };

/** `rank FILE --exact`. */
async function rankExactly(file: string, options: RankOptions): Promise<RankOutcome> {
  if (options.rtol !== undefined) {
    throw new InputError(`--exact expects no tolerance, got --rtol ${options.rtol}; leave one of them out`);
  }
  const { readExactMatrix } = await import('../data/files/read-matrix.js');
  const { values, shape, dtype, notes = [] } = await readExactMatrix(file, { tensor: options.tensor });
  for (const text of notes) note(text);
  const { draws, seed } = options;
  const sizes = sizesOf(options, shape, file);
  if (dtype === 'float64' && file.toLowerCase().endsWith('.csv')) {
    note(`'${file}' holds decimals, and each stands for the float64 next to it: 0.3 is not exactly 3 times 0.1`);
  }
  const { exactKruskalCurve, testExactKruskalRank } = await import('../rank/exact-test.js');
  const { rationalRows } = await import('../rank/exact/rational-rows.js');
  const { searchExactKruskalRank } = await import('../rank/kruskal-bounds.js');
  const { showProgress } = await import('../report/progress.js');
  showProgress();
  const rows = rationalRows(values, shape);
  const tests: RankTestResult[] = [];
  const known: (readonly number[])[] = [];
  for (const k of sizes) {
    const test = await testExactKruskalRank(rows, { k, draws, seed });
    tests.push(testResult({ ...test, undecided: 0, tolerance: 0, sigmaRatio: NO_RATIOS }));
    if (test.witness) known.push(test.witness);
  }
  const curve = options.curve && (await exactKruskalCurve(rows, { permutations: draws, seed }));
  const operations = operationsOf(options.effort, shape);
  const { bounds, interrupted } = options.search
    ? await searched(() => searchExactKruskalRank(rows, { seed, known, operations }))
    : {};
  const result: RankResult = {
    file,
    shape,
    dtype,
    exact: true,
    rtol: null,
    seed,
    precision: 'exact',
    tests,
    ...(curve && { curve: curveResult(curve) }),
    ...(bounds && {
      kruskalRank: {
        atLeast: bounds.atLeast,
        atMost: bounds.atMost,
        witness: bounds.witness,
        ...perhapsNotMinimal(bounds),
        ...(interrupted && { interrupted: true }),
        relation: bounds.relation?.map(String) ?? null,
      },
    }),
  };
  return { result, bounds, interrupted };
}

function curveResult(points: readonly KruskalPoint[]): RankResult['curve'] {
  return points.map(({ k, undecided, fraction, ci95 }) => ({ k, undecided, fraction, ci95 }));
}

function testResult(test: RankTestResult): RankTestResult {
  const { k, draws, satisfied, undecided, fraction, ci95, tolerance, ranks, ranksDraws, decidedBy } = test;
  const { draws: of, min, median } = test.sigmaRatio;
  const sigmaRatio = { draws: of, min, median };
  return { k, draws, satisfied, undecided, fraction, ci95, tolerance, ranks, ranksDraws, decidedBy, sigmaRatio };
}

function sizesOf({ k }: RankOptions, [T, d]: MatrixFile['shape'], file: string): readonly number[] {
  const most = Math.min(T, d);
  const bad = k?.find((size) => size > most);
  if (bad === undefined) return k ?? [most];
  const limit = T < d ? `the ${T} rows` : `the ${d} columns`;
  throw new InputError(`--k expects at most ${most}, ${limit} of '${file}' (${T} x ${d}), got ${bad}`);
}

/** Whether the numbers are spaced more widely than the tolerance resolves: then their rounding alone fills small singular values. */
function isBelow(rtol: Rtol, resolution: number, { shape: [, d] }: MatrixFile): boolean {
  return typeof rtol === 'number' ? rtol < d * resolution : resolution > 2 ** (rtol === 'float32' ? -23 : -52);
}

function roundingNote(file: string, rtol: Rtol, resolution: number): string {
  const spacing = resolution.toExponential(0);
  return (
    `'${file}' holds numbers with a relative spacing of ${spacing}, and their rounding alone raises ranks at the tolerance ` +
    `${rtol}: a full rank there says little`
  );
}
