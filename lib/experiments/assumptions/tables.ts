import { MARGINS, type AssumptionResult, type Statement } from './measure';
import { PAPER_DRAWS, PAPER_MARK, paperFinding, paperMark, type PaperFinding } from '../paper';
import { provenanceText, rangeText, rankRange } from '../tables';
import type { FeatureLayer } from '../../models';
import { table, type Cell, type Row, type Table } from '../../report/display';
import { groupBy } from '../../statistics';
import type { Precision } from '../../tensor';

/** What the statements are called in sentences, in tables, and in figures. */
export const statements: Readonly<Record<Statement, { name: string; title: string; short: string }>> = {
  'general-position': { name: 'general position', title: 'General position (k = d)', short: 'k = d' },
  A1: { name: 'Assumption 1', title: 'Assumption 1 (k = n)', short: 'A1' },
  A2: { name: 'Assumption 2', title: 'Assumption 2 (every context, rank n)', short: 'A2' },
  A3: { name: 'Assumption 3', title: 'Assumption 3 (e + mean E, k = n)', short: 'A3' },
};

/** Median sigma_min / sigma_max over the ratio that counts as zero: above 1 a subset passes. Null for A2. */
export function marginOf({ margin }: AssumptionResult): number | null {
  return margin && margin.median / margin.tolerance;
}

/** The paper's mark, and whether a counter-example was found in spite of it. */
export function markText({ ci95, refuted }: AssumptionResult): string {
  const mark = paperMark({ ci95 });
  if (mark !== 'holds') return mark === 'fails' ? '✗' : '? undecided';
  return refuted ? '✓ but refuted' : '✓';
}

/** The layers under test: sizes, and where their weights come from. */
export function systemTable(layers: readonly FeatureLayer[]): Table {
  return table(
    'systems',
    layers.map(({ name, title, n, d, heads, provenance }) => {
      return { name, title, n, d, heads, weights: provenanceText(provenance) };
    }),
    [
      { key: 'title', title: 'System', about: 'the layer whose query vectors and contexts are tested' },
      { key: 'n', about: 'tokens of a context matrix' },
      { key: 'd', about: 'size of a token' },
      { key: 'heads', about: 'attention heads of the layer' },
      { key: 'weights', title: 'Weights', about: 'where they come from' },
    ],
    { title: 'The layers under test' },
  );
}

/** Every result as one row of plain fields, the way other programs read it from `reports/01-assumptions.json`. */
export function assumptionRows(results: readonly AssumptionResult[]): Table {
  const rows = results.map((result) => {
    const { system, statement, examples, precision, rtol, k, draws, satisfied, fraction, refuted, ci95, seed } = result;
    const [rankMin, rankMax] = rankRange(result.ranks);
    const [sigmaRatioMedian, tolerance] = [result.margin?.median ?? null, result.margin?.tolerance ?? null];
    const verdict = { system, statement, images: examples, precision, rtol, k, draws, satisfied, fraction, refuted };
    return { ...verdict, T: result.exampleCount, ci95, rankMin, rankMax, sigmaRatioMedian, tolerance, seed };
  });
  return table(
    'assumptions',
    rows,
    [
      { key: 'system', about: 'the layer, by its name in the data' },
      { key: 'statement', about: 'A1 to A3: the paper’s assumptions' },
      { key: 'images', title: 'examples', about: 'the set of images or passages' },
      { key: 'precision', about: 'of the features and of the tolerance' },
      { key: 'T', format: 'integer', about: 'examples whose query vectors, or contexts (A2 and A3), were tested' },
      { key: 'k', format: 'integer', about: 'size of the subsets' },
      { key: 'draws', format: 'integer', about: 'random subsets; for Assumption 2 the examples tested' },
      { key: 'satisfied', format: 'integer', about: 'draws of full rank' },
      { key: 'fraction', format: 'fraction', about: 'their share' },
      { key: 'ci95', title: '95 % interval', format: 'fraction', about: 'Clopper–Pearson; nothing is sampled for A2' },
      { key: 'refuted', about: 'at least one subset or context is a counter-example at this tolerance' },
      { key: 'rankMin', title: 'lowest rank', format: 'integer', about: 'among the first draws' },
      { key: 'rankMax', title: 'highest rank', format: 'integer', about: 'among the first draws' },
      { key: 'sigmaRatioMedian', title: 'σ_min/σ_max, median', format: 'scientific', about: 'of some draws' },
      { key: 'tolerance', format: 'scientific', about: 'the ratio that counts as zero: max(k, d) · ε' },
    ],
    { title: 'All results', group: 'system' },
  );
}

/**
 * The paper's table: one row per system and statement, the paper's finding first, then ours at float32's tolerance and at
 * float64's. `results` may hold several precisions; those for other images than the first one's are left out.
 */
export function assumptionTable(results: readonly AssumptionResult[]): Table {
  const examples = results[0]?.examples;
  const chosen = results.filter((result) => result.examples === examples);
  const rows = [...groupBy(chosen, ({ system, statement }) => `${system} ${statement}`).values()].map((same): Row => {
    const [{ system, title, statement, k }] = same;
    const paper = paperText(paperFinding(system, statement));
    const about = { system: title, statement: statements[statement].title, k, examples: examplesText(same), paper };
    return { ...about, ...columnsOf('float32', same), ...columnsOf('float64', same) };
  });
  return table(
    'paper-table',
    rows,
    [
      { key: 'system', title: 'System' },
      { key: 'statement', title: 'Statement', about: 'general position and the paper’s assumptions' },
      { key: 'k', format: 'integer', about: 'size of the subsets, n or d' },
      {
        key: 'examples',
        title: 'T',
        about: 'examples whose query vectors, or contexts (Assumptions 2 and 3), were tested',
      },
      { key: 'paper', title: 'Paper', about: `the paper’s mark, share of ${PAPER_DRAWS} draws, and ranks seen` },
      {
        key: 'float32 mark',
        title: 'float32',
        about: `✓ when at least ${PAPER_MARK} of the draws pass; ✓ but refuted when a witness is a proof against it`,
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
        about: 'median of σ_min/σ_max over the ratio that counts as zero: above 1 passes',
      },
      { key: 'float64 mark', title: 'float64', about: 'the same, float64 features at float64’s tolerance' },
      { key: 'float64 share', title: 'share', format: 'fraction', about: 'the same at float64’s tolerance' },
      { key: 'float64 ranks', title: 'ranks', about: 'the same at float64’s tolerance' },
      { key: 'float64 margin', title: 'margin', about: 'the same at float64’s tolerance' },
    ],
    {
      title: `The paper’s table, ${examples}`,
      group: 'system',
      note: `✓ and ✗ follow the paper: satisfied when at least ${PAPER_MARK} of the draws pass. “undecided”: the 95 % interval of the share holds ${PAPER_MARK}. “refuted” means that one of them is a counter-example: at that tolerance the statement, which speaks of every subset, is false. A share of 1 without a counter-example is an estimate, not a proof. Margin: median of σ_min/σ_max of up to ${MARGINS} subsets over the ratio that counts as zero.`,
    },
  );
}

/** How many examples were tested, in both precisions where they differ. */
function examplesText(results: readonly AssumptionResult[]): Cell {
  const [first, ...others] = results;
  if (others.every(({ exampleCount }) => exampleCount === first.exampleCount)) return first.exampleCount;
  return results.map(({ exampleCount, precision }) => `${exampleCount} in ${precision}`).join(', ');
}

function columnsOf(precision: Precision, results: readonly AssumptionResult[]): Row {
  const result = results.find((one) => one.precision === precision);
  const cells: Record<string, Cell> = {
    mark: result ? markText(result) : null,
    share: result ? result.fraction : null,
    ranks: result ? rangeText(rankRange(result.ranks)) : null,
    margin: result ? marginOf(result) : null,
  };
  return Object.fromEntries(Object.entries(cells).map(([key, cell]) => [`${precision} ${key}`, cell]));
}

function paperText(finding: PaperFinding | null): string {
  if (!finding) return '–';
  const { satisfied, fraction, ranks } = finding;
  const range = ranks && `${ranks[0] === ranks[1] ? 'rank' : 'ranks'} ${rangeText(ranks)}`;
  return [satisfied ? '✓' : '✗', fraction, range].filter((part) => part !== null).join(', ');
}
