"""Weights that any language can make: integers from a hash of the tensor's name and the position, times powers of two.

Every value is exact in float32, so all implementations and precisions start from the same numbers. The same generator
stands in test/models/integer-weights.ts.
"""

import numpy as np


def _fnv1a(text: str) -> int:
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def unit(name: str, count: int) -> np.ndarray:
    """`count` multiples of 2^-20 in [-0.5, 0.5): MurmurHash3's finalizer of (hash of the name + position)."""
    x = np.arange(count, dtype=np.uint64) + _fnv1a(name)
    x &= 0xFFFFFFFF
    x ^= x >> 16
    x = (x * 0x85EBCA6B) & 0xFFFFFFFF
    x ^= x >> 13
    x = (x * 0xC2B2AE35) & 0xFFFFFFFF
    x ^= x >> 16
    return ((x >> 12).astype(np.float64) - 2**19) * 2.0**-20


def tensor(name: str, shape, amplitude: float) -> np.ndarray:
    """A weight by the kind that its name tells: norms about 1, LayerScale about 0.5, biases and all else about 0."""
    values = unit(name, int(np.prod(shape))).reshape(shape)
    if name.endswith(("lambda1", "lambda_1", "lambda_2")):
        return 0.5 + values
    if "norm" in name.lower() or ".ln_" in name:
        return values * 0.5 + (1.0 if name.endswith("weight") else 0.0)
    return values * (0.5 if name.endswith("bias") else amplitude)


def pixels(batch: int, height: int, width: int | None = None) -> np.ndarray:
    """[batch, 3, height, width] in [-2, 2); a square unless the width is given."""
    width = height if width is None else width
    return unit("pixels", batch * 3 * height * width).reshape(batch, 3, height, width) * 4.0


def tokens(batch: int, length: int, vocabulary: int) -> np.ndarray:
    """[batch, length] numbers from 0 to vocabulary - 1."""
    return np.floor((unit("tokens", batch * length) + 0.5) * vocabulary).astype(np.int64).reshape(batch, length)


def picked(name: str, size: int, count: int) -> np.ndarray:
    """Positions at which a tensor of `size` values is compared."""
    if size <= count:
        return np.arange(size)
    return np.floor((unit(f"picked {name}", count) + 0.5) * size).astype(np.int64)
