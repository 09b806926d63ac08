"""Makes near-tolerance.json: 4000 matrices with sigma_min / sigma_max close to a tolerance, and on which side of it each is.

A matrix is given by numbers that test/rank/exact-oracle.test.ts turns into the same float64 entries: a linear congruential
generator and sums and products that IEEE 754 rounds in one way only. The side is decided by ball arithmetic (Arb): the
bracket of lambda_max and the signs of the pivots of A A^T - s I are proved, in 256 bits.

    pip install python-flint==0.9.0 numpy==2.4.6
    python test/golden/rank/near-tolerance.py
"""

import json
import math
import multiprocessing
import pathlib
import random
import sys

import flint
import numpy as np
from flint import arb, arb_mat, ctx

CASES = 4000
TOLERANCES = ['float32', 'float64', 1e-2, 1e-4, 1e-6, 1e-9, 1e-12]
FAMILIES = ['column', 'row', 'graded']
BITS = 256


def entries(seed, count):
    """Multiples of 2^-31 in [-1, 1)."""
    state, out = (seed * 2654435761 + 12345) % 2**32, []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        out.append(state / 2**31 - 1)
    return out


def matrix(family, k, d, seed, t):
    """[k, d] in float64, its smallest singular value about proportional to t."""
    x = entries(seed, k * d)
    rows = [x[i * d:(i + 1) * d] for i in range(k)]
    if family == 'row':
        for j in range(d):
            total = 0.0
            for i in range(k - 1):
                total += (i % 3 - 1) * rows[i][j]
            rows[k - 1][j] = total + t * rows[k - 1][j]
    else:
        for row in rows:
            for j in range(d):
                if family == 'graded':
                    row[j] *= 2.0 ** -(j % 5)
                if j >= k - 1:
                    row[j] *= t
    return rows


def ratio_of(name, k, d):
    """The tolerance as a float64."""
    if name == 'float32':
        return max(k, d) * 2.0**-23
    if name == 'float64':
        return max(k, d) * 2.0**-52
    return name


def gram(rows):
    a = arb_mat(rows)
    return a * a.transpose()


def rayleigh(g, x):
    y = g * x
    return (x.transpose() * y)[0, 0] / (x.transpose() * x)[0, 0]


def mid(m):
    return arb_mat([[m[i, j].mid() for j in range(m.ncols())] for i in range(m.nrows())])


def refine(g, theta, x, steps):
    """Rayleigh quotient iteration."""
    k = g.nrows()
    for _ in range(steps):
        shifted = arb_mat([[g[i, j] - (theta if i == j else 0) for j in range(k)] for i in range(k)])
        try:
            y = mid(shifted.solve(mid(x)))
        except ZeroDivisionError:
            break
        norm = (y.transpose() * y)[0, 0].sqrt().mid()
        x = mid(arb_mat([[y[i, 0] / norm] for i in range(k)]))
        theta = rayleigh(g, x).mid()
    return theta, x


def spectrum_ends(rows):
    """lambda_min and lambda_max, near enough to aim by."""
    g = gram(rows)
    k = g.nrows()
    values = np.array([[float(g[i, j].mid()) for j in range(k)] for i in range(k)])
    vectors = np.linalg.eigh(values)[1]
    top = arb_mat([[float(v)] for v in vectors[:, -1]])
    largest, top = refine(g, rayleigh(g, top).mid(), top, 1)
    x = arb_mat([[1 + (7 * i % 5) / 8] for i in range(k)])
    inverse = mid(g.inv())
    for _ in range(20):
        y = mid(inverse * x)
        norm = (y.transpose() * y)[0, 0].sqrt().mid()
        x = mid(arb_mat([[y[i, 0] / norm] for i in range(k)]))
    return g, rayleigh(g, x).mid(), largest


def pivots(g, shift, sign=1):
    """Of sign * (g - shift I): 1 where all are proved positive, -1 where one is proved negative, 0 where neither is."""
    k = g.nrows()
    a = [[sign * (g[i, j] - (shift if i == j else 0)) for j in range(k)] for i in range(k)]
    for i in range(k):
        if a[i][i] < 0:
            return -1
        if not a[i][i] > 0:
            return 0
        for r in range(i + 1, k):
            factor = a[r][i] / a[i][i]
            for c in range(i + 1, r + 1):
                a[r][c] -= factor * a[c][i]
    return 1


def side(g, smallest, largest, tau):
    """1 for sigma_min > tau sigma_max, 0 otherwise, proved."""
    square = arb(tau) ** 2
    theta = largest * (1 - arb(2) ** -100)
    above = largest * (1 + arb(2) ** -100)
    assert pivots(g, above.mid(), -1) == 1, 'no upper bound of lambda_max'
    # From below, lambda_max is at least any Rayleigh quotient; `largest` is one, to far more than 100 bits.
    if pivots(g, square * above) == 1:
        return 1
    assert pivots(g, square * theta) == -1, 'not decided'
    return 0


def plant(family, k, d, seed, tau, distance):
    """The t for which sigma_min / sigma_max is about tau (1 + distance)."""
    goal = math.log(tau) + math.log1p(distance)
    t = tau
    for _ in range(8):
        g, smallest, largest = spectrum_ends(matrix(family, k, d, seed, t))
        if not (smallest > 0 and largest > 0):
            return None
        off = goal - float((smallest / largest).log() / 2)
        if abs(off) < 1e-3 * abs(distance) or abs(off) < 3e-16:
            break
        t *= math.exp(off)
        if not 0 < t < 1e3:
            return None
    return t


def case(seed):
    """A line of the file and its distance from the tolerance; None where the planted one was missed."""
    ctx.prec = BITS
    rng = random.Random(seed)
    k = 1 if seed % 100 == 0 else min(64, int(2 * 2 ** (rng.random() ** 1.5 * 5.04)))
    d = k + rng.choice([0, 0, 0, 1, 3, 8])
    name = TOLERANCES[seed % 7]
    family = FAMILIES[seed % 3]
    tau = ratio_of(name, k, d)
    distance = rng.choice([-1, 1]) * 10 ** rng.uniform(-12, math.log10(0.2))
    if k == 1:
        return f'{k} {d} {family[0]} {seed % 7} {seed} 1.0 1', 1.0
    t = plant(family, k, d, seed, tau, distance)
    if t is None:
        return None
    g, smallest, largest = spectrum_ends(matrix(family, k, d, seed, t))
    # Where rounding to float64 has put it, near that tolerance.
    found = float((smallest / largest).sqrt() / arb(tau) - 1)
    if not 1e-12 <= abs(found) <= 0.2:
        return None
    truth = side(g, smallest, largest, tau)
    assert truth == (found > 0)
    return f'{k} {d} {family[0]} {seed % 7} {seed} {t!r} {truth}', found


def main():
    cases, distances = [], {}
    with multiprocessing.Pool() as pool:
        for made in pool.imap(case, range(1, 2 * CASES), chunksize=4):
            if made is None:
                continue
            line, found = made
            cases.append(line)
            bucket = math.floor(math.log10(abs(found)))
            distances[bucket] = distances.get(bucket, 0) + 1
            if len(cases) % 200 == 0:
                print(len(cases), dict(sorted(distances.items())), file=sys.stderr, flush=True)
            if len(cases) == CASES:
                break
        pool.terminate()
    made_by = {'script': 'test/golden/rank/near-tolerance.py', 'python': sys.version.split()[0], 'python-flint': flint.__version__,
               'bits': BITS}
    document = {'madeBy': made_by, 'tolerances': TOLERANCES, 'columns': 'k d family tolerance seed t independent', 'cases': cases}
    with open(pathlib.Path(__file__).parent / 'near-tolerance.json', 'w') as file:
        json.dump(document, file, indent=0)
        file.write('\n')


if __name__ == '__main__':
    main()
