/** What the analysis says of matrices whose structure is known. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { summarize } from 'attention-capacity/experiments/your-features/summary';
import { InputError } from 'attention-capacity/input-error';
import { mimeBundle } from 'attention-capacity/report/show';
import { featureCurveFigure, singularValueFigure } from 'attention-capacity/experiments/your-features/figures';
import { featureFindings } from 'attention-capacity/experiments/your-features/findings';
import {
  certificateTable,
  curveFallTable,
  featureTable,
  kruskalBoundsTable,
  numericalRankTable,
  subsetTestTable,
} from 'attention-capacity/experiments/your-features/tables';
import { randomSource } from 'attention-capacity/tensor';
import {
  analyseFeatures,
  type FeatureAnalysis,
  type YourFeatures,
} from 'attention-capacity/experiments/your-features/measure';

const sizes = { draws: 40, permutations: 8, searchOperations: 2e6, seed: 0 };

function features(data: Float32Array | Float64Array, T: number, d: number, more: Partial<YourFeatures> = {}) {
  const dtype = data instanceof Float32Array ? 'float32' : 'float64';
  const about = { name: 'mine.npy', origin: 'mine.npy', rowNames: null, skipped: [] } as const;
  return { data, shape: [T, d], dtype, ...about, ...more } as YourFeatures;
}

function gaussian(T: number, d: number): Float64Array {
  const random = randomSource(7, 'rows');
  return Float64Array.from({ length: T * d }, () => random.normal());
}

/** Everything that is shown of an analysis; a table or figure that cannot be made throws. */
function shown(analysis: FeatureAnalysis): string {
  const tables = [
    featureTable,
    numericalRankTable,
    subsetTestTable,
    curveFallTable,
    kruskalBoundsTable,
    certificateTable,
  ];
  const figures = [singularValueFigure, featureCurveFigure];
  const bundles = [...tables.map((make) => make(analysis)), ...figures.map((make) => make(analysis))].map(mimeBundle);
  const findings = featureFindings(analysis);
  const text = [
    ...bundles.map((bundle) => `${bundle['text/html']}${bundle['text/plain']}`),
    findings.all,
    findings.headline,
  ];
  assert.doesNotMatch(text.join('\n'), /undefined|NaN|\[object/);
  return text.join('\n');
}

describe('analysis of features', () => {
  it('finds four dependent rows among 400, which no sample of this size sees', async () => {
    const [T, d] = [400, 40];
    const data = gaussian(T, d);
    const row = (i: number) => data.subarray(i * d, (i + 1) * d);
    for (let j = 0; j < d; j++) row(301)[j] = row(12)[j] - 2 * row(77)[j] + 0.5 * row(250)[j];
    const analysis = await analyseFeatures(features(data, T, d), { ...sizes, ks: [4, 20], searchOperations: 1e8 });
    for (const { rtol, bounds, curve, tests, belowResolution } of analysis.verdicts) {
      assert.deepEqual(bounds.witness, [12, 77, 250, 301], rtol);
      assert.equal(bounds.atMost, 3);
      assert.equal(bounds.atLeast, 3);
      assert.deepEqual(tests.map(({ k, satisfied }) => [k, satisfied]), [[4, 40], [20, 40]]); // prettier-ignore
      assert.ok(Math.min(...curve.lengths) > 3);
      assert.equal(belowResolution, false);
    }
    const text = shown(analysis);
    assert.match(text, /proved by rows 12, 77, 250, 301, which are linearly dependent/);
    assert.match(text, /The sample does not see the 4 dependent rows/);
    assert.match(
      featureFindings(analysis).headline,
      /^mine\.npy: Kruskal rank 3 at float32's tolerance; Kruskal rank 3 at/,
    );
  });

  it('names a zero row and repeated rows, by their files where they have some', async () => {
    const [T, d] = [12, 6];
    const data = gaussian(T, d);
    data.copyWithin(9 * d, 2 * d, 3 * d);
    const rowNames = Array.from({ length: T }, (_, i) => `image-${i}.png`);
    const skipped = [{ file: 'notes.txt', reason: 'neither JPEG nor PNG' }];
    const repeated = await analyseFeatures(features(data, T, d, { rowNames, skipped }), sizes);
    assert.match(shown(repeated), /Left out: notes\.txt \(neither JPEG nor PNG\)\./);
    assert.deepEqual(repeated.summary.repeatedRows, [{ row: 9, equals: 2 }]);
    assert.deepEqual(repeated.verdicts.map(({ bounds }) => bounds.witness), [[2, 9], [2, 9]]); // prettier-ignore
    assert.match(shown(repeated), /1 row repeats an earlier one \(rows 2 \(image-2\.png\), 9 \(image-9\.png\)\)/);

    data.fill(0, 4 * d, 5 * d);
    data[4 * d] = -0;
    const zero = await analyseFeatures(features(data, T, d), sizes);
    assert.deepEqual(zero.summary.zeroRows, [4]);
    assert.deepEqual(zero.verdicts.map(({ bounds }) => [bounds.atMost, bounds.witness]), [[0, [4]], [0, [4]]]); // prettier-ignore
    assert.match(shown(zero), /Row 4 is zero: the Kruskal rank is 0/);
  });

  it('takes fewer rows than columns, down to one number', async () => {
    const few = await analyseFeatures(features(gaussian(5, 30), 5, 30), sizes);
    assert.deepEqual(few.verdicts[1].tests.map(({ k }) => k), [1, 3, 4, 5]); // prettier-ignore
    assert.equal(few.spectrum.length, 5);
    assert.deepEqual(few.verdicts.map(({ bounds }) => bounds.atLeast), [5, 5]); // prettier-ignore
    assert.match(shown(few), /The Kruskal rank is 5, certified: no more is possible/);
    shown(await analyseFeatures(features(Float64Array.of(2.5), 1, 1), sizes));
    shown(await analyseFeatures(features(Float64Array.of(0), 1, 1), sizes));
  });

  it('never lets rounded numbers pass for independent without saying so', async () => {
    const [T, d] = [30, 10];
    const exact = gaussian(T, d);
    // Rank 6 but for the rounding.
    for (let i = 0; i < T; i++) for (let j = 6; j < d; j++) exact[i * d + j] = exact[i * d] + exact[i * d + j - 5] / 3;
    const rounded = Float32Array.from(exact);
    const analyse = (data: Float32Array | Float64Array) => analyseFeatures(features(data, T, d), { ...sizes, ks: [d] });

    for (const data of [rounded, Float64Array.from(rounded)]) {
      const analysis = await analyse(data);
      const [float32, float64] = analysis.verdicts;
      assert.deepEqual([float32.belowResolution, float64.belowResolution], [false, true]);
      assert.deepEqual([float32.rank, float64.rank], [6, 10]);
      assert.deepEqual([float32.tests[0].satisfied, float64.tests[0].satisfied], [0, 40]);
      const text = shown(analysis);
      assert.match(text, /Do not read “independent” at float64's tolerance/);
      assert.match(text, /nothing: rounding alone does this/);
    }
    const whole = await analyse(exact);
    assert.equal(whole.summary.resolution, 2 ** -52);
    assert.equal(whole.verdicts[1].rank, 6);
    assert.doesNotMatch(shown(whole), /Do not read/);
  });

  it('sees how finely numbers are spaced, whatever they are kept in', () => {
    const [T, d] = [30, 10];
    const exact = gaussian(T, d);
    const spacing = (data: Float32Array | Float64Array) => summarize({ data, shape: [T, d] }).resolution;
    const inBits = (bits: number) =>
      exact.map((value) => {
        const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) + 1 - bits);
        return Math.round(value / unit) * unit;
      });
    assert.equal(spacing(exact), 2 ** -52);
    for (const bits of [24, 11, 8]) {
      assert.equal(spacing(inBits(bits)), 2 ** (1 - bits));
      assert.equal(spacing(Float32Array.from(inBits(bits))), 2 ** (1 - bits));
    }
    assert.equal(spacing(exact.map((value) => Number(value.toPrecision(6)))), 1e-5);
    assert.equal(spacing(exact.map((value) => Math.round(100 * value))), 0);
  });

  it('does not mind the scale of the numbers', async () => {
    const [T, d] = [20, 5];
    for (const scale of [1e300, 1e-300]) {
      const data = gaussian(T, d).map((value) => value * scale);
      const { summary, verdicts } = await analyseFeatures(features(data, T, d), sizes);
      assert.ok(Math.abs(summary.norms.max / scale - 4) < 3, `${summary.norms.max}`);
      assert.deepEqual(verdicts.map(({ rank }) => rank), [5, 5]); // prettier-ignore
    }
  });

  it('refuses what it cannot do', async () => {
    const small = features(gaussian(6, 4), 6, 4);
    for (const k of [0, 5, 1.5]) {
      await assert.rejects(analyseFeatures(small, { ...sizes, ks: [k] }), (error: Error) => {
        assert.ok(error instanceof InputError);
        return error.message === `mine.npy (6 x 4): expected a whole number k from 1 to 4, got ${k}`;
      });
    }
    const huge = { ...small, shape: [1e7, 1e5] } as YourFeatures;
    await assert.rejects(
      analyseFeatures(huge, sizes),
      /the analysis of mine\.npy \(10000000 x 100000\) needs 32 TB of memory/,
    );
  });
});
