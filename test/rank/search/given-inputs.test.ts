/** Inputs on which the search once named a set that was not minimal, or took a hundred times its budget, and others of their kinds. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { searchKruskalRank } from 'attention-capacity/rank/kruskal-bounds';
import { decideByIntegers } from 'attention-capacity/rank/exact/multiprecision';
import { prepareRows } from 'attention-capacity/rank/proofs/rows';
import { excludeSets } from 'attention-capacity/rank/search/exclusion';
import { firstDependentSubset } from 'attention-capacity/rank/search/exhaustive';
import { Independence } from 'attention-capacity/rank/search/independence';
import { precondition } from 'attention-capacity/rank/search/preconditioning';
import { randomSource, type Matrix } from 'attention-capacity/tensor';
import { matrix, rowsOf, stacked, withSingularValues } from '../matrices';

const golden = join(__dirname, '../../../golden/rank/search-inputs.json');
const given = JSON.parse(readFileSync(golden, 'utf8')) as Record<'witnessNotMinimal' | 'nearlyParallel', number[][]>;
const matrixOf = (rows: readonly number[][]) => matrix(rows.length, rows[0].length, (i, j) => rows[i][j]);

/** Whether rows are dependent at float64's tolerance, in whole numbers. */
function isDependent(features: Matrix, rows: readonly number[]): boolean {
  const d = features.shape[1];
  const chosen = Float64Array.from(rowsOf(features, rows).data);
  const { independent } = decideByIntegers(chosen, [rows.length, d], Math.max(rows.length, d) * 2 ** -52);
  assert.notEqual(independent, null);
  return !independent;
}

test('a witness near to the tolerance is minimal: no row of it can be left out', async () => {
  const random = randomSource(0, 'witness');
  const others = Array.from({ length: 6 }, () => {
    const near = 8 * 2 ** -52 * (0.99 + 0.005 * random.uniform());
    const three = withSingularValues(3, 8, [1, 0.9, near], random);
    return stacked(three, withSingularValues(3, 8, [1, 0.8, 0.6], random));
  });
  for (const [index, features] of [matrixOf(given.witnessNotMinimal), ...others].entries()) {
    const { atLeast, atMost, witness } = await searchKruskalRank(features, { rtol: 'float64', seed: 0 });
    assert.equal(atLeast, atMost);
    if (index === 0) assert.deepEqual(witness, [0, 1, 2]);
    assert.equal(witness!.length, atMost + 1);
    assert.ok(isDependent(features, witness!));
    for (const row of witness!) {
      const rest = witness!.filter((other) => other !== row);
      assert.ok(!isDependent(features, rest), `${rest} of ${witness}`);
    }
  }
});

test('where every verdict takes finer arithmetic budgets are kept all the same', async () => {
  const random = randomSource(0, 'budget');
  const others = [1e-9, 1e-10].map((noise) => matrix(40, 4, () => 1 + noise * random.normal()));
  const budget = 2e7;
  for (const features of [matrixOf(given.nearlyParallel), ...others]) {
    const independence = new Independence(prepareRows(features), 'float64');
    const found = await firstDependentSubset(independence, 4, budget);
    // One verdict more is asked for than the budget allows.
    assert.ok(found !== null && independence.spent < 1.1 * budget, `${independence.spent}`);
    const { outcome, spent } = await excludeSets(independence, precondition(independence), 4, budget);
    assert.ok(outcome !== 'excluded' && spent < 1.1 * budget, `${outcome} ${spent}`);
    const { atLeast, atMost } = await searchKruskalRank(features, { rtol: 'float64', seed: 0, operations: budget });
    assert.ok(atLeast >= 1 && atLeast <= atMost);
  }
});
