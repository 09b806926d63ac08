import { Gram, batchSize } from './gram';
import { LargestSingularValue } from './largest-singular-value';
import { Preconditioner, spectrumOf, type Spectrum } from './preconditioner';
import { SMALLEST_TRACE, choleskySlack } from './rounding';
import { hasZeroOrRepeatedRow, type Rows } from './rows';
import { subsetSingularValues } from './singular-values';
import { rankAt, relativeTolerance, type Rtol } from './tolerance';

/**
 * What decided a verdict:
 * - `equal rows`: the subset holds a zero row or two equal rows;
 * - `interlacing`: sigma_k of a subset is at most sigma_k of all rows, and that is below the tolerance;
 * - `cholesky`: the shifted Gram has, or has not, a Cholesky factor;
 * - `preconditioned`: the same for the Gram of the rows after a common change of columns;
 * - `svd`: none of these could tell, so the singular values themselves were computed.
 *
 * All but the last are proofs whatever the rounding; the last is as sharp as float64's SVD is.
 */
export type Method = 'equal rows' | 'interlacing' | 'cholesky' | 'preconditioned' | 'svd';

export interface Verdict {
  /** Whether the smallest singular value is strictly greater than the tolerance times the largest. */
  readonly independent: boolean;
  readonly method: Method;
  /** The subset's singular values, where they had to be computed. */
  readonly singularValues: Float64Array | null;
}

/** Subsets that are judged together: enough to share the large matrix products, few enough to yield often. */
export const JUDGED_TOGETHER = 64;
/** Distance from the tolerance, relative, within which a singular value is called near to it. */
export const NEAR = 1e-6;

type Open = { readonly subset: Int32Array; readonly index: number };

/**
 * Judges whether subsets of rows are linearly independent at a tolerance relative to the largest singular value of each
 * subset. The verdict on a subset depends on its rows alone; which method gave it may depend on what was judged before,
 * because a method that has been failing is left out.
 */
export class IndependenceTest {
  private gramOfRows: Gram | null = null;
  private largest: LargestSingularValue | null = null;
  private spectrum: Spectrum | null = null;
  private readonly preconditioners = new Map<number, Preconditioner | null>();
  private readonly records = new Map<string, { tried: number; decided: number }>();
  /** How many of a dependent subset's rows usually suffice to show it, as a share of k. */
  private failingShare = 1;

  constructor(
    readonly rows: Rows,
    readonly rtol: Rtol,
  ) {}

  get gram(): Gram {
    return (this.gramOfRows ??= new Gram(this.rows.values, this.rows.count, this.rows.columns));
  }

  get largestSingularValue(): LargestSingularValue {
    return (this.largest ??= new LargestSingularValue(this.rows));
  }

  /** The ratio to sigma_max that counts as zero for k rows. */
  tolerance(k: number): number {
    return relativeTolerance(this.rtol, k, this.rows.columns);
  }

  /** Judges subsets of one size k <= d. The order of a subset's rows has no influence on its verdict. */
  judge(subsets: readonly Int32Array[]): Verdict[] {
    const verdicts = new Array<Verdict | undefined>(subsets.length);
    let open: Open[] = subsets.map((subset, index) => ({ subset, index }));
    const decide = (method: Method, judged: readonly Open[], outcome: (position: number) => boolean | null): void => {
      const decided = new Set<Open>();
      judged.forEach((one, position) => {
        const independent = outcome(position);
        if (independent === null) return;
        verdicts[one.index] = { independent, method, singularValues: null };
        decided.add(one);
      });
      if (decided.size > 0) open = open.filter((one) => !decided.has(one));
      const kind = `${method} ${subsets[0].length}`;
      const record = this.records.get(kind) ?? { tried: 0, decided: 0 };
      this.records.set(kind, { tried: record.tried + judged.length, decided: record.decided + decided.size });
    };

    decide('equal rows', open, (i) => (hasZeroOrRepeatedRow(this.rows, open[i].subset) ? false : null));
    this.judgeByGram(() => open, decide);
    for (const { subset, index } of open) {
      const singularValues = subsetSingularValues(this.rows, subset);
      const independent = rankAt(singularValues, this.tolerance(subset.length)) === subset.length;
      verdicts[index] = { independent, method: 'svd', singularValues };
    }
    return verdicts as Verdict[];
  }

  private judgeByGram(
    open: () => Open[],
    decide: (method: Method, judged: readonly Open[], outcome: (position: number) => boolean | null) => void,
  ): void {
    const usable = open().filter(({ subset }) => this.trace(subset) >= SMALLEST_TRACE);
    if (usable.length === 0) return;
    const k = usable[0].subset.length;
    const squaredTolerance = this.tolerance(k) ** 2;
    const stillOpen = (): Open[] => {
      const left = new Set(open());
      return usable.filter((one) => left.has(one));
    };
    for (const closeness of ['roughly', 'closely'] as const) {
      const candidates = stillOpen();
      if (candidates.length === 0) return;
      const subsets = candidates.map(({ subset }) => subset);
      const traces = subsets.map((subset) => this.trace(subset));
      const brackets = this.largestSingularValue[closeness](subsets, traces);
      const known = new Map(candidates.map((one, i) => [one, { low: brackets.low[i], high: brackets.high[i] }]));

      const kth = this.largestSingularValue.squaredSpectrum[k - 1];
      decide('interlacing', candidates, (i) => (kth <= squaredTolerance * brackets.low[i] ? false : null));

      const passes = (): void => {
        const judged = stillOpen();
        const factors = this.factorInBatches(judged, (one) => {
          const bound = squaredTolerance * known.get(one)!.high * (1 + 2.1 * NEAR);
          return bound + this.slack(one.subset);
        });
        decide('cholesky', judged, (i) => (factors[i] === 1 ? true : null));
      };
      const fails = (): void => {
        const judged = stillOpen().filter((one) => squaredTolerance * known.get(one)!.low > this.slack(one.subset));
        if (judged.length === 0) return;
        const failing = this.dependentByCholesky(judged, (one) => squaredTolerance * known.get(one)!.low);
        decide('cholesky', judged, (i) => (failing[i] === 1 ? false : null));
      };
      const blind = brackets.high.every((high, i) => squaredTolerance * high < 4 * this.slack(subsets[i]));
      if (blind) {
        if (this.worthTrying(`cholesky ${k}`)) passes();
        this.precondition(stillOpen(), known, squaredTolerance, decide);
        return;
      }
      if (this.failingShare < 1) {
        fails();
        passes();
      } else {
        passes();
        fails();
      }
    }
  }

  private precondition(
    judged: readonly Open[],
    known: ReadonlyMap<Open, { high: number }>,
    squaredTolerance: number,
    decide: (method: Method, judged: readonly Open[], outcome: (position: number) => boolean | null) => void,
  ): void {
    if (judged.length === 0) return;
    const k = judged[0].subset.length;
    if (!this.worthTrying(`preconditioned ${k}`)) return;
    if (!this.preconditioners.has(k)) {
      this.spectrum ??= spectrumOf(this.rows);
      this.preconditioners.set(k, Preconditioner.forSubsets(this.rows, this.spectrum, k));
    }
    const preconditioner = this.preconditioners.get(k)!;
    if (preconditioner === null) return;
    const proved = inBatches(judged, (batch) =>
      preconditioner.proves(
        batch.map(({ subset }) => subset),
        batch.map((one) => Math.sqrt(squaredTolerance * known.get(one)!.high)),
      ),
    );
    decide('preconditioned', judged, (i) => (proved[i] === 1 ? true : null));
  }

  private factorInBatches(judged: readonly Open[], shift: (one: Open) => number, size?: number): Uint8Array {
    return inBatches(judged, (batch) =>
      this.gram.factors(
        batch.map(({ subset }) => subset),
        batch.map(shift),
        size,
      ),
    );
  }

  /**
   * 1 where the Gram has an eigenvalue below `bound`. If the Gram of the first few rows has one then so has the whole
   * (eigenvalues interlace), so fewer rows are tried first once it is known how many usually suffice.
   */
  private dependentByCholesky(judged: readonly Open[], bound: (one: Open) => number): Uint8Array {
    const k = judged[0].subset.length;
    const dependent = new Uint8Array(judged.length);
    const few = Math.max(1, Math.ceil(k * this.failingShare));
    const shift = (one: Open) => bound(one) - this.slack(one.subset);
    if (few < k) {
      this.factorInBatches(judged, shift, few).forEach((factored, i) => (dependent[i] = 1 - factored));
    }
    const rest = judged.map((one, i) => ({ one, i })).filter(({ i }) => dependent[i] === 0);
    const factors = this.factorInBatches(
      rest.map(({ one }) => one),
      shift,
    );
    rest.forEach(({ i }, position) => (dependent[i] = 1 - factors[position]));
    const total = dependent.reduce((sum, value) => sum + value, 0);
    const byFew = few < k ? judged.length - rest.length : total;
    if (byFew >= 0.9 * judged.length) this.failingShare = Math.max(0.05, this.failingShare * 0.93);
    else if (byFew < 0.7 * judged.length) this.failingShare = Math.min(1, this.failingShare * 1.08);
    return dependent;
  }

  private trace(subset: Int32Array): number {
    let sum = 0;
    for (const row of subset) sum += this.rows.squaredNorms[row];
    return sum;
  }

  private slack(subset: Int32Array): number {
    return choleskySlack(this.rows.columns, subset.length, this.trace(subset));
  }

  private worthTrying(kind: string): boolean {
    const record = this.records.get(kind);
    return record === undefined || record.tried < 16 || record.decided > 0.05 * record.tried;
  }
}

function inBatches(judged: readonly Open[], run: (batch: readonly Open[]) => Uint8Array): Uint8Array {
  const results = new Uint8Array(judged.length);
  if (judged.length === 0) return results;
  const size = batchSize(judged[0].subset.length);
  for (let start = 0; start < judged.length; start += size) {
    results.set(run(judged.slice(start, start + size)), start);
  }
  return results;
}
