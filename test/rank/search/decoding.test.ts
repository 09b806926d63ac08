import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interruptWork, watchWith } from 'attention-capacity';
import { KruskalSearchInterrupted, searchKruskalRank } from 'attention-capacity/rank/kruskal-bounds';
import { firstDependentSubset } from 'attention-capacity/rank/search/exhaustive';
import { Independence } from 'attention-capacity/rank/search/independence';
import { prepareRows } from 'attention-capacity/rank/proofs/rows';
import { type Matrix, randomSource } from 'attention-capacity/tensor';
import { normalMatrix } from '../matrices';

/** Normal rows, of which `size` random ones add up to zero with random coefficients. */
function planted(T: number, d: number, size: number, seed: number): { features: Matrix; rows: number[] } {
  const random = randomSource(seed, 'circuit');
  const features = normalMatrix(T, d, random);
  const rows = Array.from(random.subset(T, size)).sort((a, b) => a - b);
  const weights = rows.map(() => 0.5 + random.uniform());
  const last = rows[size - 1] * d;
  for (let j = 0; j < d; j++) {
    features.data[last + j] = 0;
    for (let i = 0; i < size - 1; i++) features.data[last + j] -= weights[i] * features.data[rows[i] * d + j];
  }
  return { features, rows };
}

test('planted circuits of 16 to 24 rows are found', async () => {
  for (const [index, [T, d, size]] of [
    [160, 96, 16],
    [160, 96, 18],
    [150, 96, 20],
    [150, 100, 22],
    [150, 100, 24],
    [200, 128, 16],
    [200, 128, 18],
    [120, 80, 20],
  ].entries()) {
    const { features, rows } = planted(T, d, size, index);
    const { atMost, witness } = await searchKruskalRank(features, { rtol: 'float64', seed: 0 });
    assert.deepEqual({ atMost, witness }, { atMost: size - 1, witness: rows });
  }
});

test('judging every set of nearly parallel rows one by one keeps to its budget', async () => {
  const random = randomSource(0, 'budget');
  const features = normalMatrix(30, 4, random);
  features.data.forEach((value, i) => (features.data[i] = 1 + 1e-9 * value));
  const independence = new Independence(prepareRows(features), 1e-15);
  const found = await firstDependentSubset(independence, 4, 2e7);
  assert.equal(found, undefined);
  assert.ok(independence.spent < 3e7, `${independence.spent}`);
});

test('an interrupted search has the bounds that were proved until then', async () => {
  const { features } = planted(150, 100, 24, 9);
  let begun = 0;
  watchWith({
    begin: (label) => {
      begun++;
      if (/small circuits/.test(label)) setImmediate(interruptWork);
      return { update: () => undefined, end: () => undefined };
    },
  });
  try {
    await assert.rejects(searchKruskalRank(features, { rtol: 'float64', seed: 0 }), (error) => {
      assert.ok(error instanceof KruskalSearchInterrupted);
      const { atLeast, atMost, certificates } = error.bounds;
      assert.deepEqual([atLeast, atMost], [2, 100]);
      assert.ok(certificates.length > 0);
      return true;
    });
  } finally {
    watchWith();
  }
  assert.ok(begun > 0);
});
