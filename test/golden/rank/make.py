"""Golden values for the ranks: what SciPy's beta distribution and torch.linalg.matrix_rank say.

Run with torch 2.15, scipy 1.17, numpy: python make.py > golden.json
The matrices follow from formulas, which test/rank/golden.test.ts repeats.
"""

import json

import numpy
import scipy
import torch
from scipy.stats import beta


def interval(successes, trials):
    low = 0.0 if successes == 0 else beta.ppf(0.025, successes, trials - successes + 1)
    high = 1.0 if successes == trials else beta.ppf(0.975, successes + 1, trials - successes)
    return [float(low), float(high)]


def hilbert(n):
    i = numpy.arange(n)
    return 1.0 / (i[:, None] + i[None, :] + 1)


def cauchy_like(m, n):
    i = numpy.arange(m)[:, None]
    j = numpy.arange(n)[None, :]
    return 1.0 / (1.0 + (i - 0.7 * j) ** 2)


def vandermonde(m, n):
    return (numpy.arange(m)[:, None] / m) ** numpy.arange(n)[None, :]


def ranks(name, size, a):
    t = torch.from_numpy(a)
    return {
        "name": name,
        "size": size,
        "float64": int(torch.linalg.matrix_rank(t)),
        "float64_at_float32": int(torch.linalg.matrix_rank(t, rtol=max(a.shape) * 2.0**-23)),
        "singularValues": torch.linalg.svdvals(t).tolist()[:3],
    }


print(
    json.dumps(
        {
            "provenance": {
                "script": "test/golden/rank/make.py",
                "torch": torch.__version__,
                "scipy": scipy.__version__,
                "numpy": numpy.__version__,
            },
            "intervals": [
                {"successes": s, "trials": n, "ci95": interval(s, n)}
                for s, n in [(0, 1), (1, 1), (0, 5000), (5000, 5000), (4991, 5000), (1, 5000), (7, 20), (250, 500)]
            ],
            "ranks": [ranks("hilbert", [n, n], hilbert(n)) for n in (3, 6, 8, 12, 20)]
            + [ranks("cauchy", [m, n], cauchy_like(m, n)) for m, n in ((10, 14), (30, 60))]
            + [ranks("vandermonde", [m, n], vandermonde(m, n)) for m, n in ((12, 20), (20, 40))],
        },
        indent=1,
    )
)
