import type { Growth } from './growth';
import { adamEdges, type AdamEdge, type AdamPoint, type PanelPoint } from './measure';
import { axisNames, rangeOf } from './tables';
import { findings, type Findings } from '../findings';
import { FITTED_WITHIN } from '../../memorization/training/evaluate';
import { formatNumber } from '../../report/format';

/** The share of the dimension from which on a capacity counts as having reached it: the intervals of `quick` are 10 % wide. */
const REACHED = 0.9;

const percent = (share: number) => formatNumber(share, 'percent');
const interval = (ends: readonly [number, number]) => ends.map((end) => formatNumber(end)).join(' to ');

/** What exact capacities say about the dimension and about growth, and how far Adam stays from them. */
export function memorizationFindings(
  points: readonly PanelPoint[],
  growths: readonly Growth[],
  adam: readonly AdamPoint[],
  missing: readonly { readonly run: string }[] = [],
): Findings {
  const several = points.filter(({ layer }) => layer.heads > 1);
  const shares = (own: readonly PanelPoint[]) =>
    own.flatMap(({ capacities, bound }) => capacities.map(({ fittedAt }) => fittedAt / bound));
  const all = shares(several);
  const reached = all.filter((share) => share >= REACHED).length;
  const above = all.filter((share) => share > 1).length;
  const reach = `In ${reached} of ${all.length} searches with two heads and more, all of at least ${percent(REACHED)} of the dimension's examples were fitted to 1e-8, and in ${above} more than the dimension`;
  const edges = adamEdges(adam);
  const ofRegressions = edges.filter(({ kind }) => kind.startsWith('regression'));
  const adamText =
    ofRegressions.length === 0
      ? ''
      : `; Adam, within ${FITTED_WITHIN}, fitted all examples of a regression up to ${rangeText(ofRegressions.map(({ allAt, bound }) => (allAt ?? 0) / bound))} of it`;
  return findings(`${reach}${adamText}.`, [
    `${reach}. The least share is **${percent(Math.min(...all))}**.`,
    singleHead(shares(points.filter(({ layer }) => layer.heads === 1))),
    beyondTheTheorem(several),
    ...growths.map(growthText),
    ...edges.map(edgeText),
    missing.length > 0 ? `Missing: ${missing.map(({ run }) => run).join(', ')}.` : '',
  ]);
}

function rangeText(shares: readonly number[]): string {
  const [least, most] = rangeOf(shares);
  return least === most ? percent(least) : `${percent(least)} to ${percent(most)}`;
}

function singleHead(shares: readonly number[]): string {
  if (shares.length === 0) return '';
  const short = shares.filter((share) => share < REACHED).length;
  return `A single head stays below ${percent(REACHED)} of its dimension in ${short} of ${shares.length} searches (shares of ${rangeText(shares)}): what it can compute in principle and what floating point can reach part there.`;
}

function beyondTheTheorem(points: readonly PanelPoint[]): string {
  const own = points.filter(({ theorem }) => theorem !== null);
  const factors = own.map(
    ({ capacities, theorem }) => Math.min(...capacities.map(({ fittedAt }) => fittedAt)) / theorem!,
  );
  const [least, most] = rangeOf(factors);
  const above = own.filter(({ fixedAttention, capacities }) =>
    capacities.every(({ fittedAt }) => fittedAt > fixedAttention),
  );
  return `Exact capacity is ${formatNumber(least)} to ${formatNumber(most)} times Theorem 1's promise; in ${above.length} of ${own.length} layers every seed fitted more than fixed attention weights can.`;
}

function growthText({ panel, values, before, after, bend, verdict }: Growth): string {
  const [from, to, last] = values;
  const where = `${panel.title}, by ${axisNames[panel.axis]}`;
  const slopes = `${interval(before)} examples more for each unit from ${from} to ${to}, ${interval(after)} from ${to} to ${last}`;
  const sentence = {
    'no bend found': `a straight line is not refuted (difference ${interval(bend)})`,
    'levels off': 'growth **levels off**: the second interval holds 0 and the difference is below it',
    'slows down': 'growth **slows down**',
    'speeds up': 'growth **speeds up**',
  }[verdict];
  return `${where}: ${sentence}; ${slopes} (95 %).`;
}

function edgeText({ kind, bound, allAt, notAllAt, most }: AdamEdge): string {
  const memorized =
    allAt === null
      ? 'it did not memorize all examples of any T'
      : `every seed memorized all of ${allAt} examples, **${percent(allAt / bound)}** of the dimension's ${bound}`;
  const next = notAllAt === null ? '' : `; of ${notAllAt}, some seed did not`;
  const beyond =
    most > bound
      ? ' That is more than the dimension allows for fitted logits: a right answer needs only the largest logit, so the edge of right answers lies higher.'
      : '';
  return `Adam, ${kind}: ${memorized}${next}. The most that it memorized of any T is ${most}.${beyond}`;
}
