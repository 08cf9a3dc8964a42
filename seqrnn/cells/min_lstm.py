"""The minimal long short-term memory of Feng et al. (2024), "Were RNNs All We Needed?", arXiv:2410.01201."""

from __future__ import annotations

from seqrnn.cells.cell import Array, Functions, Parameters, split
from seqrnn.cells.linear_cell import LinearCell
from seqrnn.cells.min_gru import positive


class MinLSTM(LinearCell):
    """An LSTM whose gates and candidate depend on the input alone, so that a scan computes all steps.

        f_t = sigmoid(W_f x_t + b_f)                forget
        i_t = sigmoid(W_i x_t + b_i)                input
        n_t = g(W_n x_t + b_n)                      candidate
        h_t = (f_t * h_{t-1} + i_t * n_t) / (f_t + i_t)

    The gates are divided by their sum, which makes the scale of the state independent of time. With
    s = log f_t - log i_t, the shares are sigmoid(s) and sigmoid(-s), so nothing is divided by a number that
    may round to zero. The candidate is that of the minGRU.
    """

    maps = 3

    @classmethod
    def project(cls, xp: Functions, p: Parameters, x: Array) -> Array:
        """Return the share of the old state, and what the input adds."""
        forget, take, candidate = split(cls.mapped(xp, p, x), 3)
        ratio = xp.softplus(-take) - xp.softplus(-forget)
        return xp.concat([xp.sigmoid(ratio), xp.sigmoid(-ratio) * positive(xp, candidate)])
