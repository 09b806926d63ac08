import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  bestDesign,
  designs,
  designsToTrain,
  kruskalCandidate,
  measureDesigns,
  trainDesigns,
  type Design,
  type DesignSpace,
  type MeasuredDesign,
  type TrainedDesign,
} from 'attention-capacity/experiments/design/measure';
import { parameterCount } from 'attention-capacity/memorization/parameters';
import { designFigure } from 'attention-capacity/experiments/design/figures';
import { designFindings } from 'attention-capacity/experiments/design/findings';
import { designTable, kruskalDesignTable } from 'attention-capacity/experiments/design/tables';

const data: DesignSpace['data'] = { contexts: 'shared', task: 'regression', width: 16, examples: 120, seed: 2 };
const space: DesignSpace = { data, kruskalRank: 16, budget: 1500, contexts: [4, 8], headSizes: [1, 3, 8, 16] };

describe('the designs that a budget pays for', () => {
  let folder: string;
  const cacheBefore = process.env.ATTENTION_CACHE;
  before(() => (process.env.ATTENTION_CACHE = folder = mkdtempSync(join(tmpdir(), 'designs-'))));
  after(() => {
    if (cacheBefore === undefined) delete process.env.ATTENTION_CACHE;
    else process.env.ATTENTION_CACHE = cacheBefore;
    rmSync(folder, { recursive: true });
  });

  it('have as many heads as it allows, and not one more', () => {
    const found = designs(space);
    assert.equal(found.length, 8);
    for (const { setting, parameters } of found) {
      assert.equal(parameters, parameterCount(setting));
      assert.ok(parameters <= space.budget);
      assert.ok(parameterCount({ ...setting, heads: setting.heads + 1 }) > space.budget);
    }
    // Embedding and decoder take 17 * 16 + 17 = 289, a head of size 3 takes 16 (2 * 3 + 2) = 128: nine of them.
    assert.equal(found.find(({ setting }) => setting.headSize === 3)!.setting.heads, 9);
    assert.throws(() => designs({ ...space, budget: 200 }), /200 parameters is too small/);
    // Sizes that not one head can have are left out.
    assert.ok(designs({ ...space, budget: 600 }).every(({ setting }) => setting.headSize < 16));
  });

  it('are counted by Theorem 1 as far as the Kruskal rank goes', () => {
    const theorem = (kruskalRank: number, headSize: number, context: number) =>
      designs({ ...space, kruskalRank }).find(
        ({ setting }) => setting.headSize === headSize && setting.context === context,
      )!.theorem;
    // Size 8: 16 * 18 = 288 a head, four heads.
    assert.equal(theorem(16, 8, 8), 4 * 7 + 1);
    assert.equal(theorem(5, 8, 8), 4 * 4 + 1);
    assert.equal(theorem(16, 8, 4), 4 * 3 + 1);
    assert.equal(theorem(16, 1, 4), 1);
  });

  it('are measured by the rank of their features, H (n - 1) + 1 from head size 3 on', async () => {
    const some = designs(space).filter(({ setting }) => setting.headSize > 1);
    for (const { setting, rank, rankAtFloat32 } of await measureDesigns(some)) {
      assert.equal(rank, setting.heads * (setting.context - 1) + 1);
      assert.ok(rankAtFloat32 <= rank);
    }
  });

  it('are chosen by any measure; of equals the smaller', () => {
    const [a, b, c] = designs(space).map((design, i) => ({ ...design, parameters: 100 - i }));
    assert.equal(
      bestDesign<Design>([a, b, c], ({ parameters }) => parameters),
      a,
    );
    assert.equal(
      bestDesign<Design>([a, b, c], () => 1),
      c,
    );
  });

  it('are trained where the theorem or the rank chose them, or where they differ from the rank’s choice in one size', () => {
    const measured = designs({ ...space, headSizes: [3, 4, 8, 16] }).map((design): MeasuredDesign => ({
      ...design,
      rank: 10,
      rankAtFloat32: 10,
    }));
    const at = (context: number, headSize: number) =>
      measured.find(({ setting }) => setting.context === context && setting.headSize === headSize)!;
    const chosenByRank = { ...at(4, 3), rank: 11 };
    const among = measured.map((design) => (design === at(4, 3) ? chosenByRank : design));
    // Seven heads of size 4 count 3 tokens each, four of size 8 count 7: the theorem's choice shares nothing with the rank's.
    assert.equal(
      bestDesign(among, ({ theorem }) => theorem ?? 0),
      at(8, 8),
    );
    assert.deepEqual(designsToTrain(among), [chosenByRank, at(4, 4), at(4, 8), at(4, 16), at(8, 3), at(8, 8)]);
  });

  it('are trained once with each seed, and read from the cache the second time', async () => {
    const two = designs(space).filter(({ setting }) => setting.context === 4 && [3, 8].includes(setting.headSize));
    const first = await trainDesigns(two, { steps: 12, seeds: 2 });
    assert.deepEqual(
      first.map(({ memorized }) => memorized.length),
      [2, 2],
    );
    for (const memorized of first.flatMap((design) => design.memorized)) assert.ok(memorized >= 0 && memorized <= 120);
    assert.deepEqual(await trainDesigns(two, { steps: 12, seeds: 2 }), first);
  });

  it('start from the largest candidate that no subset refutes', async () => {
    const options = { draws: 30, precision: 'float64' } as const;
    assert.equal(await kruskalCandidate(data, [16, 4], options), 16);
    // Three examples: there are no four independent ones, which is bad input and not a refutation.
    await assert.rejects(
      kruskalCandidate({ ...data, examples: 3 }, [4], options),
      /expected at most 3, the number of vectors, got 4/,
    );
  });

  it('are put into a table, a figure and words', () => {
    const measured: MeasuredDesign[] = designs(space).map((design, i) => ({
      ...design,
      rank: 50 + i,
      rankAtFloat32: 40 - i,
    }));
    const trained: TrainedDesign[] = measured
      .slice(0, 3)
      .map((design, i) => ({ ...design, memorized: [10 * i, 100 * i] }));
    const { rows } = designTable(measured, trained);
    assert.deepEqual([rows[2].memorized, rows[3].memorized], [110, null]);
    const figure = designFigure(measured, trained);
    // Two panels: two ranks, the theorem and the trained layers.
    assert.equal(figure.data.length, 8);
    assert.match(figure.alt, /greatest rank, 57, has H = 2, d_h = 16, n = 8/);
    assert.doesNotMatch(JSON.stringify([figure, rows]), /NaN|undefined/);
    const { all, headline } = designFindings(16, measured, trained);
    assert.match(
      headline,
      /d_h = 8, n = 4 memorized most when trained; the rank of the random feature matrix chose H = 2, d_h = 16, n = 8/,
    );
    assert.match(all, /2 of 3 trained layers memorized more/);
    const byRank = kruskalDesignTable(
      [2, 16].map((kruskalRank) => ({ kruskalRank, designs: designs({ ...space, kruskalRank }) })),
    );
    assert.deepEqual(
      byRank.rows.map(({ headSize }) => headSize),
      [3, 8],
    );
  });
});
