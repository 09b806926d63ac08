import type { LanguageSystem } from './measure';
import type { AssumptionResult, Statement } from '../assumptions/measure';
import { findings, type Findings } from '../findings';
import { PAPER_MARK } from '../paper';
import { rangeText } from '../tables';
import { formatNumber } from '../../report/format';
import type { Precision } from '../../tensor';

/** What the results say: for each model the layers in which the statements hold. */
export function languageFindings(systems: readonly LanguageSystem[], results: readonly AssumptionResult[]): Findings {
  const sentences: string[] = [];
  const brief: string[] = [];
  for (const { model, layers } of systems) {
    const tested = (statement: Statement, precision: Precision) =>
      layers.flatMap(({ name }, layer) => {
        const result = results.find(
          (one) => one.system === name && one.statement === statement && one.precision === precision,
        );
        return result ? [{ layer, result, short: result.draws - result.satisfied }] : [];
      });
    const passing = (statement: Statement, precision: Precision) =>
      tested(statement, precision)
        .filter(({ result }) => result.fraction >= PAPER_MARK)
        .map(({ layer }) => layer);
    /** Where all contexts have rank n, and how many have not elsewhere: the paper's mark would forgive one in a hundred. */
    const fullContexts = (precision: Precision) => {
      const contexts = tested('A2', precision);
      const full = contexts.filter(({ short }) => short === 0).map(({ layer }) => layer);
      const exceptions = contexts
        .filter(({ short }) => short > 0)
        .map(({ layer, result, short }) => `${short} of ${result.draws} fall short in layer ${layer}`);
      return `${listed(full)} (${[precision, ...exceptions].join('; ')})`;
    };
    const [n32, n64] = [passing('A1', 'float32'), passing('A1', 'float64')];
    const [d32, d64] = [passing('general-position', 'float32'), passing('general-position', 'float64')];
    sentences.push(
      `**${model.title}**, of ${layers.length} layers (0 = embeddings): Assumption 1 holds in ${listed(n32)} at float32's ` +
        `tolerance and in ${listed(n64)} at float64's; general position in ${listed(d32)} and in ${listed(d64)}.`,
      `${model.title}: every context has rank n in ${fullContexts('float32')} and in ${fullContexts('float64')}.`,
    );
    const [bottom] = tested('A1', 'float64');
    if (bottom?.layer === 0 && bottom.result.fraction < 1) {
      sentences.push(
        model.architecture.query === 'first'
          ? `${model.title}: the embedding of [CLS] is the same vector for every passage, so any two of them are dependent in every precision.`
          : `${model.title}: the embeddings of the last token fail in every precision where passages end in the same word, because they are then the same vector.`,
      );
    }
    brief.push(
      `${model.title}: k = n in ${n32.length} of ${layers.length} layers at float32's tolerance, ${n64.length} at float64's`,
    );
  }
  const whole = results
    .filter(({ statement, fraction }) => statement === 'A1' && fraction === 1)
    .map(({ ci95 }) => ci95[0]);
  const interval =
    whole.length > 0
      ? ` (where all draws pass, at least ${formatNumber(Math.min(...whole), 'percent')} of all subsets do, at 95 %)`
      : '';
  return findings(`${brief.join('; ')}${interval}.`, sentences);
}

function listed(layers: readonly number[]): string {
  if (layers.length === 0) return 'none';
  const runs: [number, number][] = [];
  for (const layer of layers) {
    const last = runs[runs.length - 1];
    if (last && last[1] === layer - 1) last[1] = layer;
    else runs.push([layer, layer]);
  }
  return `${layers.length === 1 ? 'layer' : 'layers'} ${runs.map(rangeText).join(', ')}`;
}
