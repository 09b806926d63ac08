import { bestDesign, nameOf, sameSizes, type Design, type MeasuredDesign, type TrainedDesign } from './measure';
import { findings, type Findings } from '../findings';
import { formatNumber } from '../../report/format';
import { mean } from '../../statistics';

/** Which choice theory, rank and training make, and how the trained layers order themselves. */
export function designFindings(
  kruskalRank: number,
  measured: readonly MeasuredDesign[],
  trained: readonly TrainedDesign[],
): Findings {
  const byTheorem = bestDesign(measured, ({ theorem }) => theorem ?? 0);
  const byRank = bestDesign(measured, ({ rank }) => rank);
  const byFloat32 = bestDesign(measured, ({ rankAtFloat32 }) => rankAtFloat32);
  const byTraining = bestDesign(trained, ({ memorized }) => mean(memorized));
  const count = (value: number) => formatNumber(value, 'integer');
  const memorized = (design: Design) => {
    const run = trained.find(sameSizes(design));
    return run ? `, trained ${count(mean(run.memorized))}` : '';
  };
  const worst = trained.reduce((a, b) => (mean(b.memorized) < mean(a.memorized) ? b : a));
  const beyond = trained.filter((design) => {
    const found = measured.find(sameSizes(design));
    return found !== undefined && mean(design.memorized) > found.rank;
  });
  const most = Math.max(...measured.map(({ parameters }) => parameters));
  return findings(
    `With at most ${count(most)} parameters, ${nameOf(byTraining)} memorized most when trained; the rank of the random feature matrix chose ${nameOf(byRank)}, Theorem 1 ${nameOf(byTheorem)}.`,
    [
      `The largest candidate for the Kruskal rank that no subset refutes is **${kruskalRank}**; Theorem 1 counts no more than that of each head.`,
      `Theorem 1 chooses **${nameOf(byTheorem)}** (${byTheorem.theorem} examples${memorized(byTheorem)}).`,
      `The rank of the feature matrix chooses **${nameOf(byRank)}** (${byRank.rank}${memorized(byRank)}); at float32's tolerance ${nameOf(byFloat32)} (${byFloat32.rankAtFloat32}${memorized(byFloat32)}).`,
      `Of the trained layers of equal size **${nameOf(byTraining)}** memorized most, ${count(mean(byTraining.memorized))} examples; ${nameOf(worst)} least, ${count(mean(worst.memorized))}.`,
      `${beyond.length} of ${trained.length} trained layers memorized more than the rank of their random feature matrix.`,
    ],
  );
}
