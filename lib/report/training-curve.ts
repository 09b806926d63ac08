import { randomUUID } from 'node:crypto';
import type { Data } from 'plotly.js';
import type { MemorizationConfig } from '../memorization/config';
import type { Evaluation } from '../memorization/evaluate';
import { figure, type Figure } from './display';
import { pageOfCell } from './notebook';
import { mimeBundle } from './show';
import { colours } from './theme';

/** Loss (and accuracy) against the steps of one training. */
function trainingCurve(evaluations: readonly Evaluation[], title = 'Training'): Figure {
  const accuracies = evaluations.filter(({ accuracy }) => accuracy !== null);
  const last = evaluations.at(-1);
  const data: object[] = [
    {
      ...{ type: 'scatter', mode: 'lines+markers', name: 'loss' },
      x: evaluations.map(({ step }) => step),
      y: evaluations.map(({ loss }) => loss),
      line: { color: colours[0] },
    },
  ];
  if (accuracies.length > 0) {
    data.push({
      ...{ type: 'scatter', mode: 'lines+markers', name: 'accuracy', yaxis: 'y2' },
      x: accuracies.map(({ step }) => step),
      y: accuracies.map(({ accuracy }) => accuracy),
      line: { color: colours[1] },
    });
  }
  return figure({
    name: 'training',
    title,
    alt: last
      ? `Loss falls to ${last.loss.toPrecision(3)} in ${last.step} steps${last.accuracy === null ? '' : `, accuracy reaches ${last.accuracy.toFixed(3)}`}.`
      : 'Nothing has been evaluated yet.',
    data: data as Partial<Data>[],
    layout: {
      height: 360,
      xaxis: { title: { text: 'step' } },
      yaxis: { title: { text: 'loss' }, rangemode: 'tozero' },
      yaxis2: {
        ...{ title: { text: 'accuracy' }, overlaying: 'y', side: 'right', showgrid: false },
        // Without a distance plotly sets the ticks beside those of the loss: 0.277, 0.554, 0.83.
        ...{ range: [0, 1.02], dtick: 0.25 },
      },
    },
  });
}

/**
 * Draws the curve of the running cell's training while it goes on, for `onEvaluation` of `memorize`: one figure in the
 * page that grows with each evaluation. Outside of a notebook it does nothing.
 */
export function liveTrainingCurve(title = 'Training'): (config: MemorizationConfig, evaluation: Evaluation) => void {
  const evaluations: Evaluation[] = [];
  const id = randomUUID();
  return (_, evaluation) => {
    evaluations.push(evaluation);
    pageOfCell()?.send(mimeBundle(trainingCurve(evaluations, title)), id, evaluations.length > 1);
  };
}
