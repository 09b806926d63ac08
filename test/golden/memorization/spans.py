"""Golden ranks for test/memorization/capacity/spans.test.ts: `python spans.py > spans.json`.

JAX 0.10.2 on a CPU, numpy 2.4.6, Python 3.11; two minutes. The rank, at float64's tolerance and at random weights, of the Jacobian
by automatic differentiation of a layer with one output, d_v = 1 and nothing before it, whose queries span `queries` dimensions and
whose tokens span `tokens`, with and without rotary positions (Su et al., 2021): the query at position 0, token i at position i.
"""

import json

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np

jax.config.update('jax_enable_x64', True)


def rotated(vectors, places):
    """[..., n, r], pair j of token i turned by places[i] / 10000^(2j/r)."""
    r = vectors.shape[-1]
    angles = places[:, None] * 10000.0 ** (-np.arange(0, r, 2) / r)
    cos, sin = np.cos(angles), np.sin(angles)
    even, odd = vectors[..., 0::2], vectors[..., 1::2]
    return jnp.stack([even * cos - odd * sin, even * sin + odd * cos], -1).reshape(vectors.shape)


def rank(heads, groups, context, size, width, contexts, queries, tokens, rotary, seed=0):
    random = np.random.default_rng(seed)
    H, G, n, r, d = heads, groups, context, size, width
    xavier = lambda *shape: random.uniform(-1, 1, shape) * np.sqrt(6 / (shape[-2] + shape[-1]))
    weights = {
        'query': xavier(H, d, r),
        'key': xavier(G, d, r),
        'value': xavier(G, d, 1),
        'output': xavier(H, 1)[:, 0],
        'bias': np.zeros(()),
    }
    vector, unravel = jax.flatten_util.ravel_pytree(weights)
    T = len(vector) + 40
    x = random.uniform(size=(T, queries)) @ random.uniform(-1, 1, (queries, d))
    rows = n if contexts == 'shared' else T * n
    X = (random.uniform(size=(rows, tokens)) @ random.uniform(-1, 1, (tokens, d))).reshape(-1, n, d)
    group = np.arange(H) * G // H

    def outputs(vector):
        w = unravel(vector)
        q = jnp.einsum('td,hdr->htr', x, w['query'])
        k = jnp.einsum('snd,gdr->gsnr', X, w['key'])
        k = (rotated(k, np.arange(1, n + 1)) if rotary else k)[group]
        v = jnp.einsum('snd,gdv->gsn', X, w['value'])[group]
        k, v = jnp.broadcast_to(k, (H, T, n, r)), jnp.broadcast_to(v, (H, T, n))
        a = jax.nn.softmax(jnp.einsum('htr,htnr->htn', q, k) / np.sqrt(d), -1)
        return jnp.einsum('htn,htn,h->t', a, v, w['output']) + w['bias']

    jacobian = np.asarray(jax.jacrev(outputs)(vector))
    sigma = np.linalg.svd(jacobian, compute_uv=False)
    found = int((sigma > sigma[0] * max(jacobian.shape) * 2.0**-52).sum())
    layer = {'heads': H, 'keyValueHeads': G, 'context': n, 'headSize': r, 'width': d, 'contexts': contexts}
    spans = {'queries': queries, 'tokens': tokens, 'rotary': rotary}
    return {'layer': layer, 'spans': spans, 'rank': found}


# heads, groups, context, size, width, contexts, span of the queries, span of the tokens
SHAPES = [
    (2, 2, 4, 2, 8, 'random', 8, 8),
    (2, 2, 4, 4, 8, 'random', 8, 8),
    (2, 2, 2, 4, 6, 'random', 6, 6),
    (2, 2, 4, 2, 8, 'random', 5, 8),
    (2, 2, 4, 4, 8, 'random', 3, 6),
    (4, 2, 4, 2, 6, 'random', 6, 6),
    (4, 1, 4, 4, 6, 'random', 4, 6),
    (2, 2, 5, 2, 8, 'shared', 8, 8),
    (2, 2, 5, 4, 8, 'shared', 6, 8),
    (2, 2, 6, 2, 8, 'shared', 8, 4),
    (3, 3, 5, 4, 8, 'shared', 3, 8),
    (4, 2, 5, 2, 8, 'shared', 5, 8),
    (4, 1, 5, 2, 8, 'shared', 8, 8),
]

if __name__ == '__main__':
    print(json.dumps([rank(*shape, rotary) for shape in SHAPES for rotary in (False, True)], indent=1))
