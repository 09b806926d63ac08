import { PAPER_MARK, type AssumptionResult } from './measure';
import { markText } from './tables';
import { formatNumber } from '../../report/format';
import { paperFinding } from '../paper';

const names = {
  'general-position': 'general position',
  A1: 'Assumption 1',
  A2: 'Assumption 2',
  A3: 'Assumption 3',
} as const;

const holds = (result: AssumptionResult) => result.fraction >= PAPER_MARK;

/** What the results say. */
export interface Findings {
  /** The one sentence to remember. */
  readonly headline: string;
  /** All sentences as a Markdown list: agreement with the paper first, then what the precision decides. */
  readonly all: string;
}

/** Puts results into words. The first set of images among them is compared with the paper. */
export function assumptionFindings(results: readonly AssumptionResult[]): Findings {
  const here = results.filter(({ images }) => images === results[0].images);
  const float32 = here.filter(({ precision }) => precision === 'float32');
  const float64 = here.filter(({ precision }) => precision === 'float64');
  const [first = '', ...differences] = agreement(float32);
  const turned = disagreement(float32, float64);
  const sentences = [first, ...differences, ...turned, ...provedFailures(float32, float64), ...refutations(results)];
  return {
    headline: `${first} ${turned.length} ${turned.length === 1 ? 'verdict turns' : 'verdicts turn'} in float64.`.trim(),
    all: sentences
      .filter((sentence) => sentence !== '')
      .map((sentence) => `- ${sentence}`)
      .join('\n'),
  };
}

/** Our marks at float32's tolerance beside the paper's. */
function agreement(results: readonly AssumptionResult[]): string[] {
  const compared = results.flatMap((result) => {
    const finding = paperFinding(result.system, result.statement);
    return finding ? [{ result, same: finding.satisfied === holds(result) }] : [];
  });
  if (compared.length === 0) return [];
  const same = compared.filter((pair) => pair.same).length;
  return [
    `At float32's tolerance **${same} of ${compared.length}** of the paper's marks come out the same on ${results[0].images}.`,
    ...compared
      .filter((pair) => !pair.same)
      .map(
        ({ result }) =>
          `Different from the paper: ${result.title}, ${names[result.statement]}: ${share(result)} of the draws hold` +
          `${marginOf(result)}.`,
      ),
  ];
}

/** Statements whose mark turns when features and tolerance go from float32 to float64. */
function disagreement(float32: readonly AssumptionResult[], float64: readonly AssumptionResult[]): string[] {
  const sentences: string[] = [];
  for (const single of float32) {
    const double = float64.find(({ system, statement }) => system === single.system && statement === single.statement);
    if (!double || holds(single) === holds(double)) continue;
    const interval = double.refuted ? '' : ` (so at most ${percent(1 - double.ci95[0])} of all subsets fail, at 95 %)`;
    sentences.push(
      `**Precision decides** ${names[single.statement]} of ${single.title}: ${share(single)} of the subsets pass in ` +
        `float32${marginOf(single)}, ${share(double)} in float64${marginOf(double)}${interval}.`,
    );
  }
  return sentences;
}

/** Statements that fail in both precisions. */
function provedFailures(float32: readonly AssumptionResult[], float64: readonly AssumptionResult[]): string[] {
  return float32
    .filter((single) => {
      const double = float64.find(
        ({ system, statement }) => system === single.system && statement === single.statement,
      );
      return double !== undefined && !holds(single) && !holds(double);
    })
    .map((result) => `Fails in both precisions: ${names[result.statement]} of ${result.title}.`);
}

/** Marks that a counter-example contradicts: the statements speak of every subset. */
function refutations(results: readonly AssumptionResult[]): string[] {
  return results
    .filter((result) => markText(result) === '✓ but refuted')
    .map(
      (result) =>
        `${result.title}, ${names[result.statement]}, ${result.precision}: ${share(result)} of the draws hold and earn the ` +
        `paper's mark, yet ${result.draws - result.satisfied} are counter-examples: at this tolerance the statement is false.`,
    );
}

const share = ({ satisfied, draws }: AssumptionResult) => `${satisfied} of ${draws}`;

const percent = (fraction: number) => `${(100 * fraction).toPrecision(2)} %`;

function marginOf({ margin }: AssumptionResult): string {
  return margin ? ` (median margin ${formatNumber(margin.median / margin.tolerance, 'times')})` : '';
}
