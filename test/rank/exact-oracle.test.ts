/**
 * Verdicts against an oracle: 4000 matrices within 20 % of a tolerance, as near as 1e-12, of which ball arithmetic proved the side
 * (test/golden/rank/near-tolerance.py). A verdict may be left open; none may be wrong.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decideExactly } from 'attention-capacity/rank/exact/decide';
import { relativeTolerance, type Rtol } from 'attention-capacity/rank/index';
import { IndependenceTest } from 'attention-capacity/rank/proofs/independence';
import type { Verdict } from 'attention-capacity/rank/proofs/proof';
import { prepareRows } from 'attention-capacity/rank/proofs/rows';
import type { Matrix } from 'attention-capacity/tensor/index';
import { root } from '../setup/scripts';
import { testInFloat64 } from './in-float64';
import { firstRows, matrix, rowsOf } from './matrices';

const golden = JSON.parse(readFileSync(join(root, 'test', 'golden', 'rank', 'near-tolerance.json'), 'utf8')) as {
  readonly tolerances: readonly Rtol[];
  readonly cases: readonly string[];
};

interface Case {
  readonly features: Matrix;
  readonly k: number;
  readonly rtol: Rtol;
  readonly independent: boolean;
}

const cases = golden.cases.map((line): Case => {
  const [k, d, family, tolerance, seed, t, independent] = line.split(' ');
  return {
    features: madeOf(family, Number(k), Number(d), Number(seed), Number(t)),
    k: Number(k),
    rtol: golden.tolerances[Number(tolerance)],
    independent: independent === '1',
  };
});

/** As `matrix` in the script. */
function madeOf(family: string, k: number, d: number, seed: number, t: number): Matrix {
  let state = (Math.imul(seed, 2654435761) + 12345) >>> 0;
  const features = matrix(k, d, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  const { data } = features;
  for (let j = 0; j < d; j++) {
    if (family === 'r') {
      let total = 0;
      for (let i = 0; i < k - 1; i++) total += ((i % 3) - 1) * data[i * d + j];
      data[(k - 1) * d + j] = total + t * data[(k - 1) * d + j];
      continue;
    }
    for (let i = 0; i < k; i++) {
      if (family === 'g') data[i * d + j] *= 2 ** -(j % 5);
      if (j >= k - 1) data[i * d + j] *= t;
    }
  }
  return features;
}

/** How many of the verdicts, one a case, are open; the others are right. */
function open(verdicts: readonly (boolean | null)[], by: string): number {
  verdicts.forEach((independent, i) => {
    if (independent !== null) assert.equal(independent, cases[i].independent, `${by}: ${golden.cases[i]}`);
  });
  return verdicts.filter((independent) => independent === null).length;
}

test('the cases', () => {
  assert.equal(cases.length, 4000);
  const independent = cases.filter((one) => one.independent).length;
  assert.ok(independent > 1500 && independent < 2500, `${independent} independent`);
  assert.equal(new Set(cases.map(({ rtol }) => rtol)).size, 7);
  assert.deepEqual([Math.min(...cases.map(({ k }) => k)), Math.max(...cases.map(({ k }) => k))], [1, 64]);
});

test('exact decisions: all of them, in any order of the rows', (context) => {
  const decide = ({ data, shape }: Matrix, rtol: Rtol) =>
    decideExactly(Float64Array.from(data), shape, relativeTolerance(rtol, ...shape));
  const decisions = cases.map(({ features, rtol }) => decide(features, rtol));
  const left = open(
    decisions.map(({ independent }) => independent),
    'exactly',
  );
  context.diagnostic(`${left} of ${cases.length} undecided`);
  assert.equal(left, 0);
  cases.forEach(({ features, k, rtol }, i) => {
    if (i % 10 === 0) assert.deepEqual(decide(rowsOf(features, firstRows(k).reverse()), rtol), decisions[i]);
  });
});

testInFloat64('verdicts, in the batches of tests and curves and one by one as in the search', (context) => {
  const ways: Record<string, (judge: IndependenceTest, subset: Int32Array) => Verdict> = {
    'likely independent': (judge, subset) => judge.judge([subset], 'independent')[0],
    'likely dependent': (judge, subset) => judge.judge([subset], 'dependent')[0],
    'one by one': (judge, subset) => judge.judgeOne(subset),
  };
  for (const [by, way] of Object.entries(ways)) {
    const methods: Partial<Record<string, number>> = {};
    const verdicts = cases.map(({ features, k, rtol }, i) => {
      // All in one way, a third in the others.
      if (by !== 'likely independent' && i % 3 > 0) return cases[i].independent;
      const { independent, method } = way(new IndependenceTest(prepareRows(features), rtol), firstRows(k));
      methods[method] = (methods[method] ?? 0) + 1;
      return independent;
    });
    const left = open(verdicts, by);
    context.diagnostic(`${by}: ${left} of ${cases.length} undecided; ${JSON.stringify(methods)}`);
    assert.equal(left, 0);
  }
});
