/** The Kruskal rank over the rationals of matrices of which it is known, or was found by trying all sets (test/golden/rank/girths.py). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { rationalRows } from 'attention-capacity/rank/exact/rational-rows';
import { exactKruskalCurve, testExactKruskalRank } from 'attention-capacity/rank/exact-test';
import { searchExactKruskalRank } from 'attention-capacity/rank/kruskal-bounds';
import { randomSource } from 'attention-capacity/tensor/index';
import { root } from '../../setup/scripts';

const golden = JSON.parse(readFileSync(join(root, 'test', 'golden', 'rank', 'girths.json'), 'utf8')) as {
  readonly matrices: readonly {
    readonly name: string;
    readonly kruskalRank: number;
    readonly known: string;
    readonly rows: readonly string[];
  }[];
};

/** Rows of whole numbers, a line each. */
const rowsOf = (lines: readonly string[]) => {
  const rows = lines.map((line) => line.split(' ').map(BigInt));
  return rationalRows(rows.flat(), [rows.length, rows[0].length]);
};

for (const { name, kruskalRank, known, rows: lines } of golden.matrices) {
  const rows = rowsOf(lines);
  test(`${name}, ${rows.count} x ${rows.columns}: ${kruskalRank} (${known})`, async () => {
    const { atLeast, atMost, witness, relation } = await searchExactKruskalRank(rows, { seed: 0 });
    assert.deepEqual([atLeast, atMost], [kruskalRank, kruskalRank]);
    if (kruskalRank === Math.min(rows.count, rows.columns)) {
      assert.deepEqual([witness, relation], [null, null]);
      return;
    }
    assert.equal(witness!.length, kruskalRank + 1);
    assert.ok(relation!.every((weight) => weight !== 0n));
    for (let j = 0; j < rows.columns; j++) {
      const sum = relation!.reduce((total, weight, i) => total + weight * rows.rows[witness![i]][j], 0n);
      assert.equal(sum, 0n, `column ${j}`);
    }
  });
}

test('any order of the rows, and any multiples of them, give the same bounds', async () => {
  const random = randomSource(0, 'orders');
  for (const name of ['Petersen', 'ternary Golay [12, 6]', 'Steiner frame of the Fano plane']) {
    const { kruskalRank, rows: lines } = golden.matrices.find((one) => one.name === name)!;
    const values = Array.from(random.permutation(lines.length), (row) => {
      const factor = BigInt(1 + random.integer(1000)) << BigInt(random.integer(200));
      return lines[row].split(' ').map((value) => BigInt(value) * factor);
    });
    const rows = rationalRows(values.flat(), [values.length, values[0].length]);
    const { atLeast, atMost } = await searchExactKruskalRank(rows, { seed: 1 });
    assert.deepEqual([atLeast, atMost], [kruskalRank, kruskalRank], name);
  }
});

test('random subsets and permutations of the edges of the Petersen graph', async () => {
  const rows = rowsOf(golden.matrices.find(({ name }) => name === 'Petersen')!.rows);
  const four = await testExactKruskalRank(rows, { k: 4, draws: 200, seed: 0 });
  assert.deepEqual([four.satisfied, four.ranks, four.witness], [200, { 4: 200 }, null]);
  // 12 of the 3003 sets of 5 edges are cycles; of 10, none is a forest.
  const five = await testExactKruskalRank(rows, { k: 5, draws: 3000, seed: 0 });
  assert.ok(five.ci95[0] < 1 - 12 / 3003 && 1 - 12 / 3003 < five.ci95[1], five.ci95.join());
  assert.equal(five.ranks[4], 3000 - five.satisfied);
  const ten = await testExactKruskalRank(rows, { k: 10, draws: 50, seed: 0 });
  assert.equal(ten.satisfied, 0);
  assert.ok(Object.keys(ten.ranks).every((rank) => Number(rank) < 10));
  const curve = await exactKruskalCurve(rows, { permutations: 400, seed: 0 });
  assert.deepEqual([curve[3].fraction, curve[9].fraction], [1, 0]);
  // 2000 spanning trees among the 5005 sets of 9 edges.
  assert.ok(curve[8].ci95[0] < 2000 / 5005 && 2000 / 5005 < curve[8].ci95[1], curve[8].ci95.join());
});
