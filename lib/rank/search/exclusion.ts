/**
 * Proof, by branch and bound, that no set of up to m rows is dependent; or the first such set.
 *
 * Start from preconditioning.ts: a dependent set has a leader l and |b_j| <= 1 with u_l + sum b_j u_j = r,
 * ||r|| <= slack. Take the inner product with any vector v = u_l - (a combination of members already chosen):
 *
 *     u_l . v  <=  sum over chosen j of |u_j . v|  +  sum over the members not yet chosen of |u_j . v|  +  slack * ||v||.
 *
 * With v the part of u_l orthogonal to the chosen ones the first sum vanishes, so the members still missing must have
 * large |u_j . v|: few rows do. Branch on the missing member with the largest one; rows passed over are out of the
 * branch. With nothing chosen this is the coherence (Babel) bound; with everything chosen it is the definition.
 */
import { begin } from '../../work';
import type { Independence } from './independence';
import type { Preconditioned } from './preconditioning';

export interface Exclusion {
  readonly outcome: 'excluded' | 'found' | 'budget';
  /** The dependent set that was found. */
  readonly set: readonly number[];
  /** Partial sets looked at, and multiplications that it took. */
  readonly nodes: number;
  readonly spent: number;
}

/** Directions whose inner products would be known worse than this are left out of v; that weakens the bound only. */
const WORST_DIRECTION = 1e-10;
/** Sets that were judged. */
const MOST_REMEMBERED = 1e6;
/** How far orthogonality lost to rounding may put ||v|| above (u_l . v)^(1/2). */
const NORM_ERROR = 1e-3;

/** `operations` bounds the multiplications spent. Sets dependent at the tolerance are confirmed by `independence`. */
export async function excludeSets(
  independence: Independence,
  { cosines, cosineError, slack }: Preconditioned,
  m: number,
  operations: number,
): Promise<Exclusion> {
  const T = independence.count;
  const delta = slack(m);
  const values = Array.from({ length: m }, () => new Float64Array(T));
  const directions = Array.from({ length: m }, () => new Float64Array(T));
  const out = new Uint8Array(T);
  const members: number[] = [];
  let nodes = 0;
  let spent = 0;
  let found: number[] | null = null;

  /** A set comes up once for each of its rows that may lead it; it is judged once. */
  const judged = new Set<string>();
  function isDependent(set: readonly number[]): boolean {
    const sorted = [...set].sort((a, b) => a - b);
    const key = sorted.join();
    if (judged.has(key)) return false;
    if (judged.size < MOST_REMEMBERED) judged.add(key);
    const before = independence.spent;
    const dependent = independence.dependent(sorted);
    spent += independence.spent - before;
    return dependent;
  }

  /**
   * `depth` directions span the chosen members; values[depth][j] = u_j . v up to `error`, each of the directions' inner
   * products up to `directionErrors`. False when the budget is gone or a dependent set was found.
   */
  function visit(depth: number, missing: number, error: number, directionErrors: readonly number[]): boolean {
    nodes++;
    spent += 2 * T + 500;
    const v = values[depth];
    const leader = members[0];
    const norm = Math.sqrt(Math.max(v[leader], 0)) + NORM_ERROR;
    let need = v[leader] - delta * norm - (m + 1) * error;
    for (let p = 1; p < members.length; p++) need -= Math.abs(v[members[p]]);
    if (!(need > 0) && members.length > 1) {
      if (isDependent(members)) {
        found = [...members];
        return false;
      }
    }
    if (missing === 0) return true;
    const threshold = need / missing;
    const candidates: number[] = [];
    for (let j = 0; j < T; j++) {
      if (out[j] === 0 && !(Math.abs(v[j]) < threshold)) candidates.push(j);
    }
    candidates.sort((a, b) => Math.abs(v[b]) - Math.abs(v[a]) || a - b);
    let passed = 0;
    let going = true;
    for (; passed < candidates.length && going; passed++) {
      // This candidate has the largest inner product of the missing members, the next ones follow, the rest are below.
      let reach = 0;
      for (let q = 0; q < missing; q++) {
        reach += passed + q < candidates.length ? Math.abs(v[candidates[passed + q]]) : Math.max(threshold, 0);
      }
      if (reach < need) break;
      going = choose(candidates[passed], depth, missing, error, directionErrors);
      out[candidates[passed]] = 1;
    }
    for (let p = 0; p < passed; p++) out[candidates[p]] = 0;
    return going;
  }

  function choose(
    chosen: number,
    depth: number,
    missing: number,
    error: number,
    directionErrors: readonly number[],
  ): boolean {
    const v = values[depth];
    const leader = members[0];
    let rest = 1;
    for (let s = 0; s < depth; s++) rest -= directions[s][chosen] ** 2;
    if (missing === 1 && rest > 1e-6 && depth === members.length - 1) {
      // The last member: the residual is a number, no vector is needed.
      spent += 4 * depth + 8;
      const residual = v[leader] - v[chosen] ** 2 / rest;
      const doubt = ((error + Math.max(cosineError, ...directionErrors)) * (10 * (depth + 1))) / rest;
      if (residual - doubt > (delta + NORM_ERROR) ** 2) return true;
    }
    if (spent > operations) return false;
    members.push(chosen);
    out[chosen] = 1;
    let directionError = cosineError;
    for (let s = 0; s < depth; s++) directionError += (Math.abs(directions[s][chosen]) + 1e-15) * directionErrors[s];
    directionError = directionError / Math.sqrt(rest) + 1e-15;
    let going: boolean;
    if (rest > 0 && directionError < WORST_DIRECTION && depth + 1 < m) {
      const direction = directions[depth];
      const scale = 1 / Math.sqrt(rest);
      const row = chosen * T;
      for (let j = 0; j < T; j++) direction[j] = cosines[row + j];
      for (let s = 0; s < depth; s++) {
        const earlier = directions[s];
        const factor = earlier[chosen];
        for (let j = 0; j < T; j++) direction[j] -= factor * earlier[j];
      }
      const part = direction[leader] * scale;
      const next = values[depth + 1];
      for (let j = 0; j < T; j++) {
        direction[j] *= scale;
        next[j] = v[j] - part * direction[j];
      }
      spent += T * (depth + 3);
      const nextError = error + Math.abs(part) * directionError + 1e-15;
      going = visit(depth + 1, missing - 1, nextError, [...directionErrors, directionError]);
    } else {
      going = visit(depth, missing - 1, error, directionErrors);
    }
    members.pop();
    out[chosen] = 0;
    return going;
  }

  const work = begin(`no dependent set of ${m} rows or fewer`, T);
  try {
    for (let leader = 0; leader < T; leader++) {
      members.push(leader);
      out[leader] = 1;
      values[0].set(cosines.subarray(leader * T, (leader + 1) * T));
      const going = visit(0, m - 1, cosineError, []);
      members.length = 0;
      out.fill(0);
      if (found) return { outcome: 'found', set: found, nodes, spent };
      if (!going) return { outcome: 'budget', set: [], nodes, spent };
      await work.advance(leader);
    }
    return { outcome: 'excluded', set: [], nodes, spent };
  } finally {
    work.end();
  }
}
