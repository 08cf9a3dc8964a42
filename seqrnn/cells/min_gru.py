"""The minimal gated recurrent unit of Feng et al. (2024), "Were RNNs All We Needed?", arXiv:2410.01201."""

from __future__ import annotations

from seqrnn.cells.cell import Array, FormulaFunctions, Parameters, split
from seqrnn.cells.linear_cell import LinearCell


class MinGRU(LinearCell):
    """A GRU whose gate and candidate depend on the input alone, so that a scan computes all steps.

        z_t = sigmoid(W_z x_t + b_z)               update
        n_t = W_n x_t + b_n                        candidate
        h_t = (1 - z_t) * h_{t-1} + z_t * n_t

    The paper's appendix B makes the candidate positive, for a scan over logarithms. No scan here needs that:
    states may have any sign, and a first state from an encoder has.
    """

    maps = 2

    @classmethod
    def project(cls, xp: FormulaFunctions, p: Parameters, x: Array) -> Array:
        """Return 1 - z_t, and what z_t adds."""
        gate, candidate = split(cls.mapped(xp, p, x), 2)
        return xp.concat([xp.sigmoid(-gate), xp.sigmoid(gate) * candidate])
