import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fitLine, rankCorrelation } from 'attention-capacity/statistics';

describe('the line through points', () => {
  it('has the least squares slope, and its interval by Student’s t', () => {
    // Residuals -1/6, 1/3, -1/6: a standard error of sqrt(1/6 / 2), one degree of freedom, whose 97.5 % point is tan(0.475 pi).
    const { slope, intercept, ci95, r2 } = fitLine([0, 1, 2].map((x) => ({ x, y: [0, 2, 3][x] })));
    const error = Math.tan(0.475 * Math.PI) * Math.sqrt(1 / 12);
    const expected = [1.5, 1 / 6, 1.5 - error, 1.5 + error, 1 - 1 / 28];
    [slope, intercept, ...ci95!, r2].forEach((value, i) =>
      assert.ok(Math.abs(value - expected[i]) < 1e-12, `${value}`),
    );
  });

  it('has the interval of two degrees of freedom, whose points have a closed form', () => {
    // t = (2p - 1) sqrt(2 / (1 - (2p - 1)^2)) at p = 0.975; residuals 0.3, -0.4, -0.1, 0.2 and sum (x - mean)^2 = 5.
    const t = 0.95 * Math.sqrt(2 / (1 - 0.95 ** 2));
    const { slope, ci95 } = fitLine([1, 1, 2, 3].map((y, x) => ({ x, y })));
    assert.ok(Math.abs(slope - 0.7) < 1e-15);
    assert.ok(Math.abs(ci95![1] - slope - t * Math.sqrt(0.3 / 2 / 5)) < 1e-12, `${ci95![1] - slope}`);
  });

  it('has no interval through two points, and explains all of what does not vary', () => {
    assert.equal(fitLine([0, 1].map((x) => ({ x, y: 3 * x }))).ci95, null);
    assert.equal(fitLine([0, 1, 2].map((x) => ({ x, y: 7 }))).r2, 1);
  });
});

describe('the rank correlation', () => {
  it('is 1 for what rises together, -1 for the opposite, and shares the ranks of equal values', () => {
    assert.equal(rankCorrelation([1, 2, 30], [5, 6, 7]), 1);
    assert.equal(rankCorrelation([1, 2, 30], [7, 6, 5]), -1);
    // Ranks 1.5, 1.5, 3 and 1, 2, 3: covariance 1.5, variances 1.5 and 2.
    assert.ok(Math.abs(rankCorrelation([1, 1, 2], [1, 2, 3]) - 1.5 / Math.sqrt(3)) < 1e-15);
    assert.equal(rankCorrelation([1, 1, 1], [1, 2, 3]), 0);
  });
});
