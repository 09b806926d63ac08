import assert from 'node:assert/strict';
import { test } from 'node:test';
import { excludeSets } from 'attention-capacity/rank/search/exclusion';
import { Independence } from 'attention-capacity/rank/search/independence';
import { precondition, rowsNeeded } from 'attention-capacity/rank/search/preconditioning';
import { prepareRows } from 'attention-capacity/rank/proofs/rows';
import { randomSource, type Random } from 'attention-capacity/tensor';
import { exactKruskalRank } from './exact-kruskal-rank';

const MATRICES = process.env.ATTENTION_TEST_ALL ? 3000 : 300;

function independenceOf(rows: readonly (readonly number[])[]): Independence {
  const prepared = prepareRows({ data: Float64Array.from(rows.flat()), shape: [rows.length, rows[0].length] });
  return new Independence(prepared, 'float64');
}

function wholeNumbers(random: Random): number[][] {
  const T = 4 + random.integer(7);
  const d = 2 + random.integer(5);
  const size = 1 + random.integer(6);
  const mean = random.integer(3) * 50;
  const rows = Array.from({ length: T }, () =>
    Array.from({ length: d }, () => mean + random.integer(2 * size + 1) - size),
  );
  // A row that some others add up to.
  if (random.integer(2) === 0) rows[T - 1] = rows[0].map((value, c) => value + rows[1][c] - rows[2][c]);
  return rows.filter((row) => row.some((value) => value !== 0));
}

test('coherence and branch and bound agree with exact arithmetic on matrices of whole numbers', async () => {
  const random = randomSource(11, 'small sets');
  let proved = 0;
  for (let i = 0; i < MATRICES; i++) {
    const rows = wholeNumbers(random);
    if (rows.length < 3) continue;
    const expected = exactKruskalRank(rows);
    const independence = independenceOf(rows);
    const view = precondition(independence);
    const T = rows.length;
    const needed = rows.map((_, t) => rowsNeeded(view.cosines.subarray(t * T, (t + 1) * T), t, view.slack));
    const coherence = Math.min(...needed) - 1;
    const where = `${JSON.stringify(rows)}, rank ${expected}`;
    assert.ok(coherence <= expected || expected === rows[0].length, `coherence claims ${coherence}: ${where}`);
    for (let m = 1; m <= Math.min(T, rows[0].length); m++) {
      const { outcome, set } = await excludeSets(independence, view, m, 1e9);
      assert.equal(outcome, m <= expected ? 'excluded' : 'found', `m = ${m}: ${where}`);
      if (outcome === 'found') {
        assert.ok(set.length <= m && independence.dependent(set), `${set}: ${where}`);
        break;
      }
      proved++;
    }
  }
  assert.ok(proved > MATRICES, `only ${proved} exclusions`);
});

test('branch and bound looks at few of the sets that it excludes', async () => {
  const random = randomSource(12, 'few nodes');
  const rows = Array.from({ length: 200 }, () => Array.from({ length: 64 }, () => random.normal()));
  const independence = independenceOf(rows);
  const { outcome, nodes } = await excludeSets(independence, precondition(independence), 4, 1e9);
  assert.equal(outcome, 'excluded');
  // Of 64 684 950 sets.
  assert.ok(nodes < 5000, `${nodes}`);
});

test('a budget that is too small is said, not exceeded by much', async () => {
  const random = randomSource(13, 'budget');
  const rows = Array.from({ length: 100 }, () => Array.from({ length: 20 }, () => 10 + random.normal()));
  const independence = independenceOf(rows);
  const { outcome, spent } = await excludeSets(independence, precondition(independence), 8, 1e6);
  assert.equal(outcome, 'budget');
  assert.ok(spent < 2e6, `${spent}`);
});
