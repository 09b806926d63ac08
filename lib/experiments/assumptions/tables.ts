import { MARGINS, PAPER_MARK, type AssumptionResult, type Statement } from './measure';
import type { FeatureLayer } from '../../models';
import { table, type Cell, type Row, type Table } from '../../report/display';
import { paperFinding, type PaperFinding } from '../paper';

export const statementTitles: Readonly<Record<Statement, string>> = {
  'general-position': 'General position (k = d)',
  A1: 'Assumption 1 (k = n)',
  A2: 'Assumption 2 (every context, rank n)',
  A3: 'Assumption 3 (e + mean E, k = n)',
};

/** The layers under test: sizes, and where their weights come from. */
export function systemTable(layers: readonly FeatureLayer[]): Table {
  return table(
    'systems',
    layers.map(({ name, title, n, d, heads, provenance }) => ({
      name,
      title,
      n,
      d,
      heads,
      weights: Object.entries(provenance)
        .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
        .join('; '),
    })),
    [
      { key: 'title', title: 'System' },
      { key: 'n', about: 'tokens of a context matrix' },
      { key: 'd', about: 'size of a token' },
      { key: 'heads', about: 'attention heads of the layer' },
      { key: 'weights', title: 'Weights' },
    ],
  );
}

/** Every result as one row of plain fields, the way other programs read it from `reports/01-assumptions.json`. */
export function assumptionRows(results: readonly AssumptionResult[]): Table {
  const rows = results.map((result) => ({
    system: result.system,
    statement: result.statement,
    images: result.images,
    precision: result.precision,
    rtol: result.rtol,
    k: result.k,
    draws: result.draws,
    satisfied: result.satisfied,
    fraction: result.fraction,
    refuted: result.refuted,
    ci95: result.ci95,
    ...rankRange(result),
    sigmaRatioMedian: result.margin?.median ?? null,
    tolerance: result.margin?.tolerance ?? null,
    seed: result.seed,
  }));
  return table(
    'assumptions',
    rows,
    [
      { key: 'system' },
      { key: 'statement' },
      { key: 'images' },
      { key: 'precision' },
      { key: 'k', format: 'integer' },
      { key: 'draws', format: 'integer', about: 'random subsets; for Assumption 2 the images tested' },
      { key: 'satisfied', format: 'integer' },
      { key: 'fraction', format: 'fraction' },
      { key: 'ci95', title: '95 % interval', format: 'fraction', about: 'Clopper–Pearson; nothing is sampled for A2' },
      {
        key: 'refuted',
        format: 'yes/no',
        about: 'at least one subset or context is a counter-example at this tolerance',
      },
      { key: 'rankMin', title: 'lowest rank', format: 'integer' },
      { key: 'rankMax', title: 'highest rank', format: 'integer' },
      { key: 'sigmaRatioMedian', title: 'σ_min/σ_max, median', format: 'scientific' },
      { key: 'tolerance', format: 'scientific', about: 'the ratio that counts as zero: max(k, d) · ε' },
    ],
    { title: 'All results' },
  );
}

/**
 * The paper's table: one row a system and statement, the paper's finding first, then ours at float32's tolerance and at
 * float64's. `results` may hold several precisions; those for other images than the first one's are left out.
 */
export function assumptionTable(results: readonly AssumptionResult[]): Table {
  const images = results[0]?.images;
  const chosen = results.filter((result) => result.images === images);
  const rows = [...new Set(chosen.map(({ system }) => system))].flatMap((system) =>
    chosen
      .filter((result) => result.system === system)
      .map(({ statement }) => statement)
      .filter((statement, index, all) => all.indexOf(statement) === index)
      .map((statement) => {
        const same = chosen.filter((result) => result.system === system && result.statement === statement);
        const [first] = same;
        return {
          system: first.title,
          statement: statementTitles[statement],
          k: first.k,
          paper: paperText(paperFinding(system, statement)),
          ...columnsOf(
            'float32',
            same.find(({ precision }) => precision === 'float32'),
          ),
          ...columnsOf(
            'float64',
            same.find(({ precision }) => precision === 'float64'),
          ),
        };
      }),
  );
  return table(
    'paper-table',
    rows,
    [
      { key: 'system', title: 'System' },
      { key: 'statement', title: 'Statement' },
      { key: 'k', format: 'integer' },
      { key: 'paper', title: 'Paper', about: 'the paper’s mark, share of 5000 draws, and ranks seen' },
      {
        key: 'float32 mark',
        title: 'float32',
        about: `✓ when at least ${PAPER_MARK} of the draws hold; ✓ but refuted when a witness is a proof against it`,
      },
      {
        key: 'float32 share',
        title: 'share',
        format: 'fraction',
        about: 'share of the draws of full rank at float32’s tolerance',
      },
      { key: 'float32 ranks', title: 'ranks', about: 'lowest and highest rank among the first 500 draws' },
      {
        key: 'float32 margin',
        title: 'margin',
        format: 'times',
        about: 'median of σ_min/σ_max over the ratio that counts as zero: above 1 passes',
      },
      { key: 'float64 mark', title: 'float64', about: 'the same, float64 features at float64’s tolerance' },
      { key: 'float64 share', title: 'share', format: 'fraction' },
      { key: 'float64 ranks', title: 'ranks' },
      { key: 'float64 margin', title: 'margin', format: 'times' },
    ],
    {
      title: `The paper’s table, ${images}`,
      note: `✓ and ✗ follow the paper: satisfied when at least ${PAPER_MARK} of the draws hold. “refuted” means that one of them is a counter-example: at that tolerance the statement, which speaks of every subset, is false. A share of 1 without a counter-example is an estimate, not a proof. Margin: median of σ_min/σ_max of up to ${MARGINS} subsets over the ratio that counts as zero.`,
    },
  );
}

function columnsOf(precision: string, result: AssumptionResult | undefined): Row {
  const cells: Record<string, Cell> = { mark: null, share: null, ranks: null, margin: null };
  if (result) {
    const { rankMin, rankMax } = rankRange(result);
    cells.mark = markText(result);
    cells.share = result.fraction;
    cells.ranks = rankMin === rankMax ? `${rankMin}` : `${rankMin}–${rankMax}`;
    cells.margin = result.margin && result.margin.median / result.margin.tolerance;
  }
  return Object.fromEntries(Object.entries(cells).map(([key, cell]) => [`${precision} ${key}`, cell]));
}

/** The paper's mark, and whether a counter-example was found in spite of it. */
export function markText({ fraction, refuted }: AssumptionResult): string {
  if (fraction < PAPER_MARK) return '✗';
  return refuted ? '✓ but refuted' : '✓';
}

function paperText(finding: PaperFinding | null): string {
  if (!finding) return '–';
  const { satisfied, fraction, ranks } = finding;
  const range = ranks && (ranks[0] === ranks[1] ? `rank ${ranks[0]}` : `ranks ${ranks[0]}–${ranks[1]}`);
  return [satisfied ? '✓' : '✗', fraction, range].filter((part) => part !== null).join(', ');
}

function rankRange({ ranks }: AssumptionResult): { rankMin: number; rankMax: number } {
  const values = Object.keys(ranks).map(Number);
  return { rankMin: Math.min(...values), rankMax: Math.max(...values) };
}
