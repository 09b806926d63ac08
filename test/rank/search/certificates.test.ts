import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchKruskalRank, type KruskalBounds } from 'attention-capacity/rank/kruskal-bounds';
import { randomSource, type Matrix, type Random } from 'attention-capacity/tensor';
import { exactKruskalRank, exactRank, subsets } from './exact-kruskal-rank';
import { singularValues } from 'attention-capacity/rank';

const matrixOf = (rows: readonly (readonly number[])[]): Matrix => ({
  data: Float64Array.from(rows.flat()),
  shape: [rows.length, rows[0].length],
});

const wholeNumbers = (random: Random, T: number, d: number, size: number) =>
  Array.from({ length: T }, () => Array.from({ length: d }, () => random.integer(2 * size + 1) - size));

/** Families in which certificates are tempted to claim too much. */
const families: Record<string, (random: Random) => number[][]> = {
  'few values': (random) => wholeNumbers(random, 4 + random.integer(6), 2 + random.integer(4), 1),
  'more values': (random) => wholeNumbers(random, 4 + random.integer(6), 2 + random.integer(4), 9),
  'a large common mean': (random) =>
    wholeNumbers(random, 4 + random.integer(5), 3 + random.integer(3), 3).map((row) =>
      row.map((value) => value + 1000),
    ),
  'rows of very different length': (random) =>
    wholeNumbers(random, 4 + random.integer(5), 3 + random.integer(3), 2).map((row, i) =>
      row.map((v) => v * 10 ** (i % 4)),
    ),
  'two blocks of columns': (random) =>
    wholeNumbers(random, 8, 3, 3).map((row, i) => (i % 2 === 0 ? [...row, 0, 0, 0] : [0, 0, 0, ...row])),
  'a repeated row': (random) => {
    const rows = wholeNumbers(random, 6, 4, 5);
    rows[random.integer(3)] = rows[3 + random.integer(3)].map((value) => -2 * value);
    return rows;
  },
  'more columns than rows': (random) => wholeNumbers(random, 2 + random.integer(4), 5 + random.integer(3), 1),
  Vandermonde: (random) => {
    const d = 2 + random.integer(3);
    return Array.from({ length: d + random.integer(4) }, (_, i) => Array.from({ length: d }, (_, j) => (i - 2) ** j));
  },
};

test('on whole numbers the search finds the exact Kruskal rank, by proof from both sides', async (t) => {
  const random = randomSource(3, 'whole numbers');
  for (const [family, make] of Object.entries(families)) {
    await t.test(family, async () => {
      for (let i = 0; i < 40; i++) {
        const rows = make(random);
        const expected = exactKruskalRank(rows);
        const bounds = await searchKruskalRank(matrixOf(rows), { rtol: 'float64', seed: i });
        const where = `${JSON.stringify(rows)}: ${JSON.stringify(bounds)}`;
        assert.equal(bounds.atLeast, expected, where);
        assert.equal(bounds.atMost, expected, where);
        if (bounds.witness === null) {
          assert.equal(bounds.atMost, Math.min(rows.length, rows[0].length), where);
          continue;
        }
        const witness = bounds.witness.map((row) => rows[row]);
        assert.equal(witness.length, expected + 1, where);
        assert.equal(exactRank(witness), expected, where);
      }
    });
  }
});

/** The Kruskal rank at a tolerance, from an SVD of every subset. */
function kruskalRankBySvd({ data, shape: [T, d] }: Matrix, ratio: (k: number) => number): number {
  for (let k = 1; k <= Math.min(T, d); k++) {
    for (const subset of subsets(T, k)) {
      const rows = Float64Array.from(subset.flatMap((row) => Array.from(data.subarray(row * d, (row + 1) * d))));
      const values = singularValues({ data: rows, shape: [k, d] });
      if (!(values[k - 1] > ratio(k) * values[0])) return k - 1;
    }
  }
  return Math.min(T, d);
}

test('at a tolerance no certificate claims more, and no witness less, than an SVD of every subset', async () => {
  const random = randomSource(4, 'tolerance');
  for (let i = 0; i < 120; i++) {
    const T = 4 + random.integer(5);
    const d = 2 + random.integer(4);
    const mean = random.integer(2) * 3;
    const data = Float64Array.from({ length: T * d }, () => mean + random.normal());
    if (i % 3 === 0) {
      // One row near the span of two others.
      const distance = 10 ** -(1 + 3 * random.uniform());
      for (let c = 0; c < d; c++) data[c] = data[d + c] - 0.5 * data[2 * d + c] + distance * random.normal();
    }
    const rtol = i % 4 === 0 ? ('float32' as const) : 10 ** -(0.5 + 3 * random.uniform());
    const ratio = (k: number) => (typeof rtol === 'number' ? rtol : Math.max(k, d) * 2 ** -23);
    const features: Matrix = { data, shape: [T, d] };
    const expected = kruskalRankBySvd(features, ratio);
    const operations = i % 2 === 0 ? undefined : 20_000;
    const bounds = await searchKruskalRank(features, { rtol, seed: i, operations });
    const where = `matrix ${i}, expected ${expected}: ${JSON.stringify(bounds)}`;
    assert.ok(bounds.atLeast <= expected && expected <= bounds.atMost, where);
    if (operations === undefined) assert.deepEqual([bounds.atLeast, bounds.atMost], [expected, expected], where);
    assertMinimal(features, bounds, ratio);
  }
});

function assertMinimal({ data, shape: [, d] }: Matrix, { witness }: KruskalBounds, ratio: (k: number) => number): void {
  if (witness === null) return;
  const independent = (set: readonly number[]) => {
    const rows = Float64Array.from(set.flatMap((row) => Array.from(data.subarray(row * d, (row + 1) * d))));
    const values = singularValues({ data: rows, shape: [set.length, d] });
    return set.length <= d && values[set.length - 1] > ratio(set.length) * values[0];
  };
  assert.ok(!independent(witness), `${witness} is independent`);
  for (const row of witness) {
    const rest = witness.filter((other) => other !== row);
    assert.ok(rest.length === 0 || independent(rest), `${witness} is dependent without row ${row}`);
  }
}
