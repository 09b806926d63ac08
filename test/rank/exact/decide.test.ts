/**
 * Decisions on matrices whose singular values are known to the last digit: H D for a Hadamard matrix H. The smallest is planted
 * down to one unit in its last place from the tolerance, and at it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideByDoubleDouble } from 'attention-capacity/rank/exact/by-double-double';
import { scaledExactly, sortedRows } from 'attention-capacity/rank/exact/canonical';
import { decideExactly } from 'attention-capacity/rank/exact/decide';
import type { ExactDecision } from 'attention-capacity/rank/exact/decision';
import { decideByIntegers } from 'attention-capacity/rank/exact/multiprecision';
import { type Matrix, type Random, randomSource } from 'attention-capacity/tensor/index';
import { firstRows, matrix, normalMatrix, rowsOf } from '../matrices';

/** Sylvester's Hadamard matrix: the sign is the parity of the bits that i and j share. */
function hadamard(i: number, j: number): number {
  let sign = 1;
  for (let shared = i & j; shared > 0; shared &= shared - 1) sign = -sign;
  return sign;
}

/** H D `[k, k]`, rows in a random order: its singular values are sqrt(k) |D|. */
function hadamardTimes(diagonal: ArrayLike<number>, random: Random): Matrix {
  const k = diagonal.length;
  const rows = random.permutation(k);
  return matrix(k, k, (i, j) => hadamard(rows[i], j) * diagonal[j]);
}

const decide = ({ data, shape }: Matrix, ratio: number) => decideExactly(Float64Array.from(data), shape, ratio);

/** Each method alone. */
function byEach({ data, shape }: Matrix, ratio: number): (ExactDecision | null)[] {
  const sorted = sortedRows(Float64Array.from(data), ...shape);
  const scaled = scaledExactly(sorted);
  return [decideByIntegers(sorted, shape, ratio), scaled && decideByDoubleDouble(scaled, shape, ratio)];
}

/** a - b c, exactly, for numbers in 2^-200 … 2^200. */
function difference(a: number, b: number, c: number): bigint {
  const [x, y, z] = [a, b, c].map((value) => BigInt(value * 2 ** 300));
  return (x << 300n) - y * z;
}

test('singular values planted at every distance from the tolerance, by each method', () => {
  const random = randomSource(0, 'planted exactly');
  const undecided = [0, 0];
  let independentOnes = 0;
  for (let trial = 0; trial < 400; trial++) {
    const k = 2 ** random.integer(trial % 20 === 0 ? 7 : 5);
    const ratio = [k * 2 ** -23, k * 2 ** -52, 1e-3, 1e-8, 0.37, 1e-13, 2 ** -20][trial % 7];
    const largest = 1 + random.uniform();
    const distance = trial % 3 === 0 ? (random.integer(9) - 4) * 2 ** -52 : 2 ** (-2 - 49 * random.uniform());
    const planted = ratio * largest * (1 + (random.uniform() < 0.5 ? -distance : distance));
    const diagonal = Float64Array.from({ length: k }, (_, j) =>
      j === 0 ? largest : j === k - 1 ? planted : Math.max(planted, largest * ratio ** random.uniform()),
    );
    const features = hadamardTimes(diagonal, random);
    const smallest = Math.min(...diagonal);
    const sign = difference(smallest, ratio, largest);
    const truth = sign > 0n;
    if (truth) independentOnes++;
    byEach(features, ratio).forEach((decision, method) => {
      const { independent, within } = decision!;
      if (independent !== null) return assert.equal(independent, truth, `trial ${trial}, method ${method}`);
      undecided[method]++;
      assert.ok(Math.abs(smallest / (ratio * largest) - 1) <= within! + 2 ** -51, `trial ${trial}: within ${within}`);
      if (method === 0) assert.equal(sign, 0n, `trial ${trial}`);
    });
  }
  assert.ok(independentOnes > 120 && independentOnes < 280, `${independentOnes} independent`);
  assert.ok(undecided[0] > 0 && undecided[0] < 40 && undecided[1] < 120, `${undecided.join(', ')} undecided`);
});

test('any order of the rows gives the same decision, undecided ones included', () => {
  const random = randomSource(0, 'orders');
  const k = 8;
  for (const smallest of [1e-9, 1e-9 * (1 + 2 ** -40), 1e-9 * (1 - 2 ** -40)]) {
    const features = hadamardTimes(
      Float64Array.from({ length: k }, (_, j) => (j === k - 1 ? smallest : 1)),
      random,
    );
    const expected = decide(features, 1e-9);
    for (let order = 0; order < 10; order++) {
      const permuted = rowsOf(features, random.permutation(k));
      assert.deepEqual(decide(permuted, 1e-9), expected);
      assert.deepEqual(
        decideByDoubleDouble(sortedRows(Float64Array.from(permuted.data), k, k), [k, k], 1e-9),
        decideByDoubleDouble(sortedRows(Float64Array.from(features.data), k, k), [k, k], 1e-9),
      );
    }
  }
});

test('dependent rows of integers and of floats, at every tolerance', () => {
  const cases: Matrix[] = [
    [-6111475, -304933267420, -5756975, -287245419020],
    [1, 3, 7, 21],
    [0.1, 0.3, 0.2, 0.6],
    [2 ** 52 + 2, 2 ** 30 + 4, 2 ** 51 + 1, 2 ** 29 + 2],
  ].map((values) => ({ data: Float64Array.from(values), shape: [2, 2] }));
  const threeRows = matrix(3, 4, (i, j) => [2 ** 40 + 3 * j, 5 - j ** 9, 0][i]);
  for (let j = 0; j < 4; j++) threeRows.data[8 + j] = 7 * threeRows.data[j] - 11 * threeRows.data[4 + j];
  cases.push(threeRows, { data: Float64Array.from({ length: 9 }, (_, i) => i + 1), shape: [3, 3] });
  for (const features of cases) {
    for (const ratio of [1e-30, 1e-18, 1e-17, 2 ** -51, 1e-10, 1e-3]) {
      assert.equal(decide(features, ratio).independent, false, `${features.data.join(', ')} at ${ratio}`);
    }
  }
});

test('rows whose order once changed the verdict: at 0.989 and at 1.0031 of the tolerance', () => {
  const rows = [
    [-0.27981099786531216, 0.6885613855570207, -0.402118538396101, -0.6007746676401806, -0.7950920735993656],
    [-1.411848185618804, 1.0112224967795589, -0.14069643374592122, -1.9451773217392794, 0.394338248924736],
    [0.15064525901912776, -0.6373521216557346, -0.3533895624010005, 0.2125966759865902, 1.2025813447720064],
    [1.9867954610824645, -0.2263229116220548, 0.6830137408050057, -0.08957036872576121, -0.5573314864437451],
    [0.7681294131644951, -1.8483319471487867, -0.3795500184413114, 0.16960554827528448, 1.3247367532327088],
    [-0.520540041677247, -0.04832690061911235, -0.7423852810266972, -1.8569667618075494, 0.19593972153363626],
  ].map((row, i) => [
    ...row,
    [
      -0.7429847578329303, -0.39239126192484647, 0.4001464279887555, 0.18594245929160835, 0.49411777860883427,
      -0.7430550405250729,
    ][i],
  ]);
  const features = matrix(6, 6, (i, j) => rows[i][j]);
  const reversed = rowsOf(features, firstRows(6).reverse());
  for (const [ratio, independent] of [
    [6 * 2 ** -52, false],
    [6 * 2 ** -52 * 0.986, true],
  ] as const) {
    assert.equal(decide(features, ratio).independent, independent);
    assert.equal(decide(reversed, ratio).independent, independent);
  }
});

test('numbers of very different sizes, near overflow and underflow', () => {
  const pair = (values: number[], ratio: number) => decide({ data: Float64Array.from(values), shape: [2, 2] }, ratio);
  assert.equal(pair([1e300, 0, 0, 1e-300], 1e-17).independent, false);
  assert.equal(pair([2 ** 300, 0, 0, 2 ** -300 * (1 + 2 ** -52)], 2 ** -600).independent, true);
  assert.equal(pair([2 ** 300, 0, 0, 2 ** -300 * (1 - 2 ** -53)], 2 ** -600).independent, false);
  assert.equal(pair([5e-324, 0, 0, 5e-324], 0.999).independent, true);
  assert.equal(pair([1.7e308, 1.7e308, 1.7e308, -1.7e308], 0.999).independent, true);
  assert.equal(pair([1.7e308, 1.7e308, 1.7e308, 1.7e308], 1e-300).independent, false);
  // Rows of five, so that the other method has its turn.
  const wide = matrix(5, 5, (i, j) => (i === j ? 2 ** (-100 * i) : 0));
  assert.equal(decide(wide, 2 ** -400 * 0.999).independent, true);
  assert.equal(decide(wide, 2 ** -400 * 1.001).independent, false);
});

test('what needs no arithmetic, and what is refused', () => {
  const random = randomSource(0, 'definition');
  const definition = { independent: false, method: 'definition', within: null };
  assert.deepEqual(decide(normalMatrix(4, 3, random), 1e-9), definition);
  assert.deepEqual(decide(normalMatrix(3, 4, random), 1), definition);
  assert.deepEqual(decide({ data: Float64Array.of(1, 0, 0, -0), shape: [2, 2] }, 1e-9), definition);
  assert.equal(decide(normalMatrix(1, 3, random), 0.999).independent, true);
  for (const ratio of [0, -1, NaN]) assert.throws(() => decide(normalMatrix(2, 3, random), ratio), RangeError);
  assert.throws(() => decideExactly(new Float64Array(5), [2, 3], 0.1), /expected 2 x 3 values, got 5/);
  assert.throws(() => decide({ data: Float64Array.of(1, NaN), shape: [1, 2] }, 0.1), /finite/);
});

test('a large matrix near to the tolerance, where whole numbers would take too long', () => {
  const random = randomSource(0, 'large');
  const k = 128;
  const ratio = k * 2 ** -52;
  for (const distance of [1e-10, -1e-10, 0]) {
    const diagonal = Float64Array.from({ length: k }, (_, j) => (j === 0 ? 1 : 0.5));
    diagonal[k - 1] = ratio * (1 + distance);
    const { independent, method, within } = decide(hadamardTimes(diagonal, random), ratio);
    assert.equal(method, 'double-double');
    assert.equal(independent, distance === 0 ? null : distance > 0);
    if (distance === 0) assert.ok(within! < 1e-10, `within ${within}`);
  }
});
