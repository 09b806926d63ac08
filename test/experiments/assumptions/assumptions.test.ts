import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  testAssumptions,
  type AssumptionResult,
  type Statement,
} from 'attention-capacity/experiments/assumptions/measure';
import { assumptionFindings } from 'attention-capacity/experiments/assumptions/findings';
import { imageComparison, marginFigure, rankHistogram } from 'attention-capacity/experiments/assumptions/figures';
import {
  assumptionRows,
  assumptionTable,
  markText,
  systemTable,
} from 'attention-capacity/experiments/assumptions/tables';
import { clopperPearson } from 'attention-capacity/statistics';
import { D, fakeLayer, N, noiseImages } from '../../features/fake-layer';

describe("the paper's statements", () => {
  let folder: string;
  let results: AssumptionResult[];
  const cacheBefore = process.env.ATTENTION_CACHE;
  const plain = fakeLayer('plain');
  const constant = fakeLayer('constant', { constantQuery: true });
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'assumptions-'));
    process.env.ATTENTION_CACHE = folder;
    results = [];
    for (const precision of ['float32', 'float64'] as const) {
      results.push(...(await testAssumptions([plain, constant], noiseImages(60), { draws: 25, seed: 3, precision })));
    }
  });
  after(() => {
    if (cacheBefore === undefined) delete process.env.ATTENTION_CACHE;
    else process.env.ATTENTION_CACHE = cacheBefore;
    rmSync(folder, { recursive: true });
  });
  const find = (system: string, statement: Statement, precision = 'float64') =>
    results.find((r) => r.system === system && r.statement === statement && r.precision === precision)!;

  it('are four for each layer and precision', () => {
    assert.equal(results.length, 16);
    assert.deepEqual(
      results.slice(0, 4).map(({ statement, k }) => [statement, k]),
      [
        ['general-position', D],
        ['A1', N],
        ['A2', N],
        ['A3', N],
      ],
    );
  });

  it('know the rank that the layer was built with', () => {
    for (const precision of ['float32', 'float64']) {
      // The query is a pixel's three colours through a fixed matrix: rank 3, however many are taken.
      assert.deepEqual(find('plain', 'general-position', precision).ranks, { 3: 25 });
      assert.deepEqual(find('plain', 'A1', precision).ranks, { 3: 25 });
      assert.deepEqual(find('constant', 'A1', precision).ranks, { 1: 25 });
      // 16 tokens with independent directions; their mean moves in all 24 dimensions.
      assert.deepEqual(find('plain', 'A2', precision).ranks, { [N]: 60 });
      assert.deepEqual(find('constant', 'A3', precision).ranks, { [N]: 25 });
    }
  });

  it('are refuted by a witness and never by an estimate', () => {
    const failed = find('constant', 'A1');
    assert.equal(failed.refuted, true);
    assert.equal(failed.fraction, 0);
    assert.equal(failed.witness?.rows.length, N);
    const held = find('constant', 'A3');
    assert.equal(held.refuted, false);
    assert.equal(held.witness, null);
    assert.equal(held.fraction, 1);
    // Clopper–Pearson for 25 of 25: the lower end is 0.025^(1/25).
    assert.ok(Math.abs(held.ci95[0] - 0.025 ** (1 / 25)) < 1e-12);
    assert.equal(held.ci95[1], 1);
  });

  it('give the contract’s row for every result', () => {
    const { rows } = assumptionRows(results);
    assert.equal(rows.length, results.length);
    for (const row of rows) {
      const expected =
        'system statement images precision rtol k draws satisfied fraction refuted T ci95 rankMin rankMax sigmaRatioMedian tolerance seed';
      assert.equal(Object.keys(row).join(' '), expected);
    }
    assert.equal(rows[0].rtol, 'float32');
    assert.equal(rows[2].draws, 60, 'for Assumption 2, draws counts the images');
  });

  it('stand side by side in the table, float32 and float64', () => {
    const shown = assumptionTable(results);
    assert.equal(shown.rows.length, 8);
    const row = shown.rows.find((r) => r.system === 'constant' && String(r.statement).startsWith('Assumption 1'))!;
    assert.equal(row['float32 mark'], '✗');
    assert.equal(row['float64 share'], 0);
    assert.equal(row['float64 ranks'], '1');
    assert.equal(systemTable([plain, constant]).rows.length, 2);
  });

  it('earn the paper’s mark from 0.99 on, and the refutation is said beside it', () => {
    const base = find('constant', 'A3');
    const of5000 = (satisfied: number, refuted = true) => {
      return markText({ ...base, fraction: satisfied / 5000, ci95: clopperPearson(satisfied, 5000), refuted });
    };
    assert.equal(of5000(4991), '✓ but refuted');
    assert.equal(of5000(5000, false), '✓');
    assert.equal(of5000(4900), '✗');
    // 0.9866 to 0.9924, and 0.9877 to 0.9933: neither share tells on which side of 0.99 it lies.
    assert.equal(of5000(4949), '? undecided');
    assert.equal(of5000(4954), '? undecided');
    assert.equal(markText(base), '? undecided', '25 of 25 draws: from 0.86 on');
  });

  it('are put into words and figures', () => {
    const [paper] = results.filter(({ statement }) => statement === 'A1');
    const turned = [
      { ...paper, system: 'random-attention', title: 'random attention', precision: 'float32' as const },
      {
        ...find('constant', 'A3'),
        system: 'random-attention',
        title: 'random attention',
        statement: 'A1' as const,
        ci95: [0.9993, 1] as const,
      },
    ];
    const { all, headline } = assumptionFindings(turned);
    assert.match(all, /0 of 1\*\* of the paper's marks/);
    assert.match(all, /Different from the paper: random attention, Assumption 1: 0 of 25/);
    assert.match(all, /Precision decides\*\* Assumption 1 of random attention: 0 of 25 .* 25 of 25/);
    assert.match(headline, /1 verdict changes in float64/);
    for (const figure of [rankHistogram(results), marginFigure(results), imageComparison(results.slice(0, 8))]) {
      assert.ok(figure.data.length > 0);
      assert.ok(figure.alt.length > 40);
      assert.doesNotMatch(JSON.stringify(figure), /null,null|NaN/);
    }
  });
});
