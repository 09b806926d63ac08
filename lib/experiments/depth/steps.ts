import type { DepthPart, DepthPlace } from './measure';
import { groupBy, median } from '../../statistics';
import type { Precision } from '../../tensor';

/** What a block does between two of its places; `below` is the output of the block before. */
const STEPS: readonly { name: string; from: DepthPart | 'below'; to: DepthPart }[] = [
  { name: 'LayerNorm 1', from: 'below', to: 'norm-1' },
  { name: 'mixing by the heads', from: 'norm-1', to: 'heads' },
  { name: 'output projection', from: 'heads', to: 'attention' },
  { name: 'adding attention', from: 'below', to: 'residual' },
  { name: 'LayerNorm 2', from: 'residual', to: 'norm-2' },
  { name: 'MLP', from: 'norm-2', to: 'mlp' },
  { name: 'adding the MLP', from: 'residual', to: 'output' },
];

/** The steps in their order within a block. */
export const STEP_NAMES = STEPS.map(({ name }) => name);

/** How much one step of a block changes sigma_min / sigma_max of random n-subsets (k = n), block by block. */
export interface DepthStep {
  readonly system: string;
  readonly title: string;
  readonly precision: Precision;
  readonly step: string;
  /** The ratio after the step over the ratio before it. */
  readonly factors: readonly { readonly block: number; readonly factor: number }[];
  readonly median: number;
}

/**
 * Compares places with the ones before them, in medians over the draws. A step that starts from vectors that are dependent
 * at the precision's tolerance is left out: it could only be compared with rounding.
 */
export function depthSteps(places: readonly DepthPlace[]): DepthStep[] {
  return networksOf(places).flatMap((own) => {
    const [{ system, title, precision }] = own;
    const ratio = (block: number, part: DepthPart) => {
      const place = own.find((one) => one.block === block && one.part === part);
      return place ? place.assumption1.ratios.median : NaN;
    };
    const { tolerance } = own[0].assumption1;
    const blocks = [...new Set(own.map(({ block }) => block))].filter((block) => block > 0);
    return STEPS.map(({ name, from, to }) => {
      const factors = blocks.flatMap((block) => {
        const before = from === 'below' ? ratio(block - 1, block === 1 ? 'embeddings' : 'output') : ratio(block, from);
        return before > tolerance ? [{ block, factor: ratio(block, to) / before }] : [];
      });
      return { system, title, precision, step: name, factors, median: median(factors.map(({ factor }) => factor)) };
    });
  });
}

/** Places of the same network, images and precision, in the order of depth. */
export function networksOf(places: readonly DepthPlace[]): DepthPlace[][] {
  return [...groupBy(places, ({ system, precision }) => `${system} ${precision}`).values()];
}
