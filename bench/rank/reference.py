"""The reference's way to a rank, torch.linalg.matrix_rank in float32, timed on subsets that were drawn elsewhere.

    python reference.py FEATURES.npy DRAWS.npy        one subset of rows a line of DRAWS, int32 [draws, k]
    python reference.py CONTEXTS.npy                  [B, n, d]

Prints JSON: the rank and the seconds of each, and the ratio of the extreme singular values in float64.
"""

import json
import sys
import time

import numpy
import torch

features = numpy.load(sys.argv[1])
if len(sys.argv) > 2:
    matrices = (features[rows] for rows in numpy.load(sys.argv[2]))
else:
    matrices = iter(features)
ranks, seconds, ratios = [], [], []
for matrix in matrices:
    a = torch.from_numpy(matrix.astype(numpy.float32))
    if not ranks:
        torch.linalg.matrix_rank(a)  # The first call loads LAPACK.
    start = time.perf_counter()
    rank = int(torch.linalg.matrix_rank(a))
    seconds.append(time.perf_counter() - start)
    ranks.append(rank)
    if len(ratios) < 20:
        sigmas = torch.linalg.svdvals(torch.from_numpy(matrix.astype(numpy.float64)))
        ratios.append(float(sigmas[-1] / sigmas[0]))
threads = torch.get_num_threads()
print(json.dumps({"torch": torch.__version__, "threads": threads, "ranks": ranks, "seconds": seconds, "ratios": ratios}))
