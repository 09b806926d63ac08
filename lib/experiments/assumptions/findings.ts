import type { AssumptionResult } from './measure';
import { marginOf, markText, statements } from './tables';
import { findings, type Findings } from '../findings';
import { paperFinding, paperMark } from '../paper';
import { formatNumber } from '../../report/format';

const holds = (result: AssumptionResult) => paperMark(result) === 'holds';
const fails = (result: AssumptionResult) => paperMark(result) === 'fails';
const share = ({ satisfied, draws }: AssumptionResult) => `${satisfied} of ${draws}`;
const about = ({ title, statement }: AssumptionResult) => `${title}, ${statements[statement].name}`;

/** `0.9866 to 0.9924 of all subsets at 95 %` */
function intervalText({ ci95 }: AssumptionResult): string {
  return `${ci95.map((end) => formatNumber(end, 'fraction')).join(' to ')} of all subsets at 95 %`;
}

function marginText(result: AssumptionResult): string {
  const margin = marginOf(result);
  return margin === null ? '' : ` (median margin ${formatNumber(margin)})`;
}

/** Puts results into words. The first set of images among them is compared with the paper. */
export function assumptionFindings(results: readonly AssumptionResult[]): Findings {
  const here = results.filter(({ examples }) => examples === results[0].examples);
  const float32 = here.filter(({ precision }) => precision === 'float32');
  const pairs = float32.flatMap((single): Pair[] => {
    const double = here.find(
      ({ precision, system, statement }) =>
        precision === 'float64' && system === single.system && statement === single.statement,
    );
    return double ? [{ single, double }] : [];
  });
  const [first = '', ...differences] = agreement(float32);
  const changed = pairs.filter(
    ({ single, double }) => (holds(single) && fails(double)) || (fails(single) && holds(double)),
  );
  const turned = changed.map(turnedText);
  const least = changed.filter(({ double }) => holds(double)).map(({ double }) => double.ci95[0]);
  const failed = pairs
    .filter(({ single, double }) => fails(single) && fails(double))
    .map(({ single: { title, statement } }) => `Fails in both precisions: ${statements[statement].name} of ${title}.`);
  const verdicts = turned.length === 1 ? 'verdict changes' : 'verdicts change';
  const interval =
    least.length > 0
      ? ` (at least ${formatNumber(Math.min(...least), 'percent')} of all subsets pass there, at 95 %)`
      : '';
  return findings(`${first} ${turned.length} ${verdicts} in float64${interval}.`, [
    first,
    ...differences,
    ...turned,
    ...failed,
    ...refutations(results),
  ]);
}

/** The same statement about the same layer in float32 and in float64. */
interface Pair {
  readonly single: AssumptionResult;
  readonly double: AssumptionResult;
}

/** Our marks at float32's tolerance beside the paper's. */
function agreement(results: readonly AssumptionResult[]): string[] {
  const compared = results.flatMap((result) => {
    const finding = paperFinding(result.system, result.statement);
    return finding ? [{ result, same: paperMark(result) === (finding.satisfied ? 'holds' : 'fails') }] : [];
  });
  if (compared.length === 0) return [];
  const same = compared.filter((pair) => pair.same).length;
  const open = compared.filter(({ result }) => paperMark(result) === 'undecided').length;
  const undecided = open === 0 ? '' : `; ${open} ${open === 1 ? 'is' : 'are'} undecided`;
  return [
    `At float32's tolerance **${same} of ${compared.length}** of the paper's marks come out the same on ${results[0].examples}${undecided}.`,
    ...compared
      .filter((pair) => !pair.same)
      .map(
        ({ result }) =>
          `${fails(result) || holds(result) ? 'Different from the paper' : 'Undecided'}: ${about(result)}: ${share(result)} draws pass, ${intervalText(result)}${marginText(result)}.`,
      ),
  ];
}

/** A statement whose mark changes when features and tolerance go from float32 to float64. */
function turnedText({ single, double }: Pair): string {
  const failing = formatNumber(1 - double.ci95[0], 'percent');
  const interval = double.refuted ? '' : ` (so at most ${failing} of all subsets fail, at 95 %)`;
  return (
    `**Precision decides** ${statements[single.statement].name} of ${single.title}: ${share(single)} subsets pass in ` +
    `float32${marginText(single)}, ${share(double)} in float64${marginText(double)}${interval}.`
  );
}

/** Marks that a counter-example contradicts: the statements speak of every subset. */
function refutations(results: readonly AssumptionResult[]): string[] {
  return results
    .filter((result) => markText(result) === '✓ but refuted')
    .map(
      (result) =>
        `${about(result)}, ${result.precision}: ${share(result)} draws pass and earn the paper's mark, yet ` +
        `${result.draws - result.satisfied} are counter-examples: at this tolerance the statement is false.`,
    );
}
