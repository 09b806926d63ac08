import { PAPER_MARK } from '../assumptions/measure';
import type { DepthPlace } from './measure';
import { depthSteps, networksOf, type DepthStep } from './steps';
import { mean } from '../../rank';
import type { Findings } from '../assumptions/findings';
import { formatNumber } from '../../report/format';

/** What the places say: where independence is greatest and least, which part changes it, and what attention does meanwhile. */
export function depthFindings(places: readonly DepthPlace[]): Findings {
  const steps = depthSteps(places);
  const networks = networksOf(places);
  const sentences = networks.flatMap((own) => [
    alongDepth(own),
    insideBlocks(steps.filter(({ system, precision }) => system === own[0].system && precision === own[0].precision)),
    againstContexts(own),
    besideSaturation(own),
  ]);
  return {
    headline: [...new Set(places.map(({ system }) => system))]
      .map((system) => headlineOf(places.filter((place) => place.system === system)))
      .join(' '),
    all: sentences
      .filter((sentence) => sentence !== '')
      .map((sentence) => `- ${sentence}`)
      .join('\n'),
  };
}

const outputsOf = (own: readonly DepthPlace[]) => own.filter(({ part }) => part === 'output');
const margin = ({ assumption1 }: DepthPlace) => assumption1.ratios.median / assumption1.tolerance;
const about = ([{ title, precision }]: readonly DepthPlace[]) => `${title}, ${precision}`;
const blocksText = (places: readonly DepthPlace[]) => places.map(({ block }) => block).join(', ');

function extremes(own: readonly DepthPlace[]): { most: DepthPlace; least: DepthPlace } {
  const outputs = outputsOf(own);
  return {
    most: outputs.reduce((a, b) => (margin(b) > margin(a) ? b : a)),
    least: outputs.reduce((a, b) => (margin(b) < margin(a) ? b : a)),
  };
}

/** One sentence a system: the blocks at which Assumption 1 holds, and the steps that change the ratio most. */
function headlineOf(places: readonly DepthPlace[]): string {
  const networks = networksOf(places);
  const holds = networks.map((own) => {
    const outputs = outputsOf(own);
    const count = outputs.filter(({ assumption1 }) => assumption1.fraction >= PAPER_MARK).length;
    return `${count} of ${outputs.length} blocks in ${own[0].precision}`;
  });
  const steps = depthSteps(networks[networks.length - 1]).filter(({ median }) => !Number.isNaN(median));
  const { raises, lowers } = strongest(steps);
  const change = raises && lowers ? `; ${raises.step} raises σ_min/σ_max most, ${lowers.step} lowers it most` : '';
  return `${places[0].title}: Assumption 1 holds after ${holds.join(' and ')}${change}.`;
}

/** The steps with the greatest factor, if that is above 1, and with the least, if below. */
function strongest(steps: readonly DepthStep[]): { raises: DepthStep | null; lowers: DepthStep | null } {
  const sorted = [...steps].sort((a, b) => a.median - b.median);
  const [least, most] = [sorted[0], sorted[sorted.length - 1]];
  return {
    raises: sorted.length > 0 && most.median > 1 ? most : null,
    lowers: sorted.length > 0 && least.median < 1 ? least : null,
  };
}

function alongDepth(own: readonly DepthPlace[]): string {
  const { most, least } = extremes(own);
  const outputs = outputsOf(own);
  const fails = outputs.filter(({ assumption1 }) => assumption1.fraction < PAPER_MARK);
  const general = outputs.filter(({ generalPosition }) => generalPosition !== null);
  const inGeneral = general.filter(({ generalPosition }) => generalPosition!.fraction >= PAPER_MARK);
  const first = fails.length === 0 ? 'holds after every block' : `fails after block ${blocksText(fails)}`;
  const second =
    general.length === 0
      ? ''
      : ` Random d-subsets are independent after ${inGeneral.length} of ${general.length} blocks.`;
  const range =
    most === least
      ? `with a margin of ${formatNumber(margin(most))}`
      : `with the largest margin after block **${most.block}** (${formatNumber(margin(most))}) and the smallest after block **${least.block}** (${formatNumber(margin(least))})`;
  return `${about(own)}: Assumption 1 ${first}, ${range}.${second}`;
}

function insideBlocks(steps: readonly DepthStep[]): string {
  const seen = steps.filter(({ median }) => !Number.isNaN(median));
  if (seen.length === 0) return '';
  const [{ title, precision }] = seen;
  const { raises, lowers } = strongest(seen);
  const times = (step: DepthStep) => `${step.step} (times ${formatNumber(step.median)})`;
  const grow = raises ? `grows most by **${raises.step}** (times ${formatNumber(raises.median)})` : 'grows by no step';
  const fall = lowers ? `falls most by **${lowers.step}** (times ${formatNumber(lowers.median)})` : 'falls by no step';
  const [attention, mlp] = ['adding attention', 'adding the MLP'].map((name) => seen.find(({ step }) => step === name));
  const added = attention && mlp ? `; of the two sums, ${times(attention)} and ${times(mlp)}` : '';
  return `${title}, ${precision}: inside of a block, in the median of the blocks, the ratio σ_min/σ_max of n query vectors ${grow} and ${fall}${added}.`;
}

function againstContexts(own: readonly DepthPlace[]): string {
  const with_ = outputsOf(own).filter(({ contexts }) => contexts !== null);
  if (with_.length === 0) return '';
  const full = with_.filter(({ contexts }) => contexts!.satisfied === contexts!.draws);
  const wider = with_.filter(({ contexts, assumption1 }) => contexts!.ratios.median > assumption1.ratios.median);
  return `${about(own)}: all contexts have rank n after ${full.length} of ${with_.length} blocks; the tokens of one image are further from dependence than n queries of different images after ${wider.length} of them.`;
}

function besideSaturation(own: readonly DepthPlace[]): string {
  const outputs = outputsOf(own).filter(({ saturation }) => saturation !== null);
  if (outputs.length === 0) return '';
  const largest = outputs.map(({ saturation }) => mean(saturation!.largestWeights));
  const sharpest = outputs[largest.indexOf(Math.max(...largest))];
  const correlation =
    outputs.length < ENOUGH_BLOCKS
      ? ''
      : `; over the blocks, the rank correlation of the largest weight with the margin is **${rankCorrelation(largest, outputs.map(margin)).toFixed(2)}**`;
  return `${about(own)}: the query’s attention is sharpest in block ${sharpest.block} (largest weight ${Math.max(...largest).toFixed(2)} on average)${correlation}.`;
}

/** Fewer say nothing about a correlation. */
const ENOUGH_BLOCKS = 6;

/** Spearman's: Pearson's of the ranks; equal values share theirs. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const ranks = (values: readonly number[]) =>
    values.map((value) => {
      const below = values.filter((other) => other < value).length;
      const same = values.filter((other) => other === value).length;
      return below + (same + 1) / 2;
    });
  const [x, y] = [ranks(a), ranks(b)];
  const [meanX, meanY] = [mean(x), mean(y)];
  const sum = (of: (i: number) => number) => x.reduce((total, _, i) => total + of(i), 0);
  const xy = sum((i) => (x[i] - meanX) * (y[i] - meanY));
  const scale = Math.sqrt(sum((i) => (x[i] - meanX) ** 2) * sum((i) => (y[i] - meanY) ** 2));
  return scale === 0 ? 0 : xy / scale;
}
