import assert from 'node:assert/strict';
import { test } from 'node:test';
import { theoremFindings } from 'attention-capacity/experiments/theorem/findings';
import { FITTED_TO, isFitted, layerRanks } from 'attention-capacity/experiments/theorem/measure';
import { capacityTable } from 'attention-capacity/experiments/theorem/tables';
import { capacity } from 'attention-capacity/memorization/capacity/capacity';

const shape = { heads: 4, context: 6, headSize: 8, width: 8, contexts: 'shared', task: 'regression' } as const;
/** The notebook's hardest: value weights of 10^7. */
const hardest = { ...shape, heads: 20, context: 32, headSize: 8, width: 64 } as const;

test('labels count as fitted with a factor of 100 to spare on both sides, also where weights of 10^7 are needed', async () => {
  for (const [layer, rank] of [
    [shape, 21],
    [hardest, 621],
  ] as const) {
    const [fits, oneMore] = [
      await capacity({ ...layer, examples: rank }),
      await capacity({ ...layer, examples: rank + 1 }),
    ];
    assert.ok(isFitted(fits) && fits.maxResidual! < FITTED_TO / 100, `off by ${fits.maxResidual}`);
    assert.ok(!isFitted(oneMore) && oneMore.maxResidual! > FITTED_TO * 100, `off by ${oneMore.maxResidual}`);
  }
});

test('the sentences count what the table shows, and name the threshold', async () => {
  const solved = [await capacity({ ...shape, examples: 21 }), await capacity({ ...shape, examples: 22 })];
  const ranks = await layerRanks([{ ...shape, examples: 40 }]);
  const { headline, all } = theoremFindings(ranks, solved);
  const rows = capacityTable(solved).rows;
  assert.deepEqual(
    rows.map(({ memorized }) => memorized),
    [true, false],
  );
  assert.match(headline, /in 1 of 1 layers; .* in 2 of 2 tasks\.$/);
  assert.match(all, /In 2 of 2 tasks, .* fitted every label to 1\.0 × 10⁻⁵ exactly when/);
  // Were the smaller one not fitted, both would be wrong.
  const unfitted = theoremFindings(ranks, [{ ...solved[0], maxResidual: 2e-5 }, solved[1]]);
  assert.match(unfitted.headline, /in 1 of 2 tasks\.$/);
});
