"""The minimal gated recurrent unit of Feng et al. (2024), "Were RNNs All We Needed?", arXiv:2410.01201."""

from __future__ import annotations

from seqrnn.cells.cell import Array, Functions, Parameters, split
from seqrnn.cells.linear_cell import LinearCell


class MinGRU(LinearCell):
    """A GRU whose gate and candidate depend on the input alone, so that a scan computes all steps.

        z_t = sigmoid(W_z x_t + b_z)               update
        n_t = g(W_n x_t + b_n)                     candidate
        h_t = (1 - z_t) * h_{t-1} + z_t * n_t

    g(u) is u + 1/2 above zero and sigmoid(u) below (appendix B): with it the state is positive as long as the
    first one is, which nothing here needs; any other first state is right, too.
    """

    maps = 2

    @classmethod
    def project(cls, xp: Functions, p: Parameters, x: Array) -> Array:
        """Return 1 - z_t, and what z_t adds."""
        gate, candidate = split(cls.mapped(xp, p, x), 2)
        return xp.concat([xp.sigmoid(-gate), xp.sigmoid(gate) * positive(xp, candidate)])


def positive(xp: Functions, u: Array) -> Array:
    """The g of the paper: u + 1/2 above zero, sigmoid(u) below, which is continuous and has no saturation."""
    return xp.relu(u) + xp.sigmoid(-xp.relu(-u))
