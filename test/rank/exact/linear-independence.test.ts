/**
 * Linear independence without a tolerance, against elimination in fractions of whole numbers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinearIndependence } from 'attention-capacity/rank/exact/linear-independence';
import { inFloat64, rationalRows } from 'attention-capacity/rank/exact/rational-rows';
import { type Random, randomSource } from 'attention-capacity/tensor/index';
import { firstRows, normalMatrix } from '../matrices';

/** The rank of whole numbers by fraction-free elimination (Bareiss, 1968). */
function rankByFractions(rows: readonly (readonly bigint[])[]): number {
  const left = rows.map((row) => [...row]);
  let rank = 0;
  let before = 1n;
  for (let column = 0; column < rows[0].length && rank < left.length; column++) {
    const pivot = left.findIndex((row, i) => i >= rank && row[column] !== 0n);
    if (pivot < 0) continue;
    [left[rank], left[pivot]] = [left[pivot], left[rank]];
    const own = left[rank];
    for (let i = rank + 1; i < left.length; i++) {
      const factor = left[i][column];
      left[i] = left[i].map((value, j) => (value * own[column] - factor * own[j]) / before);
    }
    before = own[column];
    rank++;
  }
  return rank;
}

/** [T, d] of rank at most `rank`: products of whole numbers of up to `bits` bits. */
function ofRank(count: number, columns: number, rank: number, bits: number, random: Random): bigint[] {
  const whole = () => BigInt(Math.floor((2 * random.uniform() - 1) * 2 ** bits));
  const left = Array.from({ length: count * rank }, whole);
  const right = Array.from({ length: rank * columns }, whole);
  return Array.from({ length: count * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    let sum = 0n;
    for (let l = 0; l < rank; l++) sum += left[i * rank + l] * right[l * columns + j];
    return sum;
  });
}

/** That a relation holds, and is not trivial. */
function holds(relation: readonly bigint[] | null, rows: readonly (readonly bigint[])[]): boolean {
  return (
    relation !== null &&
    relation.some((weight) => weight !== 0n) &&
    rows[0].every((_, j) => relation.reduce((sum, weight, i) => sum + weight * rows[i][j], 0n) === 0n)
  );
}

test('ranks of matrices of whole numbers of 1 to 200 bits, of full rank and of less', () => {
  const random = randomSource(0, 'ranks');
  const seen = { full: 0, less: 0 };
  for (let trial = 0; trial < 200; trial++) {
    const [count, columns] = [1 + random.integer(9), 1 + random.integer(9)];
    const values = ofRank(count, columns, 1 + random.integer(9), [1, 3, 10, 53, 100][trial % 5], random);
    const rational = rationalRows(values, [count, columns]);
    const exact = new LinearIndependence(rational);
    const rank = rankByFractions(rational.rows);
    const all = firstRows(count);
    assert.equal(exact.rank(all), rank, `trial ${trial}`);
    assert.equal(exact.independent(all), rank === count, `trial ${trial}`);
    const relation = exact.relation(all);
    if (rank === count) assert.equal(relation, null);
    else assert.ok(holds(relation, rational.rows), `trial ${trial}`);
    seen[rank === Math.min(count, columns) ? 'full' : 'less']++;
  }
  assert.ok(seen.full > 50 && seen.less > 50, JSON.stringify(seen));
});

test('determinants that primes near 2^26 divide do not make rows dependent', () => {
  // The three largest primes below 2^26, multiplied.
  const product = 67108859n * 67108837n * 67108819n;
  const exact = new LinearIndependence(rationalRows([product, 1n, 0n, 1n], [2, 2]));
  assert.ok(exact.independent([0, 1]));
  const three = new LinearIndependence(rationalRows([1n, 2n, 0n, 1n, 2n + product, 0n, 2n, 5n, 0n], [3, 3]));
  assert.equal(three.rank([0, 1, 2]), 2);
  assert.ok(three.independent([0, 1]));
  assert.deepEqual(three.relation([0, 1, 2])!.map(Number).length, 3);
  assert.equal(three.relation([0, 1]), null);
});

test('floats are the rationals that they are, however far apart', () => {
  const rankOf = (values: number[], shape: [number, number]) =>
    new LinearIndependence(rationalRows(Float64Array.from(values), shape)).rank(firstRows(shape[0]));
  assert.equal(rankOf([0.1, 0.3, 1, 3], [2, 2]), 2); // 0.3 is not 3 times 0.1
  assert.equal(rankOf([0.1, 0.3, 0.2, 0.6], [2, 2]), 1);
  assert.equal(rankOf([1e300, 0, 0, 5e-324], [2, 2]), 2);
  assert.equal(rankOf([1e300, 5e-324, 2e300, 1e-323], [2, 2]), 1);
  assert.equal(rankOf([1, 1e-300, 1, 1.0000000000000002e-300], [2, 2]), 2);
  assert.equal(rankOf([0, 0, -0, 0], [2, 2]), 0);
  assert.throws(() => rankOf([1, Infinity], [1, 2]), RangeError);
  assert.throws(() => rankOf([1, 2, 3], [2, 2]), /expected 2 x 2 values, got 3/);
});

test('a planted relation among rows of floats', () => {
  const random = randomSource(0, 'planted relation');
  const [count, columns] = [40, 36];
  const { data } = normalMatrix(count, columns, random);
  // Halves, so that the sum is not rounded.
  const rounded = data.map((value) => Math.fround(value));
  for (let j = 0; j < columns; j++) {
    rounded[11 * columns + j] = 3 * rounded[2 * columns + j] - 0.5 * rounded[30 * columns + j];
  }
  const exact = new LinearIndependence(rationalRows(rounded, [count, columns]));
  const set = firstRows(36);
  assert.equal(exact.rank(set), 35);
  const relation = exact.relation(set)!;
  assert.deepEqual(
    [2, 11, 30].map((row) => relation[row] !== 0n),
    [true, true, true],
  );
  assert.equal(relation.filter((weight) => weight !== 0n).length, 3);
  assert.deepEqual([relation[2] / relation[30], relation[11] / relation[30]], [-6n, 2n]);
  assert.ok(exact.independent(set.filter((row) => row !== 11)));
  assert.equal(exact.rank(firstRows(40)), 36);
});

test('rows in float64 are within half a unit of the rationals, at any size', () => {
  const values = [3n, -(2n ** 70n) - 1n, 2n ** 2000n + 12345n, 2n ** 1990n, 0n, 0n];
  const rounded = inFloat64(rationalRows(values, [3, 2]));
  assert.deepEqual(Array.from(rounded), [3 / 2 ** 71, -(2 ** 70) / 2 ** 71, 0.5, 2 ** -11, 0, 0]);
});
