"""Makes girths.json: matrices of whole numbers and their Kruskal ranks over the rationals, by what is known of them or by trying all sets.

Rows are vectors. `known` says where a value comes from: the girth of a graph (breadth-first search), less one, for the
signed incidence matrix of its edges; `brute force` where every set of rows was given to FLINT's rank of integer matrices, from the
smallest up. Codes are taken over the rationals: their parity checks are read as whole numbers, and that a set is dependent over
them implies it modulo 2 or 3, not the other way round.

    pip install python-flint==0.9.0
    python test/golden/rank/girths.py
"""

import collections
import itertools
import json
import pathlib
import random
import sys

import flint


def lcf(n, jumps):
    edges = set()
    for i in range(n):
        edges.add(tuple(sorted((i, (i + 1) % n))))
        edges.add(tuple(sorted((i, (i + jumps[i % len(jumps)]) % n))))
    return n, sorted(edges)


def girth(n, edges):
    neighbours = collections.defaultdict(list)
    for a, b in edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    best = n + 1
    for start in range(n):
        distance, parent, queue = {start: 0}, {start: None}, collections.deque([start])
        while queue:
            u = queue.popleft()
            for v in neighbours[u]:
                if v not in distance:
                    distance[v], parent[v] = distance[u] + 1, u
                    queue.append(v)
                elif parent[u] != v:
                    best = min(best, distance[u] + distance[v] + 1)
    return best


def incidence(n, edges):
    return [[1 if v == a else -1 if v == b else 0 for v in range(n)] for a, b in edges]


def brute(rows):
    """The largest k such that every k rows have rank k."""
    width = len(rows[0])
    for k in range(1, min(len(rows), width) + 1):
        for chosen in itertools.combinations(rows, k):
            if flint.fmpz_mat(list(chosen)).rank() < k:
                return k - 1
    return min(len(rows), width)


PETERSEN = (10, [e for i in range(5) for e in ((i, (i + 1) % 5), (i, i + 5), (i + 5, (i + 2) % 5 + 5))])
FANO = [(0, 1, 2), (0, 3, 4), (0, 5, 6), (1, 3, 5), (1, 4, 6), (2, 3, 6), (2, 4, 5)]
GRAPHS = {
    'K4': (4, list(itertools.combinations(range(4), 2))),
    'K33': (6, [(a, b) for a in range(3) for b in range(3, 6)]),
    'cube': lcf(8, [3, -3]),
    'Petersen': PETERSEN,
    'Heawood': lcf(14, [5, -5]),
    'Pappus': lcf(18, [5, 7, -7, 7, -7, -5]),
    'dodecahedron': lcf(20, [10, 7, 4, -4, -7, 10, -4, 7, -7, 4]),
    'McGee': lcf(24, [12, 7, -7]),
    'Tutte-Coxeter': lcf(30, [-13, -9, 7, -7, 9, 13]),
}


def golay():
    """Columns of [I | A] of the extended binary Golay code, A from the quadratic residues modulo 11."""
    residues = {x * x % 11 for x in range(1, 11)}
    a = [[0 if (j - i) % 11 in residues else 1 for j in range(11)] + [1] for i in range(11)] + [[1] * 11 + [0]]
    return [[int(i == j) for j in range(12)] for i in range(12)] + [list(column) for column in zip(*a)]


def ternary_golay():
    """Columns of [I | A] of the extended ternary Golay code: A from the Legendre symbol modulo 5."""
    symbol = {0: 0, 1: 1, 2: -1, 3: -1, 4: 1}
    a = [[0] + [1] * 5] + [[1] + [symbol[(j - i) % 5] for j in range(5)] for i in range(5)]
    return [[int(i == j) for j in range(6)] for i in range(6)] + [list(column) for column in zip(*a)]


def steiner():
    """The equiangular tight frame of 28 vectors in R^7 of the Fano plane (Fickus, Mixon, Tremain, 2012): its spark is 4."""
    signs = [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]
    rows = []
    for point in range(7):
        lines = [i for i, line in enumerate(FANO) if point in line]
        for column in range(4):
            rows.append([signs[lines.index(i) + 1][column] if i in lines else 0 for i in range(7)])
    return rows


def sylvester(n):
    return [[-1 if bin(i & j).count('1') % 2 else 1 for j in range(n)] for i in range(n)]


def identity(n):
    return [[int(i == j) for j in range(n)] for i in range(n)]


def planted(rng, count, width, size, bits):
    rows = [[rng.randrange(-(2**bits), 2**bits) for _ in range(width)] for _ in range(count)]
    where = rng.sample(range(count), size)
    weights = [rng.choice([-3, -2, -1, 1, 2, 3]) for _ in where[1:]]
    rows[where[0]] = [sum(w * rows[r][j] for w, r in zip(weights, where[1:])) for j in range(width)]
    return rows


def main():
    rng = random.Random(7)
    out = []

    def add(name, rows, kruskal, known):
        print(name, len(rows), len(rows[0]), kruskal, known, file=sys.stderr, flush=True)
        out.append({'name': name, 'kruskalRank': kruskal, 'known': known, 'rows': [' '.join(map(str, row)) for row in rows]})

    for name, (n, edges) in GRAPHS.items():
        add(name, incidence(n, edges), girth(n, edges) - 1, 'girth of the graph')
    bits = lambda r: [[i >> b & 1 for b in range(r)] for i in range(1, 2**r)]
    for name, rows in {
        'Hamming [7, 4]': bits(3), 'Hamming [15, 11]': bits(4), 'Golay [24, 12]': golay(), 'ternary Golay [12, 6]': ternary_golay(),
        'Fano plane': [[int(p in line) for p in range(7)] for line in FANO],
        'Steiner frame of the Fano plane': steiner(),
        'Reed-Solomon, 12 points, 5 powers': [[x**p for p in range(5)] for x in range(-5, 7)],
        'Vandermonde beyond 2^53, 10 points': [[x**p for p in range(6)] for x in range(3001, 5001, 200)],
        'identity and Hadamard, 4': identity(4) + sylvester(4),
        'identity and Hadamard, 8': identity(8) + sylvester(8),
        '5 of 30 rows of 8 small numbers': planted(rng, 30, 8, 5, 3),
        '4 of 20 rows of 7 numbers of 60 bits': planted(rng, 20, 7, 4, 60),
        'rows of -1, 0, 1': [[rng.randrange(-1, 2) for _ in range(6)] for _ in range(18)],
    }.items():
        add(name, rows, brute(rows), 'brute force')
    made_by = {'script': 'test/golden/rank/girths.py', 'python': sys.version.split()[0], 'python-flint': flint.__version__}
    with open(pathlib.Path(__file__).parent / 'girths.json', 'w') as file:
        json.dump({'madeBy': made_by, 'matrices': out}, file, indent=1)
        file.write('\n')


if __name__ == '__main__':
    main()
