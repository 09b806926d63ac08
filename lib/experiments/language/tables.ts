/** Language models, one row per layer. */
import type { LanguageSystem } from './measure';
import type { AssumptionResult, Statement } from '../assumptions/measure';
import { marginOf } from '../assumptions/tables';
import { paperLanguage } from '../paper';
import { provenanceText, rangeText, rankRange } from '../tables';
import { table, type Column, type Row, type Table } from '../../report/display';
import { bySystem } from '../../report/panels';
import type { Precision } from '../../tensor';

/** The models under test. */
export function languageModelTable(systems: readonly LanguageSystem[]): Table {
  return table(
    'language-models',
    systems.map(({ model: { title, architecture, config, provenance }, n, layers }) => ({
      title,
      query: architecture.query === 'first' ? '[CLS]' : 'last token',
      n,
      d: config.hiddenSize,
      heads: config.heads,
      blocks: `${layers.length - 1} of ${config.depth}`,
      weights: provenanceText(provenance),
    })),
    [
      { key: 'title', title: 'Model' },
      { key: 'query', title: 'Query vector', about: 'the token whose vector is the query' },
      { key: 'n', about: 'tokens of a passage' },
      { key: 'd', about: 'size of a token' },
      { key: 'heads', about: 'attention heads of a block' },
      { key: 'blocks', about: 'blocks looked at' },
      { key: 'weights', title: 'Weights', about: 'where they come from' },
    ],
    { title: 'The models under test' },
  );
}

/** One row per layer: general position and Assumptions 1 and 2 at float32's tolerance, then at float64's. */
export function languageTable(results: readonly AssumptionResult[]): Table {
  const precisions = ['float32', 'float64'] as const;
  const rows = bySystem(results).map((same): Row => {
    const [{ system, title, n, d }] = same;
    const cells = precisions.map((precision) => cellsOf(same, precision));
    return { system: title, n, d, ...cells[0], ...cells[1], paper: paperText(paperLanguage(system)) };
  });
  const columns = precisions.flatMap((precision): Column[] => [
    {
      key: `${precision} A1`,
      title: `${precision}: k = n`,
      format: 'fraction',
      about: 'share of n-subsets that are independent',
    },
    { key: `${precision} A1 margin`, title: 'margin', about: 'median of σ_min/σ_max over what counts as zero' },
    { key: `${precision} d`, title: 'k = d', format: 'fraction', about: 'share of independent d-subsets' },
    { key: `${precision} d margin`, title: 'margin', about: 'the same for k = d' },
    { key: `${precision} ranks`, title: 'ranks at k = d', about: 'lowest and highest rank of a d-subset' },
    { key: `${precision} A2`, title: 'contexts of rank n', format: 'fraction', about: 'share of the passages' },
  ]);
  // The paper's models are too large for what set-up fetches.
  const paper = rows.some((row) => row.paper !== null) ? [{ key: 'paper', title: 'Paper' }] : [];
  return table('language-table', rows, [{ key: 'system', title: 'Layer' }, ...paper, ...columns], {
    title: 'Every layer of the language models',
    note: 'A share of 1 is an estimate from random subsets; one subset that fails is a proof at its tolerance.',
  });
}

function cellsOf(results: readonly AssumptionResult[], precision: Precision): Row {
  const of = (statement: Statement) =>
    results.find((result) => result.precision === precision && result.statement === statement);
  const [onN, onD, contexts] = [of('A1'), of('general-position'), of('A2')];
  return {
    [`${precision} A1`]: onN?.fraction ?? null,
    [`${precision} A1 margin`]: onN ? marginOf(onN) : null,
    [`${precision} d`]: onD?.fraction ?? null,
    [`${precision} d margin`]: onD ? marginOf(onD) : null,
    [`${precision} ranks`]: onD ? rangeText(rankRange(onD.ranks)) : null,
    [`${precision} A2`]: contexts?.fraction ?? null,
  };
}

function paperText(paper: Partial<Record<Statement, number>> | null): string | null {
  if (paper === null) return null;
  const parts = [
    paper.A1 === undefined ? null : `k = n: ${paper.A1}`,
    paper['general-position'] === undefined ? null : `k = d: ${paper['general-position']}`,
  ];
  return parts.filter((part) => part !== null).join(', ');
}
