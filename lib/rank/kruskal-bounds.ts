/**
 * Bounds of the Kruskal rank that hold for every subset: certificates from below, a witness from above. Random draws
 * estimate how many subsets are independent; they neither prove that all are nor find four dependent rows among 400.
 */
import { begin, Interrupted } from '../work';
import { randomSource, type Matrix, type Random } from '../tensor';
import { LinearIndependence } from './exact/linear-independence';
import { inFloat64, type RationalRows } from './exact/rational-rows';
import { defaultOperations, type Certificate, type KruskalBounds, type KruskalSearchOptions } from './search/bounds';
import { smallCircuit } from './search/circuits';
import { boundByLeaders } from './search/dual-ascent';
import { excludeSets } from './search/exclusion';
import { exhaustiveCost, firstDependentSubset, subsetCount, subsetExponent } from './search/exhaustive';
import { Independence } from './search/independence';
import { dependentPair, dependentRow } from './search/pairs';
import { precondition, rowsNeeded, type Preconditioned } from './search/preconditioning';
import { pursue, reweight, reweightCost } from './search/pursuit';
import { gatherRows, prepareRows, type Rows } from './proofs/rows';
import { dependentPrefix, minimal, shrink } from './search/shrink';

export type { Certificate, KruskalBounds, KruskalSearchOptions } from './search/bounds';

/** A Gram matrix of more rows than this is not held; witnesses are then looked for among a sample of the rows. */
const MOST_ROWS = 6000;

/**
 * Bounds of the Kruskal rank of the rows of `features` [T, d] at a tolerance: the largest k such that every k rows have
 * rank k, where a singular value counts when it is strictly greater than the tolerance times sigma_max of the subset.
 *
 * Certified from below by: zero rows and all pairs; a vector for each row; cosines after preconditioning (coherence); branch
 * and bound over small sets; every subset, where there are few. Bounded from above by an adversarial search (fundamental circuits,
 * matching pursuit, reweighted least squares, prefixes of random orders), each find reduced to a minimal set.
 * All arithmetic is float64. Throws `InputError` on an empty matrix, NaN or infinity.
 */
export async function searchKruskalRank(features: Matrix, options: KruskalSearchOptions): Promise<KruskalBounds> {
  return searchRows(prepareRows(features), options);
}

/**
 * The same without a tolerance: bounds of the girth, less one, of the matroid of these rows over the rationals. What is certified
 * by rounded arithmetic holds at float64's tolerance, which is above what rounding the rows changes; a witness is a circuit,
 * proved by a relation in whole numbers.
 */
export async function searchExactKruskalRank(
  rows: RationalRows,
  options: Omit<KruskalSearchOptions, 'rtol'>,
): Promise<KruskalBounds> {
  const rounded = prepareRows({ data: inFloat64(rows), shape: [rows.count, rows.columns] });
  return searchRows(rounded, { ...options, rtol: 'float64' }, new LinearIndependence(rows));
}

/** Rows are searched in the order of their values, so that the order in which they are given makes no difference. */
async function searchRows(
  rows: Rows,
  options: KruskalSearchOptions,
  exactly: LinearIndependence | null = null,
): Promise<KruskalBounds> {
  const order = orderOfValues(rows);
  const place = new Map(order.map((row, at) => [row, at]));
  const known = options.known?.map((set) => set.map((row) => place.get(row)!));
  return new Search(chosen(rows, order), order, { ...options, known }, exactly && exactly.among(order)).run();
}

/** Thrown by a search that was interrupted: `bounds` is what was proved until then. */
export class KruskalSearchInterrupted extends Interrupted {
  constructor(
    readonly bounds: KruskalBounds,
    done: number,
    total: number,
  ) {
    super(
      `the Kruskal rank, proved to be from ${bounds.atLeast} to ${bounds.atMost}, steps of the search`,
      done,
      total,
    );
  }
}

class Search {
  private readonly independence: Independence;
  /** Among these rows, all or a sample, a witness is looked for; their numbers among all. */
  private readonly pool: Independence;
  private readonly inPool: ArrayLike<number>;
  private readonly random: Random;
  private readonly T: number;
  private readonly d: number;
  private readonly operations: number;
  private readonly certificates: Certificate[] = [];
  private readonly notes: string[] = [];
  private atLeast = 0;
  private atMost: number;
  private witness: number[] | null = null;

  constructor(
    rows: Rows,
    /** What the rows are called: their numbers as they were given. */
    private readonly names: readonly number[],
    private readonly options: KruskalSearchOptions,
    exactly: LinearIndependence | null,
  ) {
    this.T = rows.count;
    this.d = rows.columns;
    this.independence = new Independence(rows, options.rtol, exactly);
    this.pool = this.independence;
    this.inPool = names.map((_, i) => i);
    if (this.T > MOST_ROWS) {
      this.inPool = randomSource(options.seed, 'kruskal-sample').subset(this.T, MOST_ROWS);
      const sample = Array.from(this.inPool);
      this.pool = new Independence(chosen(rows, sample), options.rtol, exactly && exactly.among(sample));
    }
    this.random = randomSource(options.seed, 'kruskal-search');
    this.operations = options.operations ?? defaultOperations(this.T, this.d);
    this.atMost = Math.min(this.T, this.d);
  }

  async run(): Promise<KruskalBounds> {
    this.certify('atMost', this.atMost, `no more than min(T, d) = ${this.atMost} rows can be independent`);
    if (this.rowsAndAll()) return this.result();
    const steps: readonly (() => void | Promise<void>)[] = [
      () => this.pairs(),
      () => this.knownSets(),
      () => this.everySubset(0.01, false),
      () => this.exactDependencies(),
      () => this.pursuit(),
      () => this.leaders(),
      () => this.everySubset(0.25, false),
      () => this.smallSets(),
      () => this.nearDependencies(),
      () => this.everySubset(0.25, true),
    ];
    for (const [done, step] of steps.entries()) {
      if (!this.open()) break;
      try {
        await step();
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        this.notes.push('interrupted: these bounds are what was proved until then');
        throw new KruskalSearchInterrupted(this.result(), done, steps.length);
      }
    }
    return this.result();
  }

  private open(): boolean {
    return this.atLeast < this.atMost;
  }

  private certify(bound: 'atLeast' | 'atMost', value: number, argument: string): void {
    this.certificates.push({ bound, value, argument });
    if (bound === 'atLeast') this.atLeast = Math.max(this.atLeast, value);
    else this.atMost = Math.min(this.atMost, value);
  }

  /** Certifies what sets judged one by one prove if none was found to be dependent since `undecided` of them were open. */
  private certifyJudged(undecided: number, value: number, argument: string): boolean {
    const open = this.independence.undecided - undecided;
    if (open === 0) this.certify('atLeast', value, argument);
    else
      this.notes.push(`${open} sets of up to ${value} rows, too near to the tolerance to be told from dependent ones`);
    return open === 0;
  }

  /** Takes a dependent set of the pool, made minimal, as a bound from above if it is smaller than the one before. */
  private foundInPool(set: readonly number[], how: string): void {
    const reduced = minimal(this.pool, set);
    const all = [reduced, set].map((rows) => rows.map((row) => this.inPool[row]));
    // Each reduction is a verdict; should two verdicts on one set differ, the larger set is still a witness.
    const witness = all.find((rows) => rows.length > this.d || this.independence.dependent(rows));
    if (witness) this.found(witness, how);
  }

  /** Takes a dependent set as a bound from above if it is smaller than the one before. */
  private found(rows: readonly number[], how: string): void {
    const set = [...rows].sort((a, b) => this.names[a] - this.names[b]);
    if (set.length > this.atMost) return;
    const { exactly } = this.independence;
    if (exactly) {
      this.witness = set;
      this.certify(
        'atMost',
        set.length - 1,
        `${set.length} rows are dependent, ${how}: ${relationText(exactly, set, this.names)}`,
      );
      return;
    }
    const { ratio, tolerance } = this.independence.sigma(set);
    this.witness = set;
    const words = `${set.length} rows are dependent, ${how}: sigma_min / sigma_max (${ratio.toExponential(2)} by SVD)`;
    this.certify('atMost', set.length - 1, `${words} is proved not to be above ${tolerance.toExponential(2)}`);
  }

  /** Zero rows, and the whole set when it fits into d dimensions. True when that decides everything. */
  private rowsAndAll(): boolean {
    const row = dependentRow(this.independence);
    if (row !== null) {
      this.witness = [row];
      const zero = this.independence.ratio(1) < 1;
      this.certify(
        'atMost',
        0,
        zero ? `row ${this.names[row]} is zero` : 'the tolerance leaves no singular value standing',
      );
      return true;
    }
    this.certify('atLeast', 1, `none of the ${this.T} rows is zero`);
    const all = Array.from({ length: this.T }, (_, i) => i);
    if (this.T > this.d) return false;
    const { undecided } = this.independence;
    if (!this.independence.dependent(all)) {
      const argument = `all ${this.T} rows together are independent, so every subset is`;
      return this.certifyJudged(undecided, this.T, argument);
    }
    if (this.T > 1) this.found(minimal(this.independence, all), 'reduced from all rows');
    return false;
  }

  private async pairs(): Promise<void> {
    const { undecided } = this.independence;
    const pair = await dependentPair(this.independence);
    if (pair) this.found(pair, 'found among all pairs');
    else this.certifyJudged(undecided, 2, `each of the ${subsetCount(this.T, 2)} pairs is independent`);
  }

  private knownSets(): void {
    const { independence } = this;
    const sets = (this.options.known ?? []).filter((set) => set.length <= this.d && independence.dependent(set));
    const smallest = sets.map((set) => shrink(independence, set)).sort((a, b) => a.length - b.length)[0];
    if (smallest) this.found(minimal(independence, smallest), 'reduced from a set given as dependent');
  }

  /** Dependencies of few rows that hold far below the tolerance. */
  private async exactDependencies(): Promise<void> {
    const circuit = await smallCircuit(this.pool, this.random, this.atMost + 1, this.operations * 0.25);
    if (circuit) this.foundInPool(circuit, 'found as a fundamental circuit');
  }

  /** Matching pursuit from as many rows as the budget allows. */
  private async pursuit(): Promise<void> {
    const { atMost } = this;
    const T = this.pool.count;
    const { cosines } = this.preconditioned();
    const order = (leader: number) => pursue(cosines, T, leader, this.atMost);
    await this.prefixes('found by matching pursuit', order, (T * atMost ** 2) / 2, 0.15);
  }

  /** What finds more, at a higher price: reweighted least squares, then prefixes of random orders. */
  private async nearDependencies(): Promise<void> {
    const { pool: independence, random, d } = this;
    const T = independence.count;
    if (d <= T) {
      // TensorFlow multiplies some eight times faster than the rest of the search.
      const cost = reweightCost(T, d) / 8;
      await this.prefixes('found by reweighted least squares', (leader) => reweight(independence, leader), cost, 0.15);
    }
    await this.prefixes('found at the end of a random order', () => random.permutation(T), this.atMost ** 3 / 2, 0.05);
  }

  /** Orders of the rows that belong to random leaders, at a cost each: the shortest dependent prefix, made minimal. */
  private async prefixes(
    how: string,
    order: (leader: number) => ArrayLike<number>,
    cost: number,
    share: number,
  ): Promise<void> {
    if (!this.open()) return;
    const { pool: independence, random } = this;
    const T = independence.count;
    // A verdict costs a Cholesky factorization; where the tolerance is beyond a Gram's reach, now and then an SVD.
    const verdict = this.atMost ** 3 * (independence.ratio(this.atMost) > 1e-7 ? 0.2 : 2);
    const tries = Math.min(T, Math.max(1, Math.floor((share * this.operations) / (cost + verdict))));
    let best: number[] | null = null;
    const work = begin(`sets near to dependence, ${how}`, tries);
    const { spent } = independence;
    try {
      for (const [done, leader] of random.permutation(T).subarray(0, tries).entries()) {
        if (done > 0 && independence.spent - spent > share * this.operations) break;
        const prefix = dependentPrefix(independence, order(leader), best ? best.length - 1 : this.atMost);
        if (prefix) best = shrink(independence, prefix);
        await work.advance(done);
      }
    } finally {
      work.end();
    }
    if (best) this.foundInPool(best, how);
  }

  private cached: Preconditioned | null = null;
  private preconditioned(): Preconditioned {
    return (this.cached ??= precondition(this.pool));
  }

  /** One vector for each row: what excludes small sets where there are too many to be looked at. */
  private async leaders(): Promise<void> {
    const bound = await boundByLeaders(this.independence, this.atMost, this.operations * 0.5);
    if (bound === null || bound.atLeast <= this.atLeast) return;
    const found = `rows whitened at alpha = ${bound.alpha} ||X||_F, ${bound.steps} steps`;
    this.certify('atLeast', bound.atLeast, `a vector for each row leaves it no ${bound.atLeast - 1} others (${found})`);
  }

  /** Coherence, then branch and bound, one size after the other. */
  private async smallSets(): Promise<void> {
    const { independence, T } = this;
    if (T > MOST_ROWS) {
      const rest = `witnesses were looked for among ${MOST_ROWS} of ${T} rows, and branch and bound was not tried`;
      this.notes.push(`more than ${MOST_ROWS} rows: ${rest}`);
      return;
    }
    const view = this.preconditioned();
    const map = view.alpha === null ? 'the rows as they are' : `rows whitened at alpha = ${view.alpha} ||X||_F`;
    let needed = Infinity;
    for (let i = 0; i < T; i++) {
      needed = Math.min(needed, rowsNeeded(view.cosines.subarray(i * T, (i + 1) * T), i, view.slack));
    }
    if (needed - 1 > this.atLeast) {
      const value = Math.min(needed - 1, this.atMost);
      this.certify('atLeast', value, `coherence: the ${needed - 2} largest cosines of no row (${map}) add up to 1`);
    } else {
      this.notes.push(`coherence is vacuous here: it proves ${needed - 1} (${map})`);
    }
    let left = this.operations * 0.45;
    while (this.open()) {
      const m = this.atLeast + 1;
      const sets = subsetCount(T, m).toPrecision(3);
      const { undecided } = independence;
      const result = await excludeSets(independence, view, m, left);
      left -= result.spent;
      if (result.outcome === 'found') {
        this.found(minimal(independence, result.set), `found by branch and bound over sets of up to ${m}`);
        if (this.atMost >= m) return;
      } else if (result.outcome === 'excluded') {
        const argument = `branch and bound (${result.nodes} nodes) leaves none of the ${sets} sets of ${m} rows`;
        if (!this.certifyJudged(undecided, m, argument)) return;
      } else {
        this.notes.push(`branch and bound over the ${sets} sets of ${m} rows was given up after ${result.nodes} nodes`);
        return;
      }
    }
  }

  /** From the top: if all sets of the size in question are few, at most this share of the work, they are all judged; `last` says so if not. */
  private async everySubset(share: number, last: boolean): Promise<void> {
    const { independence, T } = this;
    while (this.open()) {
      const k = this.atMost;
      const cost = exhaustiveCost(T, k);
      const sets = subsetCount(T, k);
      if (cost > this.operations * share) {
        const note = `all sets of ${k} rows, some 10^${subsetExponent(T, k)} of them, are too many to be judged one by one`;
        if (last) this.notes.push(note);
        return;
      }
      const { undecided } = independence;
      const set = await firstDependentSubset(independence, k, share * this.operations);
      if (set === undefined) {
        if (last) this.notes.push(`judging all ${sets} sets of ${k} rows was given up: most are near to the tolerance`);
        return;
      }
      if (set === null) {
        if (!this.certifyJudged(undecided, k, `each of the ${sets} sets of ${k} rows was judged`)) return;
      } else {
        this.found(minimal(independence, set), `found among all ${sets} sets of ${k}`);
        if (this.atMost >= k) return;
      }
    }
  }

  private result(): KruskalBounds {
    const { witness, atLeast, atMost, certificates, notes, names, independence } = this;
    const { exactly } = independence;
    return {
      atLeast,
      atMost,
      witness: witness && witness.map((row) => names[row]),
      witnessMinimal: witness && this.isMinimal(witness),
      ...(exactly && { relation: witness && exactly.relation(witness) }),
      witnessSigma: witness && independence.sigma(witness),
      certificates,
      notes,
      rtol: this.options.rtol,
      seed: this.options.seed,
      precision: 'float64',
    };
  }

  /** Whether all sets of one row less are proved to be independent. */
  private isMinimal(witness: readonly number[]): boolean {
    if (witness.length === this.atLeast + 1 || this.independence.exactly) return true;
    if (witness.length ** 4 > Math.max(this.operations, 2e9)) return false;
    const { undecided } = this.independence;
    const without = witness.map((row) => witness.filter((other) => other !== row));
    return without.every((set) => !this.independence.dependent(set)) && this.independence.undecided === undecided;
  }
}

/** Row numbers, those of lesser values first: column by column, then by number. */
function orderOfValues({ original, count, columns }: Rows): number[] {
  return Array.from({ length: count }, (_, i) => i).sort((a, b) => {
    for (let j = 0; j < columns; j++) {
      const difference = original[a * columns + j] - original[b * columns + j];
      if (difference !== 0) return difference;
    }
    return a - b;
  });
}

function chosen({ original, columns }: Rows, set: readonly number[]): Rows {
  return prepareRows({ data: gatherRows(original, columns, set), shape: [set.length, columns] });
}

/** A relation between rows x_i in whole numbers, or as much of it as a line holds. */
function relationText(exactly: LinearIndependence, set: readonly number[], names: readonly number[]): string {
  const relation = exactly.relation(set)!;
  const sign = relation[0] < 0n ? -1n : 1n;
  const terms = relation.map((weight, i) => {
    const value = sign * weight;
    const size = value < 0n ? -value : value;
    return `${value < 0n ? '-' : '+'} ${size === 1n ? '' : `${size} `}x${names[set[i]]}`;
  });
  const text = terms.join(' ').slice(2);
  return text.length > 200 ? `their relation in whole numbers begins ${text.slice(0, 160)} …` : `${text} = 0`;
}
