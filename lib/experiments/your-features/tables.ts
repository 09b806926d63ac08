import { curveFall, type KruskalTest } from '../../rank';
import type { FeatureAnalysis, VerdictsAtTolerance, YourFeatures } from './measure';
import { rangeText, rankRange } from '../tables';
import { type Cell, type Row, table, type Table } from '../../report/display';
import { formatNumber } from '../../report/format';

/** A witness of more rows than this is shown by its size; all its rows are in the data. */
const ROWS_SHOWN = 12;
const FILES_NAMED = 8;

/** What was read: size, type, norms, rows that repeat. */
export function featureTable({ features, summary }: FeatureAnalysis): Table {
  const { origin, shape, dtype, skipped } = features;
  const { norms, zeroRows, repeatedRows, meanShare, resolution } = summary;
  return table(
    'features',
    [
      {
        origin,
        T: shape[0],
        d: shape[1],
        dtype,
        resolution,
        norms: `${formatNumber(norms.min)} to ${formatNumber(norms.max)}`,
        normMin: norms.min,
        normMedian: norms.median,
        normMax: norms.max,
        meanShare,
        zeroRows: zeroRows.length,
        repeatedRows: repeatedRows.length,
        skipped: skipped.length,
      },
    ],
    [
      { key: 'origin', title: 'Vectors', about: 'where they come from' },
      { key: 'T', format: 'integer', about: 'rows: vectors' },
      { key: 'd', format: 'integer', about: 'columns: entries of a vector' },
      { key: 'dtype', title: 'kept as', about: 'type of the numbers in the file' },
      { key: 'resolution', title: 'spacing', format: resolutionText, about: 'how finely the numbers are spaced' },
      { key: 'norms', about: 'smallest and largest norm of a row' },
      { key: 'normMedian', title: 'median', about: 'of the norms' },
      { key: 'meanShare', title: 'share of the mean', format: 'fraction', about: 'of the squared norm; 1: equal rows' },
      { key: 'zeroRows', title: 'zero rows', format: 'integer', about: 'rows of zeros only' },
      { key: 'repeatedRows', title: 'repeated rows', format: 'integer', about: 'rows that equal an earlier one' },
    ],
    { title: 'What was read', note: skippedText(features) },
  );
}

/** Which files of a folder were left out, and why; undefined where all were read. */
function skippedText({ skipped }: YourFeatures): string | undefined {
  if (skipped.length === 0) return undefined;
  const named = skipped.slice(0, FILES_NAMED).map(({ file, reason }) => `${file} (${reason})`);
  const more = skipped.length > named.length ? ` and ${skipped.length - named.length} more` : '';
  return `Left out: ${named.join(', ')}${more}.`;
}

/** Spacing of the numbers in words. */
export function resolutionText(resolution: Cell): string {
  const known: Readonly<Record<string, string>> = {
    [2 ** -52]: 'as float64',
    [2 ** -23]: 'as float32',
    [2 ** -10]: 'as float16',
    [2 ** -7]: 'as bfloat16',
    0: 'whole numbers',
  };
  return known[String(resolution)] ?? formatNumber(Number(resolution), 'scientific');
}

/** Numerical rank of all rows together. */
export function numericalRankTable({ features, spectrum, verdicts }: FeatureAnalysis): Table {
  const most = Math.min(...features.shape);
  return table(
    'numerical-rank',
    verdicts.map(({ rtol, tolerance, rank, belowResolution }) => ({
      rtol,
      tolerance,
      rank,
      most,
      sigmaMax: spectrum[0],
      sigmaRatio: spectrum[0] === 0 ? 0 : spectrum[most - 1] / spectrum[0],
      belowResolution,
    })),
    [
      { key: 'rtol', title: 'at the tolerance of', about: 'the precision whose tolerance is meant' },
      { key: 'tolerance', title: 'zero below', format: 'scientific', about: 'ratio to σ_max: max(T, d) · ε' },
      { key: 'rank', title: 'rank', format: 'integer', about: 'singular values above it' },
      { key: 'most', title: 'of min(T, d)', format: 'integer', about: 'the largest possible rank' },
      { key: 'sigmaMax', title: 'σ_max', about: 'the largest singular value' },
      { key: 'sigmaRatio', title: 'σ_min/σ_max', format: 'scientific', about: 'of all rows together' },
      { key: 'belowResolution', title: 'finer than the numbers', about: FINER },
    ],
    { title: 'Rank of all rows together' },
  );
}

const FINER = 'yes: the rounding of the numbers alone makes rows look independent at this tolerance';

/** Random subsets: estimates, and refutations by example. */
export function subsetTestTable({ verdicts }: FeatureAnalysis): Table {
  return table(
    'subset-tests',
    verdicts.flatMap(({ rtol, tests, belowResolution }) =>
      tests.map((test): Row => {
        const { k, draws, satisfied, fraction, ci95, sigmaRatio, tolerance, seed } = test;
        const range = rankRange(test.ranks);
        return {
          k,
          rtol,
          draws,
          satisfied,
          independent: `${satisfied} of ${draws}`,
          fraction,
          ci95,
          ranks: rangeText(range),
          rankMin: range[0],
          rankMax: range[1],
          sigmaRatioMedian: sigmaRatio.median,
          tolerance,
          margin: sigmaRatio.median / tolerance,
          says: testSays(test, belowResolution),
          witness: test.witness && test.witness.rows,
          seed,
        };
      }),
    ),
    [
      { key: 'k', format: 'integer', about: 'size of the subsets' },
      { key: 'rtol', title: 'tolerance of', about: 'the precision whose tolerance is meant' },
      { key: 'independent', about: 'subsets, of those drawn' },
      {
        key: 'ci95',
        title: '95 % interval',
        format: 'fraction',
        about: 'of the share of all subsets (Clopper–Pearson)',
      },
      { key: 'ranks', about: 'lowest and highest rank seen' },
      { key: 'margin', about: 'median of σ_min/σ_max of 20 subsets over the ratio that counts as zero' },
      { key: 'says', title: 'what it says', about: 'about all subsets of this size' },
    ],
    {
      title: 'Random subsets of k rows',
      note: 'One dependent subset proves that the Kruskal rank at that tolerance is below k. Independent ones are a sample: they estimate how many of all subsets are.',
    },
  );
}

function testSays({ witness, ci95 }: KruskalTest, belowResolution: boolean): string {
  if (witness !== null) return 'proved: Kruskal rank below k';
  if (belowResolution) return 'nothing: rounding alone does this';
  return `estimated: at least ${formatNumber(ci95[0], 'percent')} are independent`;
}

/** The largest k with all subsets independent, with half of them, with any. */
export function curveFallTable({ verdicts }: FeatureAnalysis): Table {
  return table(
    'curve',
    verdicts.map(({ rtol, curve: { permutations, seed, points }, belowResolution }) => {
      return { rtol, permutations, seed, ...curveFall(points), belowResolution };
    }),
    [
      { key: 'rtol', title: 'at the tolerance of', about: 'the precision whose tolerance is meant' },
      { key: 'permutations', format: 'integer', about: 'random orders of the rows' },
      { key: 'allUpTo', title: 'all independent up to k', format: 'integer', about: 'of the subsets drawn' },
      { key: 'halfUpTo', title: 'half up to k', format: 'integer', about: 'of the subsets drawn' },
      { key: 'someUpTo', title: 'any up to k', format: 'integer', about: 'of the subsets drawn' },
      { key: 'belowResolution', title: 'finer than the numbers', about: FINER },
    ],
    { title: 'Where the curve falls', note: 'Estimated: the subsets are prefixes of random permutations of the rows.' },
  );
}

/** What is certain about the Kruskal rank, and apart from it what the sample suggests. */
export function kruskalBoundsTable({ features, verdicts }: FeatureAnalysis): Table {
  return table(
    'kruskal-rank',
    verdicts.map(({ rtol, bounds, curve, belowResolution }) => ({
      rtol,
      atLeast: bounds.atLeast,
      atMost: bounds.atMost,
      witness: bounds.witness,
      witnessNames: witnessNames(features, bounds.witness),
      witnessText: witnessText(features, bounds.witness),
      witnessRatio: bounds.witnessSigma && bounds.witnessSigma.ratio,
      witnessTolerance: bounds.witnessSigma && bounds.witnessSigma.tolerance,
      estimate: Math.min(...curve.lengths),
      belowResolution,
    })),
    [
      { key: 'rtol', title: 'at the tolerance of', about: 'the precision whose tolerance is meant' },
      {
        key: 'atLeast',
        title: 'certified: at least',
        format: 'integer',
        about: 'all sets of this size are independent',
      },
      { key: 'atMost', title: 'proved: at most', format: 'integer', about: 'the witness, or min(T, d)' },
      { key: 'witnessText', title: 'witness', about: 'a minimal dependent set; row numbers count from 0' },
      { key: 'witnessRatio', title: 'its σ_min/σ_max', format: 'scientific', about: 'by an SVD in float64' },
      { key: 'estimate', title: 'sample: none failed up to', format: 'integer', about: 'in k; an estimate, no bound' },
    ],
    { title: 'The Kruskal rank' },
  );
}

function witnessNames({ rowNames }: YourFeatures, witness: readonly number[] | null): string | null {
  return rowNames && witness && witness.map((row) => rowNames[row]).join(', ');
}

/** The rows of a dependent set, by name where they have one. */
export function witnessText({ rowNames }: YourFeatures, witness: readonly number[] | null): string {
  if (witness === null) return 'none found';
  if (witness.length > ROWS_SHOWN) return `${witness.length} rows`;
  const named = witness.map((row) => (rowNames ? `${row} (${rowNames[row]})` : `${row}`));
  return `${witness.length === 1 ? 'row' : 'rows'} ${named.join(', ')}`;
}

/** Every bound that was proved, by what argument, and what was tried without success. */
export function certificateTable({ verdicts }: FeatureAnalysis): Table {
  return table(
    'certificates',
    verdicts.flatMap(({ rtol, bounds }: VerdictsAtTolerance) => [
      ...bounds.certificates.map(({ bound, value, argument }) => ({
        rtol,
        bound: bound === 'atLeast' ? 'at least' : 'at most',
        value,
        argument,
      })),
      ...bounds.notes.map((argument) => ({ rtol, bound: 'not decided', value: null, argument })),
    ]),
    [
      { key: 'rtol', title: 'at the tolerance of', about: 'the precision whose tolerance is meant' },
      { key: 'bound', title: 'Kruskal rank', about: 'which side of it is bounded' },
      { key: 'value', title: 'k', format: 'integer', about: 'the bound' },
      { key: 'argument', title: 'because', about: 'the proof, or why there is none' },
    ],
    { title: 'Why these bounds hold', group: 'rtol' },
  );
}
