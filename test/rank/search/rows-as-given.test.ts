import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchKruskalRank } from 'attention-capacity/rank/kruskal-bounds';
import { dependentPair } from 'attention-capacity/rank/search/pairs';
import { Independence } from 'attention-capacity/rank/search/independence';
import { prepareRows } from 'attention-capacity/rank/proofs/rows';
import { randomSource, type Matrix } from 'attention-capacity/tensor';

const matrixOf = (rows: readonly (readonly number[])[]): Matrix => ({
  data: Float64Array.from(rows.flat()),
  shape: [rows.length, rows[0].length],
});

const normal = (T: number, d: number, seed: number) => {
  const random = randomSource(seed, 'rows as given');
  return Array.from({ length: T }, () => Array.from({ length: d }, () => random.normal()));
};

test('a row of 1e-300 beside one of 1e300 is not zero, but dependent with it', async () => {
  for (const rows of [
    [
      [1e300, 0],
      [0, 1e-300],
    ],
    [
      [0, 5e-324, 0],
      [1e308, 0, 0],
      [0, 0, 1e308],
    ],
  ]) {
    const { atLeast, atMost, witness } = await searchKruskalRank(matrixOf(rows), { rtol: 'float64', seed: 0 });
    assert.deepEqual([atLeast, atMost], [1, 1]);
    const tiny = rows.findIndex((row) => Math.max(...row) < 1);
    assert.ok(witness!.length === 2 && witness!.includes(tiny), `${witness}`);
  }
});

test('more rows than a table of pairs holds: rows keep their numbers, and every kind of row is seen', async () => {
  const rows = normal(6001, 2, 1);
  rows[5] = [0, 0];
  const zero = await searchKruskalRank(matrixOf(rows), { rtol: 'float64', seed: 0 });
  assert.deepEqual([zero.atLeast, zero.atMost, zero.witness], [0, 0, [5]]);
  assert.ok(
    zero.certificates.some(({ argument }) => argument === 'row 5 is zero'),
    JSON.stringify(zero.certificates),
  );
  rows[5] = rows[4711].map((value) => -3e-7 * value);
  const parallel = await searchKruskalRank(matrixOf(rows), { rtol: 'float64', seed: 0 });
  assert.deepEqual([parallel.atLeast, parallel.atMost, parallel.witness], [1, 1, [5, 4711]]);
  rows[5] = [1, 2];
  const general = await searchKruskalRank(matrixOf(rows), { rtol: 'float64', seed: 0 });
  assert.deepEqual([general.atLeast, general.atMost, general.witness], [2, 2, null]);
});

test('more rows than a table of pairs holds: vectors certify sets of more than two of all of them', async () => {
  const { atLeast, atMost } = await searchKruskalRank(matrixOf(normal(6100, 96, 2)), {
    rtol: 'float64',
    seed: 0,
    operations: 4e9,
  });
  assert.ok(atLeast >= 3 && atMost <= 96, `${atLeast}`);
});

test('the pair that sorting finds is there exactly when one of all pairs is dependent', async () => {
  const random = randomSource(3, 'pairs');
  let dependent = 0;
  for (let i = 0; i < 300; i++) {
    const [T, d] = [2 + random.integer(12), 1 + random.integer(4)];
    const rtol = 10 ** -(0.2 + 8 * random.uniform());
    const rows = normal(T, d, i).map((row) => {
      const length = 10 ** (i % 3 === 0 ? 6 * random.uniform() - 3 : 0);
      return row.map((value) => value * length);
    });
    if (d > 1) {
      // A pair near to the tolerance, on either side, with the other sign.
      const [a, b] = [random.integer(T), random.integer(T)];
      const factor = 2 * rtol * 10 ** (random.uniform() - 0.5);
      if (a !== b) rows[a] = rows[b].map((value, c) => -value * (1 + (c === 0 ? factor : 0)));
    }
    const independence = new Independence(prepareRows(matrixOf(rows)), rtol);
    const expected = rows.some((_, a) => rows.some((__, b) => b < a && independence.dependent([b, a])));
    const found = await dependentPair(independence);
    assert.equal(found !== null, expected, `rtol ${rtol}: ${JSON.stringify(rows)}`);
    if (found) assert.ok(found[0] < found[1] && independence.dependent(found));
    if (expected) dependent++;
  }
  assert.ok(dependent > 60 && dependent < 290, `${dependent}`);
});

test('bounds and witness do not depend on the order of the rows', async () => {
  const random = randomSource(4, 'order');
  for (let i = 0; i < 25; i++) {
    const [T, d] = [6 + random.integer(8), 3 + random.integer(5)];
    const rows = normal(T, d, i).map((row) => (i % 2 === 0 ? row : row.map(Math.round)));
    const rtol = i % 3 === 0 ? ('float64' as const) : 10 ** -(0.3 + 2 * random.uniform());
    const order = Array.from(random.permutation(T));
    const options = { rtol, seed: 0, operations: 2e8 };
    const given = await searchKruskalRank(matrixOf(rows), options);
    const other = await searchKruskalRank(matrixOf(order.map((row) => rows[row])), options);
    assert.deepEqual([other.atLeast, other.atMost], [given.atLeast, given.atMost], JSON.stringify(rows));
    const content = (numbers: readonly number[] | null, of: (row: number) => readonly number[]) =>
      numbers && numbers.map((row) => JSON.stringify(of(row))).sort();
    assert.deepEqual(
      content(other.witness, (row) => rows[order[row]]),
      content(given.witness, (row) => rows[row]),
    );
    if (given.witness) assert.equal(given.witnessMinimal, true);
  }
});
