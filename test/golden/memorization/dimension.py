"""Golden values for test/memorization/capacity/{jacobian,dimension}.test.ts: `python dimension.py > dimension.json`.

`python dimension.py --exact < layers.json` reads a list of `[layer, examples]` and prints their ranks with 60 digits.

JAX 0.10.2 on a CPU, numpy 2.4.6, gmpy2 2.3.2, Python 3.11; a minute. Everything is drawn by numpy.

- `jacobians`: outputs of a layer and their Jacobian by all weights, by automatic differentiation of the formula in float64.
- `ranks`: the rank of such a Jacobian at random weights, at float64's tolerance, and with 60 digits where float64 cannot tell
  (there the Jacobian is written out by hand, and first compared with JAX's).
"""

import json
import sys

import gmpy2
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update('jax_enable_x64', True)
gmpy2.get_context().precision = 200  # bits: 60 digits
NAMES = ('embedding', 'bias', 'query', 'key', 'value', 'output', 'decoder', 'decoderBias')


def layer(heads, context, size, width, contexts, outputs=1, fixed=False, values=1, groups=None):
    return {
        'heads': heads,
        'context': context,
        'headSize': size,
        'width': width,
        'contexts': contexts,
        'classes': outputs,
        'embedding': 'fixed' if fixed else 'trained',
        'valueSize': values,
        'keyValueHeads': groups or heads,
    }


def shapes(s):
    d, H, G, r, v, C = (s[k] for k in ('width', 'heads', 'keyValueHeads', 'headSize', 'valueSize', 'classes'))
    return dict(zip(NAMES, [(d, d), (d,), (H, d, r), (G, d, r), (G, d, v), (H, v, d), (d, C), (C,)], strict=True))


def draw(s, examples, seed):
    random = np.random.default_rng(seed)
    n, d = s['context'], s['width']
    weights = {}
    for name, shape in shapes(s).items():
        bound = 1 / np.sqrt(d) if len(shape) == 1 else np.sqrt(6 / (shape[-2] + shape[-1]))
        weights[name] = random.uniform(-bound, bound, shape).round(6)
    if s['embedding'] == 'fixed':
        weights['embedding'], weights['bias'] = np.eye(d), np.zeros(d)
    queries = random.uniform(size=(examples, d)).round(6)
    tokens = random.uniform(size=(n, d) if s['contexts'] == 'shared' else (examples, n, d)).round(6)
    return weights, queries, tokens


def positions(count, d, real=float, exp=np.exp, log=np.log, sin=np.sin, cos=np.cos):
    angles = [[p * exp(-i * log(real(10000)) / d) for i in range(0, d, 2)] for p in range(count)]
    return np.array([[f(a) for a in row for f in (sin, cos)] for row in angles])


def forward(s, weights, queries, tokens):
    """[T, C], the formula of the paper for one query."""
    w, group = weights, np.arange(s['heads']) * s['keyValueHeads'] // s['heads']
    place = positions(s['context'] + 1, s['width'])
    x = queries @ w['embedding'] + w['bias'] + place[0]
    X = jnp.broadcast_to(tokens, (len(queries), *tokens.shape[-2:])) @ w['embedding'] + w['bias'] + place[1:]
    q = jnp.einsum('td,hdr->thr', x, w['query'])
    k = jnp.einsum('tnd,hdr->thnr', X, w['key'][group])
    v = jnp.einsum('tnd,hdv->thnv', X, w['value'][group])
    a = jax.nn.softmax(jnp.einsum('thr,thnr->thn', q, k) / np.sqrt(s['width']), -1)
    return jnp.einsum('thn,thnv,hvd,dc->tc', a, v, w['output'], w['decoder']) + w['decoderBias']


def trained(s):
    return NAMES[2:] if s['embedding'] == 'fixed' else NAMES


def jacobian(s, weights, queries, tokens):
    """[T C, P], columns in the order of NAMES, by JAX."""
    parts = jax.jacrev(lambda some: forward(s, {**weights, **some}, queries, tokens))({n: weights[n] for n in trained(s)})
    rows = len(queries) * s['classes']
    return np.concatenate([np.asarray(parts[n]).reshape(rows, -1) for n in trained(s)], 1)


def jacobian_by_hand(s, weights, queries, tokens, exact):
    """The same in numpy alone, with 60 digits when `exact`: arrays of gmpy2's numbers."""
    number = np.vectorize(gmpy2.mpfr, otypes=[object]) if exact else np.asarray
    exp = np.vectorize(gmpy2.exp, otypes=[object]) if exact else np.exp
    w = {name: number(array) for name, array in weights.items()}
    H, G, r, d, C = (s[k] for k in ('heads', 'keyValueHeads', 'headSize', 'width', 'classes'))
    scale = 1 / gmpy2.sqrt(d) if exact else 1 / np.sqrt(d)
    functions = (gmpy2.mpfr, gmpy2.exp, gmpy2.log, gmpy2.sin, gmpy2.cos) if exact else ()
    place = positions(s['context'] + 1, d, *functions)
    rows = []
    for t, e in enumerate(number(queries)):
        E = number(tokens if s['contexts'] == 'shared' else tokens[t])
        x = e.dot(w['embedding']) + w['bias'] + place[0]
        X = E.dot(w['embedding']) + w['bias'] + place[1:]
        heads = []
        for h in range(H):
            g = h * G // H
            q = x.dot(w['query'][h]) * scale
            probe = w['key'][g].dot(q)
            scores = X.dot(probe)
            a = exp(scores - max(scores))
            a = a / a.sum()
            heads.append((g, q, probe, a, a.dot(X), a.dot(X).dot(w['value'][g])))
        for c in range(C):
            parts = {name: number(np.zeros(shape)) for name, shape in shapes(s).items()}
            dx, dX = number(np.zeros(d)), number(np.zeros(X.shape))
            for h, (g, q, probe, a, mean, z) in enumerate(heads):
                u = w['output'][h].dot(w['decoder'][:, c])
                direction = w['value'][g].dot(u)
                y = X.dot(direction)
                by_score = a * (y - a.dot(y))
                moved = by_score.dot(X)
                k = moved.dot(w['key'][g]) * scale
                parts['query'][h] = np.outer(x, k)
                parts['key'][g] = parts['key'][g] + np.outer(moved, q)
                parts['value'][g] = parts['value'][g] + np.outer(mean, u)
                parts['output'][h] = np.outer(z, w['decoder'][:, c])
                parts['decoder'][:, c] = parts['decoder'][:, c] + z.dot(w['output'][h])
                dx = dx + w['query'][h].dot(k)
                dX = dX + np.outer(by_score, probe) + np.outer(a, direction)
            parts['decoderBias'][c] = parts['decoderBias'][c] + 1
            parts['embedding'] = np.outer(e, dx) + E.T.dot(dX)
            parts['bias'] = dx + dX.sum(0)
            rows.append(np.concatenate([parts[n].flatten() for n in trained(s)]))
    return np.array(rows)


def rank_exactly(matrix):
    """Gaussian elimination with complete pivoting; a pivot below 1e-45 of the first is 0."""
    a, rank, first = matrix.copy(), 0, None
    while rank < min(a.shape):
        sizes = np.abs(a[rank:, rank:])
        i, j = np.unravel_index(np.argmax(sizes), sizes.shape)
        first = first or sizes[i, j]
        if sizes[i, j] < first * gmpy2.mpfr('1e-45'):
            break
        a[[rank, rank + i]] = a[[rank + i, rank]]
        a[:, [rank, rank + j]] = a[:, [rank + j, rank]]
        a[rank + 1 :, rank:] -= np.outer(a[rank + 1 :, rank] / a[rank, rank], a[rank, rank:])
        rank += 1
    return rank


def one_jacobian(s, seed):
    weights, queries, tokens = draw(s, 4, seed)
    found = jacobian(s, weights, queries, tokens)
    by_hand = jacobian_by_hand(s, weights, queries, tokens, False)
    assert np.abs(found - by_hand).max() < 1e-13 * np.abs(found).max()
    return {
        'layer': s,
        'queries': queries.flatten().tolist(),
        'tokens': tokens.flatten().tolist(),
        'weights': np.concatenate([weights[n].flatten() for n in NAMES]).tolist(),
        'outputs': np.asarray(forward(s, weights, queries, tokens)).flatten().tolist(),
        'jacobian': found.flatten().tolist(),
    }


def one_rank(s, examples, exact):
    weights, queries, tokens = draw(s, examples, 0)
    if exact:
        return {'layer': s, 'digits': 60, 'rank': rank_exactly(jacobian_by_hand(s, weights, queries, tokens, True))}
    found = jacobian(s, weights, queries, tokens)
    sigma = np.linalg.svd(found, compute_uv=False)
    rank = int((sigma > sigma[0] * max(found.shape) * 2.0**-52).sum())
    return {'layer': s, 'digits': 16, 'rank': rank}


JACOBIANS = [
    layer(2, 3, 2, 4, 'shared'),
    layer(2, 3, 2, 4, 'random', outputs=3, fixed=True),
    layer(2, 3, 3, 4, 'random', values=2, groups=1),
    layer(4, 6, 2, 4, 'shared', outputs=2, fixed=True, values=3, groups=2),
]
RANKS = [
    (layer(2, 4, 2, 8, 'shared', fixed=True), 80),
    (layer(2, 4, 4, 8, 'shared'), 90),
    (layer(4, 4, 2, 8, 'shared', fixed=True), 110),
    (layer(2, 8, 4, 8, 'shared'), 140),
    (layer(2, 4, 2, 8, 'random', fixed=True), 100),
    (layer(2, 4, 4, 8, 'random'), 180),
    (layer(2, 2, 2, 8, 'random'), 110),
    (layer(2, 1, 2, 8, 'random'), 40),
    (layer(3, 3, 2, 4, 'shared', outputs=5, fixed=True, values=2), 60),
    (layer(6, 3, 2, 4, 'random', outputs=6, fixed=True), 80),
    (layer(4, 5, 2, 8, 'shared', fixed=True, groups=2), 110),
    (layer(4, 5, 4, 8, 'shared', fixed=True, groups=1), 170),
    (layer(4, 3, 2, 6, 'random', outputs=2, values=2, groups=2), 160),
]
# Singular values reach down into float64's noise: heads of size 1, tokens beyond the width, nearly constant positions.
EXACT_RANKS = [
    (layer(3, 6, 1, 6, 'shared', fixed=True), 60),
    (layer(2, 5, 1, 4, 'shared'), 35),
    (layer(2, 14, 3, 6, 'shared', values=2), 115),
    (layer(1, 7, 5, 6, 'random', outputs=3), 100),
    (layer(1, 8, 5, 8, 'random', values=2), 125),
    (layer(2, 8, 2, 8, 'shared'), 85),
    (layer(1, 11, 1, 8, 'shared', fixed=True), 35),
    (layer(3, 18, 1, 8, 'shared', fixed=True, values=2), 85),
]

if '--exact' in sys.argv:
    print(json.dumps([one_rank(s, T, True)['rank'] for s, T in json.load(sys.stdin)]))
else:
    ranks = [one_rank(s, T, False) for s, T in RANKS] + [one_rank(s, T, True) for s, T in EXACT_RANKS]
    print(json.dumps({'jacobians': [one_jacobian(s, i) for i, s in enumerate(JACOBIANS)], 'ranks': ranks}))
