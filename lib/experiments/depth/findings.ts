import type { DepthPlace } from './measure';
import { depthSteps, networksOf, type DepthStep } from './steps';
import { findings, type Findings } from '../findings';
import { PAPER_MARK } from '../paper';
import { formatNumber } from '../../report/format';
import { bySystem } from '../../report/panels';
import { clopperPearson, mean, partialRankCorrelation } from '../../statistics';

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
  const headlines = bySystem(places).map(headlineOf);
  return findings(headlines.join(' '), sentences);
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
  const change =
    raises && lowers
      ? `; ${raises.step} raises σ_min/σ_max most${raises.undecided}, ${lowers.step} lowers it most${lowers.undecided}`
      : '';
  return `${places[0].title}: Assumption 1 holds after ${holds.join(' and ')}, by ${places[0].assumption1.draws} random subsets each${change}.`;
}

interface Strongest extends DepthStep {
  /** Empty, or the runner-up that the blocks do not tell from it. */
  readonly undecided: string;
}

/** A step beside the next one: whether it is the stronger one in more than half of all blocks, by a sign test at 95 %. */
function named(step: DepthStep, next: DepthStep | undefined, sign: 1 | -1): Strongest {
  const pairs = step.factors.flatMap(({ block, factor }) => {
    const other = next?.factors.find((one) => one.block === block);
    return other ? [sign * (factor - other.factor)] : [];
  });
  const wins = pairs.filter((difference) => difference > 0).length;
  const isDecided = next === undefined || (pairs.length > 0 && clopperPearson(wins, pairs.length)[0] > 0.5);
  const undecided = isDecided
    ? ''
    : ` by its median (undecided: it is stronger than ${next.step} in ${wins} of ${pairs.length} blocks)`;
  return { ...step, undecided };
}

/** The steps with the greatest factor, if that is above 1, and with the least, if below. */
function strongest(steps: readonly DepthStep[]): { raises: Strongest | null; lowers: Strongest | null } {
  const sorted = [...steps].sort((a, b) => a.median - b.median);
  const [least, most] = [sorted[0], sorted[sorted.length - 1]];
  return {
    raises: sorted.length > 0 && most.median > 1 ? named(most, sorted[sorted.length - 2], 1) : null,
    lowers: sorted.length > 0 && least.median < 1 ? named(least, sorted[1], -1) : null,
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
  return `${about(own)}: by ${outputs[0].assumption1.draws} random subsets after each block, Assumption 1 ${first}, ${range}.${second}`;
}

function insideBlocks(steps: readonly DepthStep[]): string {
  const seen = steps.filter(({ median }) => !Number.isNaN(median));
  if (seen.length === 0) return '';
  const [{ title, precision }] = seen;
  const { raises, lowers } = strongest(seen);
  const times = ({ step, median }: DepthStep) => `${step} (times ${formatNumber(median)})`;
  const grow = raises
    ? `grows most in the step **${raises.step}** (times ${formatNumber(raises.median)})${raises.undecided}`
    : 'grows in no step';
  const fall = lowers
    ? `falls most in the step **${lowers.step}** (times ${formatNumber(lowers.median)})${lowers.undecided}`
    : 'falls in no step';
  const [attention, mlp] = ['adding attention', 'adding the MLP'].map((name) => seen.find(({ step }) => step === name));
  const added = attention && mlp ? `; of the two sums, ${times(attention)} and ${times(mlp)}` : '';
  return `${title}, ${precision}: inside a block (median of the blocks), the ratio σ_min/σ_max of n query vectors ${grow} and ${fall}${added}.`;
}

function againstContexts(own: readonly DepthPlace[]): string {
  const outputs = outputsOf(own).filter(({ contexts }) => contexts !== null);
  if (outputs.length === 0) return '';
  const full = outputs.filter(({ contexts }) => contexts!.satisfied === contexts!.draws);
  const wider = outputs.filter(({ contexts, assumption1 }) => contexts!.ratios.median > assumption1.ratios.median);
  return `${about(own)}: all contexts have rank n after ${full.length} of ${outputs.length} blocks; the tokens of one image are further from dependence than n queries of different images after ${wider.length} of them.`;
}

function besideSaturation(own: readonly DepthPlace[]): string {
  const outputs = outputsOf(own).filter(({ saturation }) => saturation !== null);
  if (outputs.length === 0) return '';
  const largest = outputs.map(({ saturation }) => mean(saturation!.largestWeights));
  const sharpest = outputs[largest.indexOf(Math.max(...largest))];
  const correlation = outputs.length < ENOUGH_BLOCKS ? '' : `; ${correlationText(largest, outputs)}`;
  return `${about(own)}: the query’s attention is sharpest in block ${sharpest.block} (largest weight ${formatNumber(Math.max(...largest))} on average)${correlation}.`;
}

/** Both may follow depth, so it is taken out. */
function correlationText(largest: readonly number[], outputs: readonly DepthPlace[]): string {
  const depth = outputs.map(({ block }) => block);
  const { correlation, ci95 } = partialRankCorrelation(largest, outputs.map(margin), depth);
  const verdict = ci95[1] < 0 ? 'smaller margins' : ci95[0] > 0 ? 'larger margins' : 'undecided';
  return (
    `sharper attention, ${verdict}: the rank correlation of the largest weight with the margin, depth taken out, is ` +
    `**${formatNumber(correlation)}** over ${outputs.length} blocks (95 %: ${ci95.map((end) => formatNumber(end)).join(' to ')})`
  );
}

/** Fewer say nothing about a correlation. */
const ENOUGH_BLOCKS = 6;
