import type { ForwardError, Recheck } from './sceptic';
import type { SmallCopy } from './small-copy';
import { table, type Table } from '../../report/display';

/** General position in float64 under other weights and other images. */
export function recheckTable(results: readonly Recheck[]): Table {
  return table(
    'rechecks',
    results.map((result) => ({ ...result, margin: result.sigmaRatio / result.tolerance })),
    [
      { key: 'title', title: 'System' },
      { key: 'change', title: 'What was changed', about: 'against the first notebook' },
      { key: 'images', about: 'the set of images' },
      { key: 'imageCount', title: 'number', format: 'integer', about: 'of images' },
      { key: 'draws', format: 'integer', about: 'random d-subsets' },
      { key: 'satisfied', title: 'independent', format: 'integer', about: 'draws of full rank in float64' },
      { key: 'sigmaRatio', title: 'smallest σ_min/σ_max', format: 'scientific', about: 'among the draws' },
      { key: 'margin', title: 'over the tolerance', about: 'smallest ratio seen over float64’s tolerance' },
    ],
    { title: 'Random d-subsets in float64, features and tolerance', group: 'title' },
  );
}

/** Rounding and noise set against sigma_min (Weyl's inequality). */
export function forwardErrorTable(results: readonly ForwardError[]): Table {
  return table(
    'forward-errors',
    results.map((result) => ({
      ...result,
      errorMargin: result.sigmaMin / result.errorNorm,
      perturbationMargin: result.sigmaMin / result.perturbation,
      sigmaMinChange: Math.abs(result.sigmaMinPerturbed - result.sigmaMin) / result.sigmaMin,
    })),
    [
      { key: 'title', title: 'System' },
      { key: 'k', format: 'integer', about: 'size of the subset' },
      {
        key: 'subsets',
        title: 'worst of',
        format: 'integer',
        about: 'random subsets among which it has the smallest ratio',
      },
      { key: 'sigmaMin', title: 'σ_min', format: 'scientific', about: 'its smallest singular value' },
      {
        key: 'rowsMeasured',
        title: 'rows measured',
        format: 'integer',
        about: 'rows computed again in double-double arithmetic',
      },
      {
        key: 'errorNorm',
        title: '‖E‖₂ ≤',
        format: 'scientific',
        about: 'square root of k times the largest error of a measured row',
      },
      { key: 'errorMargin', title: 'σ_min over it', about: 'above 1: the exact vectors are independent' },
      { key: 'perturbation', title: '‖X′ − X‖₂', format: 'scientific', about: 'pixels perturbed by 10⁻¹³' },
      { key: 'perturbationMargin', title: 'σ_min over it', about: 'above 1: the noise cannot explain it' },
      { key: 'sigmaMinChange', title: 'change of σ_min', format: 'scientific', about: 'relative, when perturbed' },
    ],
    {
      title: 'Is σ_min larger than the errors?',
      note: 'Weyl: no singular value moves by more than the 2-norm of the error. Where σ_min is larger than ‖E‖₂, the exact vectors of this subset are independent, provided that the rows that were measured are typical of the others.',
    },
  );
}

/** Every subset of a small network, in double-double arithmetic. */
export function smallCopyTable(results: readonly SmallCopy[]): Table {
  return table(
    'small-copies',
    results.map((result) => ({ ...result })),
    [
      { key: 'system', title: 'Small copy' },
      { key: 'n', about: 'tokens of a context' },
      { key: 'd', about: 'size of a query vector' },
      { key: 'images', format: 'integer', about: 'query vectors' },
      { key: 'subsets', title: 'd-subsets, all', format: 'integer', about: 'every one of them is examined' },
      {
        key: 'independent',
        title: 'independent, 32 digits',
        format: 'integer',
        about: 'by elimination in double-double arithmetic',
      },
      {
        key: 'smallestPivotRatio',
        title: 'smallest pivot ratio',
        format: 'scientific',
        about: 'the smallest pivot over the largest, of all subsets',
      },
      {
        key: 'independentAtFloat32',
        title: 'at float32’s tolerance',
        format: 'integer',
        about: 'subsets that are independent at it',
      },
    ],
    { title: 'Every subset of a small network' },
  );
}
