/** The result of `attention-capacity rank`, as data and for people. */
import type { ExactMatrixFile } from '../data/files/read-matrix';
import { curveFall, type KruskalCurve, type KruskalTest, type Rtol } from '../rank';
import { tableText } from '../report/text';
import type { KruskalBounds } from '../rank/kruskal-bounds';

/** What `attention-capacity rank` prints; the contract stands in docs/json.md. */
export interface RankResult {
  readonly file: string;
  readonly shape: readonly [T: number, d: number];
  readonly dtype: ExactMatrixFile['dtype'];
  /** With --exact only. */
  readonly exact?: true;
  /** Null with --exact. */
  readonly rtol: Rtol | null;
  readonly seed: number;
  readonly precision: 'float64' | 'exact';
  /** The relative spacing of the file's numbers, and whether it is wider than the tolerance resolves; not with --exact. */
  readonly resolution?: number;
  readonly belowResolution?: boolean;
  /** What was left out or converted, and what to know about the verdicts. */
  readonly notes?: readonly string[];
  readonly tests: readonly RankTestResult[];
  readonly curve?: readonly Pick<KruskalCurve['points'][number], 'k' | 'undecided' | 'fraction' | 'ci95'>[];
  readonly kruskalRank?: Pick<KruskalBounds, 'atLeast' | 'atMost' | 'witness'> & {
    /** Present where the witness is not shown to be minimal. */
    readonly witnessMinimal?: false;
    /** Present where the search was interrupted. */
    readonly interrupted?: true;
    readonly relation?: readonly string[] | null;
  };
}

export interface RankTestResult extends Pick<
  KruskalTest,
  'k' | 'draws' | 'satisfied' | 'undecided' | 'fraction' | 'ci95' | 'tolerance' | 'ranks' | 'ranksDraws' | 'decidedBy'
> {
  readonly sigmaRatio: Pick<KruskalTest['sigmaRatio'], 'draws' | 'min' | 'median'>;
}

const OF_SINGULAR_VALUES = [
  { key: 'sigmaRatio', title: 'least sigma ratio', format: 'scientific' },
  { key: 'tolerance', format: 'scientific' },
] as const;

export function rankText(result: RankResult, bounds?: KruskalBounds): string {
  const { file, shape, dtype, rtol, seed, tests, curve } = result;
  const verdicts = rtol === null ? 'exact verdicts, without a tolerance' : `verdicts in float64 at tolerance ${rtol}`;
  const parts = [
    `${file}: ${shape[0]} rows of ${shape[1]} numbers, ${dtype}; ${verdicts}, seed ${seed}`,
    tableText({
      columns: [
        { key: 'k' },
        { key: 'draws' },
        { key: 'satisfied', title: 'independent' },
        { key: 'fraction', format: 'fraction' },
        { key: 'ci95', title: '95 %', format: 'fraction' },
        { key: 'ranks' },
        ...(rtol === null ? [] : OF_SINGULAR_VALUES),
      ],
      rows: tests.map(testRow),
    }),
  ];
  for (const { k, draws, undecided } of tests) {
    if (undecided > 0) {
      parts.push(
        `k = ${k}: ${undecided} of ${draws} subsets are undecided, so near is their smallest singular value to the tolerance; ` +
          `they count neither as independent nor as dependent`,
      );
    }
  }
  if (curve) parts.push(curveText(curve));
  if (bounds) parts.push(boundsText(bounds));
  return parts.join('\n\n');
}

function testRow({ k, draws, satisfied, fraction, ci95, ranks, sigmaRatio, tolerance }: RankTestResult) {
  const seen = Object.keys(ranks).map(Number);
  const [least, most] = [Math.min(...seen), Math.max(...seen)];
  const span = seen.length === 0 ? 'undecided' : least === most ? `${least}` : `${least} to ${most}`;
  return { k, draws, satisfied, fraction, ci95, ranks: span, sigmaRatio: sigmaRatio.min, tolerance };
}

function curveText(curve: NonNullable<RankResult['curve']>): string {
  const { allUpTo, halfUpTo, someUpTo } = curveFall(curve);
  return `every k at once: all subsets tried are independent up to k = ${allUpTo}, half of them up to ${halfUpTo}, some up to ${someUpTo}`;
}

function boundsText({ atLeast, atMost, witness, witnessMinimal, certificates, notes }: KruskalBounds): string {
  const proved =
    atLeast === atMost
      ? `Kruskal rank, proved: ${atLeast}`
      : `Kruskal rank, proved: at least ${atLeast}, at most ${atMost}`;
  return [
    proved,
    ...(witness
      ? [
          `  ${witnessMinimal ? 'minimal dependent set' : 'dependent set, perhaps not minimal'} (rows from 0): ${rowsText(witness)}`,
        ]
      : []),
    ...certificates.map(({ bound, value, argument }) => `  ${bound === 'atLeast' ? '>=' : '<='} ${value}: ${argument}`),
    ...notes.map((text) => `  not decided: ${text}`),
  ].join('\n');
}

/** All rows of a small set, the first rows of a large one. */
function rowsText(rows: readonly number[]): string {
  const most = 24;
  if (rows.length <= most) return rows.join(', ');
  return `${rows.slice(0, most).join(', ')}, … (${rows.length} rows; --json lists them all)`;
}
