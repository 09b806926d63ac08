import type { DesignPanel } from './figures';
import {
  bestOf,
  designs,
  nameOf,
  sharings,
  type DrawnDesign,
  type FittedDesign,
  type MeasuredDesign,
  type QuerySpan,
} from './measure';
import { standardDesign, standardSpaces } from './tables';
import { findings, type Findings } from '../findings';
import { formatNumber } from '../../report/format';

const percent = (share: number) => formatNumber(share, 'percent');
const count = (value: number) => formatNumber(value, 'integer');
/** What each budget should buy, how far that is confirmed, and what floating point and real query vectors leave of it. */
export function designFindings(
  panels: readonly DesignPanel[],
  fitted: readonly FittedDesign[],
  drawn: readonly DrawnDesign[],
  spans: readonly QuerySpan[],
  widths: readonly number[],
): Findings {
  const shares = [...fitted.map(({ fittedAt, dimension }) => fittedAt / dimension), ...drawn.map(({ share }) => share)];
  const agreeing = shares.filter((share) => share >= 0.9 && share <= 1).length;
  const confirmed = `exact capacity is within 10 % of the dimension in ${agreeing} of ${shares.length} designs`;
  const choices = panels.map((panel) => ({ panel, ...bestOf(panel.measured) }));
  const everywhere = sharings.filter((sharing) =>
    choices.every(({ best, near }) => [best, ...near].some((one) => one.sharing === sharing)),
  );
  const subject =
    everywhere.length === 0
      ? 'No way of sharing keys and values is within 5 % of the largest dimension for every budget'
      : `Within 5 % of the largest dimension for each of ${choices.length} budgets: ${everywhere.join(' and ')} attention`;
  return findings(`${subject}; ${confirmed}.`, [
    ...choices.map(choiceText),
    `Confirmed: ${confirmed}, of which ${drawn.length} were drawn by a rule (shares of ${range(drawn.map(({ share }) => share))}) and ${fitted.length} are this notebook's${fitted.length > 0 ? ` (${range(fitted.map(({ fittedAt, dimension }) => fittedAt / dimension))})` : ''}.`,
    orderText(fitted),
    ...panels.map(float32Text),
    ...widths.map(widthText),
    ...spans.map(spanText),
  ]);
}

function range(shares: readonly number[]): string {
  return `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))}`;
}

function choiceText({
  panel,
  best,
  near,
}: {
  panel: DesignPanel;
  best: MeasuredDesign;
  near: readonly MeasuredDesign[];
}): string {
  const multiHead = panel.measured.filter(({ sharing }) => sharing === 'multi-head');
  const own = multiHead.length === 0 ? null : bestOf(multiHead).best;
  const others =
    near.length === 0
      ? 'no other is within 5 %'
      : `within 5 %: ${near.map((one) => `${nameOf(one)} (${count(one.dimension)})`).join('; ')}`;
  const beside =
    own === null || own === best ? '' : ` The best multi-head layer, ${nameOf(own)}, has ${count(own.dimension)}.`;
  return `${panel.title}: the largest dimension, **${count(best.dimension)}** with ${count(best.weights)} weights, has ${nameOf(best)}; ${others}.${beside}`;
}

/** Whether exact capacities order the designs as their dimensions do. */
function orderText(fitted: readonly FittedDesign[]): string {
  const pairs = fitted.flatMap((a, i) => fitted.slice(i + 1).map((b) => (a.dimension < b.dimension ? [a, b] : [b, a])));
  const apart = pairs.filter(([a, b]) => a.dimension < b.dimension);
  if (apart.length === 0) return '';
  const same = apart.filter(([a, b]) => a.notFittedAt <= b.fittedAt).length;
  const reversed = apart.filter(([a, b]) => b.notFittedAt <= a.fittedAt).length;
  return `Of ${apart.length} pairs of designs that this notebook fitted and whose dimensions differ, exact capacity orders ${same} as the dimension does and ${reversed} the other way; in ${apart.length - same - reversed} the intervals overlap, so that they are undecided.`;
}

function float32Text({ title, measured }: DesignPanel): string {
  const share = ({ rankAtFloat32, dimension }: MeasuredDesign) => rankAtFloat32 / dimension;
  const most = measured.reduce((a, b) => (b.rankAtFloat32 > a.rankAtFloat32 ? b : a));
  const short = measured.filter(({ rank, dimension }) => rank < dimension).length;
  const float64 =
    short === 0
      ? 'float64 tells all directions apart in every design'
      : `float64 tells fewer than all directions apart in ${short} of ${measured.length} designs`;
  return `${title}: ${float64}; float32 leaves ${range(measured.map(share))} of the dimension at random weights (one draw each), most to ${nameOf(most)} (${count(most.rankAtFloat32)} of ${count(most.dimension)}).`;
}

function widthText(width: number): string {
  const [whole, , quarter] = standardSpaces(width).map(({ space }) => ({ space, ...bestOf(designs(space)) }));
  const standard = standardDesign(whole.space);
  const text = ({ best, near }: typeof whole) =>
    `${nameOf(best)} has ${percent(best.dimension / standard.dimension)} of its dimension${near.length === 0 ? '' : ` (${near.length} more designs within 5 %)`}`;
  const rotary =
    standard.rotary === null
      ? ''
      : `; rotary positions would add ${percent(standard.rotary / standard.dimension - 1)} to the standard layer`;
  return `d = ${width}, d outputs, contexts of their own, against standard attention (${nameOf(standard)}): for the same weights ${text(whole)}; with a quarter of the cache, ${text(quarter)}${rotary}.`;
}

function spanText({ title, examples, d, float32, float64 }: QuerySpan): string {
  const both =
    float32 === float64
      ? `**${float32}** at both tolerances`
      : `**${float32}** at float32's tolerance, ${float64} at float64's`;
  return `${title}: ${count(examples)} query vectors span ${both}, of d = ${d}.`;
}
