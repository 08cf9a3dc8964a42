"""Affine maps."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from seqrnn.backends.numpy.weights import Array, Take

MOST_HELD_TWICE = 2**20  # numbers of a matrix, 4 MiB


class Linear:
    """`y = W x + b`, with `weight` (M, N) and `bias` (M,) or none."""

    def __init__(self, weight: Array, bias: Array | None) -> None:
        self.weight = weight
        self.bias = None if bias is None else bias[None]  # (1, M): NumPy adds it in half the time of (M,)

    @classmethod
    def take(cls, take: Take, inputs: int, outputs: int, bias: bool = True) -> Linear:
        """Take the parameters of a map from `inputs` to `outputs` features."""
        return cls(take("weight", (outputs, inputs)), take("bias", (outputs,)) if bias else None)

    @cached_property
    def _transposed(self) -> Array:
        """`W` as rows times it are fastest, (N, M); where it is large, as it is stored."""
        small = self.weight.size <= MOST_HELD_TWICE
        return np.ascontiguousarray(self.weight.T) if small else self.weight.T

    def __call__(self, x: Array) -> Array:
        """Map `x` (..., N) -> (..., M), in one product."""
        if x.ndim > 2:
            return self(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], len(self.weight))
        y: Array = np.dot(x, self._transposed)
        if self.bias is not None:
            y += self.bias
        return y
