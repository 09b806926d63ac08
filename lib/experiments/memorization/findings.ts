import { panelsOf, type PanelPoint } from './measure';
import { findings, type Findings } from '../findings';
import { formatNumber } from '../../report/format';
import type { Line } from '../../statistics';

const names = { heads: 'head', context: 'context token', headSize: 'dimension of the heads' } as const;

/** A slope and its interval, where it has one. */
export function slopeText({ slope, ci95 }: Line): string {
  return `${formatNumber(slope)}${ci95 ? ` (95 %: ${ci95.map((end) => formatNumber(end)).join(' to ')})` : ''}`;
}

/** What the trained panels say about growth, panel by panel. */
export function memorizationFindings(
  points: readonly PanelPoint[],
  missing: readonly { readonly run: string }[] = [],
): Findings {
  const panels = panelsOf(points);
  const grows = panels.filter(({ trained }) => trained.ci95 !== null && trained.ci95[0] > 0);
  const above = points.filter(({ memorized, fixedAttention }) => memorized > fixedAttention).length;
  return findings(
    `Memorized examples grow with the axis in ${grows.length} of ${panels.length} panels (95 % interval of the slope above 0).`,
    [
      ...panels.map(
        ({ axis, config, trained }) =>
          `${config.task}, ${config.contexts} contexts: **${slopeText(trained)}** more examples for each further ${names[axis]}; a straight line explains ${formatNumber(trained.r2, 'percent')}.`,
      ),
      `${above} of ${points.length} trained models memorized more than their attention weights could have carried at their initial values: training changes the feature matrix too.`,
      missing.length > 0 ? `Missing: ${missing.map(({ run }) => run).join(', ')}.` : '',
    ],
  );
}
