import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type Random, randomSource } from 'attention-capacity/tensor/random';

/** Recorded from the first version of `randomSource`; every figure of the project depends on them. */
const KNOWN = {
  uniform: [0.8928575998120192, 0.6013270558174018, 0.16622808510126663],
  integers: [311, 628, 213, 569, 130],
  normal: [0.262873807315722, 1.104457148356012, -0.06553853137987939],
  truncated: [-0.8493098993090883, 0.08928769156410483, -0.5314637150183911],
  permutation: [4, 2, 6, 0, 7, 1, 5, 3],
  subset: [759, 903, 1029, 1149, 1178, 1746],
  farNormals: 'f1766c11dd46d71b',
};

const draw = (count: number, next: () => number) => Array.from({ length: count }, next);
const mean = (values: number[]) => values.reduce((total, value) => total + value, 0) / values.length;
const moment = (values: number[], power: number) => mean(values.map((value) => value ** power));

/** Chi-square of observed counts against equally likely ones. */
function chiSquare(counts: number[]): number {
  const expected = counts.reduce((x, y) => x + y) / counts.length;
  return counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
}

/** What chi-square exceeds once in 10 000 times (Wilson and Hilferty's approximation). */
function chiSquareLimit(degrees: number): number {
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + 3.719 * Math.sqrt(spread)) ** 3;
}

function assertUniform(outcomes: string[], possible: number): void {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  assert.equal(counts.size, possible);
  if (possible === 1) return;
  const statistic = chiSquare([...counts.values()]);
  assert.ok(
    statistic < chiSquareLimit(possible - 1),
    `chi-square ${statistic} with ${possible - 1} degrees of freedom`,
  );
}

test('the draws are the ones they have always been', () => {
  const source = randomSource(0, 'photos', 17);
  assert.deepEqual(draw(3, source.uniform), KNOWN.uniform);
  assert.deepEqual(
    draw(5, () => source.integer(1000)),
    KNOWN.integers,
  );
  assert.deepEqual(draw(3, source.normal), KNOWN.normal);
  assert.deepEqual(
    draw(3, () => source.truncatedNormal(2, 1)),
    KNOWN.truncated,
  );
  assert.deepEqual([...source.permutation(8)], KNOWN.permutation);
  assert.deepEqual([...source.subset(1973, 6)], KNOWN.subset);
  // A long way down the stream: rounding that differs anywhere changes the digest.
  const far = Float64Array.from(draw(100_000, source.normal));
  assert.equal(createHash('sha256').update(far).digest('hex').slice(0, 16), KNOWN.farNormals);
});

test('uniform numbers are the top bits of xoroshiro128+ started from a hash', () => {
  const hash = createHash('sha256').update('[7,"weights",3]').digest();
  const word = (offset: number) => BigInt(hash.readUInt32LE(offset));
  let s0 = (word(0) << 32n) | word(4);
  let s1 = (word(8) << 32n) | word(12);
  const rotate = (x: bigint, k: bigint) => BigInt.asUintN(64, (x << k) | (x >> (64n - k)));
  const next = () => {
    const low = Number(BigInt.asUintN(32, s0 + s1));
    const mixed = s0 ^ s1;
    s0 = BigInt.asUintN(64, rotate(s0, 24n) ^ mixed ^ (mixed << 16n));
    s1 = rotate(mixed, 37n);
    return low;
  };
  const source = randomSource(7, 'weights', 3);
  for (let i = 0; i < 1000; i++) {
    const high = next() >>> 5;
    const low = next() >>> 6;
    assert.equal(source.uniform(), (high * 2 ** 26 + low) / 2 ** 53);
  }
});

test('streams are told apart by seed, labels, their types and their number', () => {
  const streams: Random[] = [
    randomSource(0),
    randomSource(1),
    randomSource(-1),
    randomSource(2 ** 32),
    randomSource(2 ** 32 + 1),
    randomSource(0, ''),
    randomSource(0, 0),
    randomSource(0, 1),
    randomSource(0, '1'),
    randomSource(0, 'a', 'b'),
    randomSource(0, 'ab'),
    randomSource(0, 'a,b'),
    randomSource(0, 'a","b'),
  ];
  const firsts = streams.map((stream) => draw(4, stream.uniform).join());
  assert.equal(new Set(firsts).size, streams.length);
  assert.deepEqual(draw(4, randomSource(3, 'x').normal), draw(4, randomSource(3, 'x').normal));
});

test('neighbouring streams are not correlated', () => {
  const count = 4000;
  const rows = Array.from({ length: 30 }, (_, seed) => draw(count, randomSource(seed).normal));
  for (let i = 1; i < rows.length; i++) {
    const correlation = mean(rows[i].map((value, t) => value * rows[i - 1][t]));
    assert.ok(Math.abs(correlation) < 4 / Math.sqrt(count), `streams ${i - 1} and ${i}: ${correlation}`);
  }
});

test('uniform numbers fill [0, 1) with all their 53 bits', () => {
  const values = draw(200_000, randomSource(1).uniform);
  assert.ok(values.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 53)));
  assertUniform(
    values.map((value) => String(Math.floor(value * 100))),
    100,
  );
  for (let bit = 0; bit < 53; bit++) {
    const share = mean(values.map((value) => Math.floor((value * 2 ** 53) / 2 ** bit) % 2));
    assert.ok(Math.abs(share - 0.5) < 4 * (0.5 / Math.sqrt(values.length)), `bit ${bit} is set in ${share}`);
  }
});

test('integers are uniform, powers of two or not, and small or large', () => {
  const source = randomSource(2);
  for (const n of [1, 2, 3, 7, 8, 10]) {
    assertUniform(draw(20_000, () => source.integer(n)).map(String), n);
  }
  const large = draw(20_000, () => source.integer(2 ** 32));
  assert.ok(large.every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32));
  assert.ok(Math.abs(mean(large) / 2 ** 31 - 1) < 0.02);
  for (const n of [0, -1, 1.5, NaN, 2 ** 32 + 1]) assert.throws(() => source.integer(n), { name: 'RangeError' });
});

test('normal numbers have the moments and the tails of the normal distribution', () => {
  const values = draw(400_000, randomSource(3).normal);
  const root = Math.sqrt(values.length);
  // The standard errors are those of the moments 1 to 4: 1, sqrt(2), sqrt(15), sqrt(96).
  assert.ok(Math.abs(mean(values)) < 4 / root);
  assert.ok(Math.abs(moment(values, 2) - 1) < (4 * Math.SQRT2) / root);
  assert.ok(Math.abs(moment(values, 3)) < (4 * Math.sqrt(15)) / root);
  assert.ok(Math.abs(moment(values, 4) - 3) < (4 * Math.sqrt(96)) / root);
  for (const [beyond, share] of [
    [1, 0.31731050786],
    [2, 0.0455002639],
    [3, 0.00269979606],
  ]) {
    const actual = mean(values.map((value) => Number(Math.abs(value) > beyond)));
    assert.ok(
      Math.abs(actual - share) < 4 * Math.sqrt((share * (1 - share)) / values.length),
      `beyond ${beyond}: ${actual}`,
    );
  }
  // The two numbers that one rejection round gives are independent.
  const product = mean(values.filter((_, i) => i % 2 === 0).map((value, i) => value * values[2 * i + 1]));
  assert.ok(Math.abs(product) < 4 / Math.sqrt(values.length / 2));
});

test('truncated normals stay within a bound that is a value, as in PyTorch', () => {
  const source = randomSource(4);
  const cut = draw(200_000, () => source.truncatedNormal(1, 2));
  assert.ok(cut.every((value) => Math.abs(value) <= 2));
  // The variance of a standard normal truncated to [-2, 2].
  assert.ok(Math.abs(moment(cut, 2) - 0.7737413) < 0.008);
  // Hugging Face's std of 0.02 is a hundred standard deviations from the default bound.
  const free = draw(200_000, () => source.truncatedNormal(0.02));
  assert.ok(Math.abs(Math.sqrt(moment(free, 2)) / 0.02 - 1) < 0.007);
  assert.equal(source.truncatedNormal(0), 0);
  for (const [std, bound] of [
    [-1, 2],
    [1, 0],
    [NaN, 1],
    [1, NaN],
  ]) {
    assert.throws(() => source.truncatedNormal(std, bound), { name: 'RangeError' });
  }
});

test('permutations and subsets are uniform', () => {
  const source = randomSource(5);
  assertUniform(
    draw(24_000, () => 0).map(() => source.permutation(4).join()),
    24,
  );
  for (const [n, k, possible] of [
    [5, 2, 10],
    [6, 3, 20],
    [7, 6, 7],
    [4, 1, 4],
    [3, 3, 1],
    [3, 0, 1],
  ]) {
    const subsets = draw(20_000, () => 0).map(() => source.subset(n, k).join());
    assertUniform(subsets, possible);
  }
});

test('each row is in a large subset as often as any other', () => {
  const source = randomSource(6);
  const [n, k, draws] = [1973, 768, 2000];
  const counts = new Array<number>(n).fill(0);
  for (let i = 0; i < draws; i++) {
    const rows = source.subset(n, k);
    assert.equal(rows.length, k);
    rows.forEach((row, j) => {
      assert.ok(row < n && (j === 0 || row > rows[j - 1]));
      counts[row]++;
    });
  }
  // Counts of one row are hypergeometric: their variance is that of Poisson's counts times 1 - k / n.
  assert.ok(chiSquare(counts) / (1 - k / n) < chiSquareLimit(n - 1));
});

test('seeds, labels and sizes that mean nothing are refused', () => {
  for (const seed of [0.5, NaN, Infinity, 2 ** 53]) assert.throws(() => randomSource(seed), { name: 'RangeError' });
  assert.throws(() => randomSource(0, 'a', NaN), { name: 'RangeError' });
  for (const [n, k] of [
    [3, 4],
    [3, -1],
    [3, 1.5],
    [NaN, 1],
  ]) {
    assert.throws(() => randomSource(0).subset(n, k), { name: 'RangeError' });
  }
});
