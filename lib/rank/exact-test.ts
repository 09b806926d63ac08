import { checkCount } from '../input-error';
import { clopperPearson } from '../statistics';
import { randomSource } from '../tensor';
import { begin } from '../work';
import { LinearIndependence } from './exact/linear-independence';
import { inFloat64, type RationalRows } from './exact/rational-rows';
import { pointsOf, type KruskalPoint } from './kruskal-curve';
import { checkSubsetSize, drawnSubset, type KruskalTest } from './kruskal-test';
import { IndependenceTest, JUDGED_TOGETHER } from './proofs/independence';
import { prepareRows } from './proofs/rows';

/** What random subsets of k rows say about the Kruskal rank over the rationals: as {@link KruskalTest}, without a tolerance. */
export interface ExactKruskalTest extends Pick<
  KruskalTest,
  'k' | 'draws' | 'satisfied' | 'fraction' | 'ci95' | 'seed' | 'ranks' | 'ranksDraws' | 'decidedBy'
> {
  /** The first dependent subset that was drawn, ascending. */
  readonly witness: readonly number[] | null;
}

/**
 * Draws the same k-subsets as `testKruskalRank` and judges without a tolerance whether each is linearly independent, and
 * its rank where it is not. Most are proved to be independent by what proves it at float64's tolerance, the others are
 * judged modulo primes: see {@link LinearIndependence}.
 *
 * @throws InputError when an option is out of range. @throws Interrupted
 */
export async function testExactKruskalRank(
  rows: RationalRows,
  { k, draws, seed }: { readonly k: number; readonly draws: number; readonly seed: number },
): Promise<ExactKruskalTest> {
  const { count, columns } = rows;
  checkSubsetSize(k, [count, columns]);
  checkCount('draws', draws, 1);
  const exactly = new LinearIndependence(rows);
  const test = new IndependenceTest(roundedRows(rows), 'float64', exactly);
  const ranks: Record<string, number> = {};
  const decidedBy: Partial<Record<string, number>> = {};
  let satisfied = 0;
  let witness: readonly number[] | null = null;
  const work = begin(`${k}-subsets of ${count} vectors`, draws);
  try {
    for (let done = 0; done < draws;) {
      const subsets: Int32Array[] = [];
      for (; done < draws && subsets.length < JUDGED_TOGETHER; done++) subsets.push(drawnSubset(seed, count, k, done));
      for (const [i, { independent, method }] of test.judge(subsets).entries()) {
        const rank = independent ? k : exactly.rank(subsets[i]);
        ranks[rank] = (ranks[rank] ?? 0) + 1;
        decidedBy[method] = (decidedBy[method] ?? 0) + 1;
        if (independent) satisfied++;
        else witness ??= Array.from(subsets[i]);
        await work.advance(done - subsets.length + i + 1);
      }
    }
  } finally {
    work.end();
  }
  return {
    k,
    draws,
    satisfied,
    fraction: satisfied / draws,
    ci95: clopperPearson(satisfied, draws),
    seed,
    ranks,
    ranksDraws: draws,
    decidedBy,
    witness,
  };
}

/** The satisfied fraction for every k at once, as `kruskalCurve` finds it, from the same permutations, without a tolerance. */
export async function exactKruskalCurve(
  rows: RationalRows,
  { permutations, seed }: { readonly permutations: number; readonly seed: number },
): Promise<readonly KruskalPoint[]> {
  checkCount('permutations', permutations, 1);
  const longest = Math.min(rows.count, rows.columns);
  const exactly = new LinearIndependence(rows);
  const lengths: number[] = [];
  const work = begin(`Kruskal curve of ${rows.count} vectors`, permutations);
  try {
    while (lengths.length < permutations) {
      const order = randomSource(seed, 'permutations', lengths.length).permutation(rows.count).slice(0, longest);
      lengths.push(exactly.independentPrefix(order));
      await work.advance(lengths.length);
    }
  } finally {
    work.end();
  }
  return pointsOf(lengths, longest);
}

function roundedRows(rows: RationalRows) {
  return prepareRows({ data: inFloat64(rows), shape: [rows.count, rows.columns] });
}
