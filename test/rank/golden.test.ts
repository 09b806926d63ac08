/** Intervals against SciPy, ranks of ill-conditioned matrices against torch.linalg.matrix_rank (test/golden/rank/make.py). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { clopperPearson, singularValues, testKruskalRank } from 'attention-capacity/rank/index';
import { matrix } from './matrices';

interface Golden {
  intervals: { successes: number; trials: number; ci95: [number, number] }[];
  ranks: {
    name: keyof typeof entries;
    size: [number, number];
    float64: number;
    float64_at_float32: number;
    singularValues: number[];
  }[];
}
// From test/dist/rank.
const golden = JSON.parse(readFileSync(join(__dirname, '../../golden/rank/golden.json'), 'utf8')) as Golden;

const entries = {
  hilbert: (i: number, j: number) => 1 / (i + j + 1),
  cauchy: (i: number, j: number) => 1 / (1 + (i - 0.7 * j) ** 2),
  vandermonde: (i: number, j: number, m: number) => (i / m) ** j,
};

test('exact binomial intervals', () => {
  for (const { successes, trials, ci95 } of golden.intervals) {
    const [low, high] = clopperPearson(successes, trials);
    assert.ok(Math.abs(low - ci95[0]) < 1e-12 && Math.abs(high - ci95[1]) < 1e-12, `${successes} of ${trials}`);
  }
});

for (const { name, size, ...expected } of golden.ranks) {
  test(`${name} ${size[0]} x ${size[1]}: torch's ranks`, async () => {
    const [m, n] = size;
    const features = matrix(m, n, (i, j) => entries[name](i, j, m));
    const sigmas = singularValues(features);
    expected.singularValues.forEach((sigma, i) => assert.ok(Math.abs(sigmas[i] - sigma) < 1e-14 * sigmas[0]));
    for (const [rtol, rank] of [
      ['float64', expected.float64],
      ['float32', expected.float64_at_float32],
    ] as const) {
      const { ranks } = await testKruskalRank(features, {
        k: m,
        draws: 1,
        seed: 0,
        rtol,
        ranksDraws: 1,
        sigmaDraws: 0,
      });
      assert.deepEqual(ranks, { [rank]: 1 }, rtol);
    }
  });
}
