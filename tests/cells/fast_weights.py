"""A cell of these tests, in one file: the fast weights of Schmidhuber (1992), whose memory is a matrix.

S_t = 0.9 S_{t-1} + v_t k_t^T, read by h_t = tanh(S_t q_t), with v, k and q affine maps of the input.
It has no kernel, no operator and no scan, and its formula cannot be worked out beforehand.
"""

from __future__ import annotations

from seqrnn.cells.cell import Cell, split


class FastWeights(Cell):
    """Writes an outer product into a matrix in each step, and reads it with a query."""

    @classmethod
    def parameters(cls, input_size, hidden_size):
        return {"weight": (3 * hidden_size, input_size), "bias": (3 * hidden_size,)}

    @classmethod
    def state(cls, hidden_size):
        return {"h": (hidden_size,), "S": (hidden_size, hidden_size)}

    @classmethod
    def projection_size(cls, hidden_size):
        return 3 * hidden_size

    @classmethod
    def project(cls, xp, p, x):
        return xp.linear(x, p["weight"], p["bias"])

    @classmethod
    def step(cls, xp, p, projected, state):
        value, key, query = split(projected, 3)
        memory = 0.9 * state[1] + value[..., None] * xp.tanh(key)[..., None, :]
        return xp.tanh((memory @ query[..., None])[..., 0]), memory
