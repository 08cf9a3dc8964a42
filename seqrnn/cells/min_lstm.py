"""The minimal long short-term memory of Feng et al. (2024), "Were RNNs All We Needed?", arXiv:2410.01201."""

from __future__ import annotations

from seqrnn.cells.cell import Array, FormulaFunctions, Parameters, split
from seqrnn.cells.linear_cell import LinearCell


class MinLSTM(LinearCell):
    """An LSTM whose gates and candidate depend on the input alone, so that a scan computes all steps.

        f_t = sigmoid(W_f x_t + b_f)                            forget
        i_t = sigmoid(W_i x_t + b_i)                            input
        n_t = W_n x_t + b_n                                     candidate
        h_t = (f_t * h_{t-1} + i_t * n_t) / (f_t + i_t)

    The gates are divided by their sum, so that the scale of the state does not depend on time. With
    s = log f_t - log i_t, their shares are sigmoid(s) and sigmoid(-s): nothing is divided by a sum that may
    round to zero.
    """

    maps = 3

    @classmethod
    def project(cls, xp: FormulaFunctions, p: Parameters, x: Array) -> Array:
        """Return the share of the old state, and what the input adds."""
        forget, take, candidate = split(cls.mapped(xp, p, x), 3)
        ratio = xp.softplus(-take) - xp.softplus(-forget)
        return xp.concat([xp.sigmoid(ratio), xp.sigmoid(-ratio) * candidate])
