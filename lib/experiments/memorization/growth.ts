/** Whether memorized examples grow in a straight line along an axis, or more slowly from some value on: tested. */
import type { Panel, PanelPoint, SeedCapacity } from './measure';
import { meanInterval } from '../../statistics';

type Interval = readonly [low: number, high: number];

/** Growth up to a value and from it on, in examples for each unit of the axis; intervals cover 95 % and how exact each capacity is. */
export interface Growth {
  readonly panel: Panel;
  /** The first value, the one in the middle, and the last. */
  readonly values: readonly [number, number, number];
  readonly before: Interval;
  readonly after: Interval;
  /** The second slope less the first, seed by seed. */
  readonly bend: Interval;
  readonly verdict: 'no bend found' | 'slows down' | 'levels off' | 'speeds up';
}

/**
 * Compares the growth before and after the value at which the dimension says that it changes: n - 1 on the axis of head
 * sizes, 2 tokens with random contexts; elsewhere, where it says that growth is even, the last value but one. A single head is left out where three values remain, as
 * in every comparison of capacities with the dimension: alone it stays behind.
 */
export function growthOf(panel: Panel): Growth {
  const several = panel.axis === 'heads' ? panel.points.filter(({ x }) => x > 1) : panel.points;
  const points = several.length < 3 ? panel.points : several;
  const { context } = panel.points[0].layer;
  const bendsAt =
    panel.axis === 'headSize' ? context - 1 : panel.axis === 'context' && panel.contexts === 'random' ? 2 : NaN;
  const found = points.findIndex(({ x }) => x === bendsAt);
  const middle = found > 0 && found < points.length - 1 ? found : points.length - 2;
  const three = [points[0], points[middle], points[points.length - 1]] as const;
  const [x1, x2, x3] = three.map(({ x }) => x);
  const [d1, d2] = [1 / (x2 - x1), 1 / (x3 - x2)];
  const before = interval(three, [-d1, d1, 0]);
  const after = interval(three, [0, -d2, d2]);
  const bend = interval(three, [d1, -d1 - d2, d2]);
  return { panel, values: [x1, x2, x3], before, after, bend, verdict: verdictOf(bend, after) };
}

function verdictOf(bend: Interval, after: Interval): Growth['verdict'] {
  if (bend[0] > 0) return 'speeds up';
  if (bend[1] >= 0) return 'no bend found';
  return after[0] <= 0 && after[1] >= 0 ? 'levels off' : 'slows down';
}

/**
 * The mean over seeds of a linear combination of three capacities: 95 % by Student's t for each end of what the capacities'
 * own intervals allow.
 */
function interval(points: readonly PanelPoint[], factors: readonly number[]): Interval {
  const ends = (upper: boolean) =>
    points[0].capacities.map((_, seed) =>
      factors.reduce((sum, factor, i) => sum + factor * end(points[i].capacities[seed], factor > 0 === upper), 0),
    );
  return [meanInterval(ends(false))[0], meanInterval(ends(true))[1]];
}

const end = ({ fittedAt, notFittedAt }: SeedCapacity, upper: boolean) => (upper ? notFittedAt - 1 : fittedAt);
