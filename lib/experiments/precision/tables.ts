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
      { key: 'change', title: 'What was changed' },
      { key: 'images' },
      { key: 'imageCount', title: 'number', format: 'integer' },
      { key: 'draws', format: 'integer' },
      { key: 'satisfied', title: 'independent', format: 'integer' },
      { key: 'sigmaRatio', title: 'smallest σ_min/σ_max', format: 'scientific' },
      { key: 'margin', title: 'over the tolerance', about: 'smallest ratio seen over float64’s tolerance' },
    ],
    { title: 'Random d-subsets in float64, features and tolerance' },
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
      { key: 'k', format: 'integer' },
      { key: 'sigmaMin', title: 'σ_min', format: 'scientific' },
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
      { key: 'errorMargin', title: 'σ_min over it' },
      { key: 'perturbation', title: '‖X′ − X‖₂', format: 'scientific', about: 'pixels perturbed by 10⁻¹³' },
      { key: 'perturbationMargin', title: 'σ_min over it' },
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
      { key: 'n' },
      { key: 'd' },
      { key: 'images', format: 'integer' },
      { key: 'subsets', title: 'd-subsets, all', format: 'integer' },
      { key: 'independent', title: 'independent, 32 digits', format: 'integer' },
      { key: 'smallestPivotRatio', title: 'smallest pivot ratio', format: 'scientific' },
      { key: 'independentAtFloat32', title: 'at float32’s tolerance', format: 'integer' },
    ],
    { title: 'Every subset of a small network' },
  );
}
