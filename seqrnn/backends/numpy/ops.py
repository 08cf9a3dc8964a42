"""What a network is described with, in NumPy: its layers take their parameters by name."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from seqrnn.backends.numpy.crf import CRF
from seqrnn.backends.numpy.functions import NumpyFunctions
from seqrnn.backends.numpy.inputs import MOST_BROUGHT, Lookup, TokenVectors
from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.rnn import RNN, Layers
from seqrnn.backends.numpy.token_steps import TokenSteps
from seqrnn.backends.numpy.weights import Array, Take, within
from seqrnn.cells.sizes import RNNSizes

EPSILON = 1e-5  # added to a variance, as PyTorch's LayerNorm has it


class NumpyOps(NumpyFunctions):
    """Makes the layers of one part of a network."""

    def __init__(self, take: Take) -> None:
        """Take what hands out the parameters of the part."""
        self._take = take

    def within(self, part: str) -> NumpyOps:
        """Return what builds a part of this part."""
        return NumpyOps(within(self._take, part))

    def order(self, *parts: str) -> None:
        """Do nothing: parameters are found by their names."""

    def linear(
        self, inputs: int, outputs: int, bias: bool = True, tied_to: Embedding | None = None
    ) -> Linear:
        """Make `y = W x + b`."""
        if tied_to is not None:
            return Linear(tied_to.table, self._take("bias", (outputs,)))
        return Linear.take(self._take, inputs, outputs, bias)

    def scalar(self, inputs: int) -> Scalar:
        """Make `y = v . x`."""
        return Scalar(self.linear(inputs, 1, bias=False))

    def norm(self, size: int) -> Norm:
        """Make a layer normalization."""
        return Norm(self._take("weight", (size,)), self._take("bias", (size,)))

    def embedding(
        self,
        vocabulary: int,
        size: int,
        dropout: float = 0.0,  # noqa: ARG002
        word_dropout: float = 0.0,  # noqa: ARG002
        trained: bool = True,  # noqa: ARG002
    ) -> Embedding:
        """Make a vector a token."""
        return Embedding(self._take("table.weight", (vocabulary, size)))

    def images(self, channels: int, side: int, width: int) -> NoReturn:
        """Images are for PyTorch: see `backend.can_run`."""
        raise NotImplementedError

    def rnn(self, cell: str, sizes: RNNSizes) -> Recurrence:
        """Make recurrent layers."""
        return Recurrence(RNN(self._take, cell, sizes))

    def crf(self, tags: int) -> CRF:
        """Make a conditional random field."""
        return CRF(self._take, tags)

    def dropout(self, share: float) -> Kept:  # noqa: ARG002
        """Make what keeps all values: dropout is for training."""
        return Kept()

    def zero_states(self, rnn: Recurrence, like: Array) -> Layers:
        """Return the state in which `rnn` begins, for the rows of `like`."""
        return rnn.layers.initial(len(like))

    def token_steps(self, embedding: Embedding, rnn: Recurrence) -> TokenSteps:
        """Make what reads tokens one at a time."""
        return TokenSteps(embedding.table, rnn.layers)


class Embedding:
    """A vector a token."""

    def __init__(self, table: Array) -> None:
        self.table = table

    def __call__(self, tokens: Array) -> TokenVectors:
        """Look up `tokens` (...); what reads the vectors says how."""
        return TokenVectors(self.table, tokens)


class Recurrence:
    """Recurrent layers, which read a sequence in whatever form it is."""

    def __init__(self, layers: RNN) -> None:
        self.layers = layers
        self._most = MOST_BROUGHT // layers.layers[0][0].projection_size

    def __call__(
        self, x: Array | TokenVectors, lengths: Array, states: Layers | None = None
    ) -> tuple[Lookup, Layers]:
        """Read `x` (B, T, E) of `lengths` (B,): the hidden states of the last layer, and the last states."""
        return self.layers(x.lookup(self._most) if isinstance(x, TokenVectors) else x, lengths, states)

    def step(self, x: Array, states: Layers) -> tuple[Array, Layers]:
        """Read one step `x` (B, E)."""
        return self.layers.step(self.layers.layers[0][0].project(x), states)


class Scalar:
    """A linear map to one number, without its axis."""

    def __init__(self, layer: Linear) -> None:
        self._layer = layer

    def __call__(self, x: Array) -> Array:
        """Map (..., E) -> (...)."""
        return self._layer(x)[..., 0]


class Norm:
    """Layer normalization over the last axis."""

    def __init__(self, scale: Array, shift: Array) -> None:
        self._scale = scale
        self._shift = shift

    def __call__(self, x: Array) -> Array:
        """Normalize (..., H)."""
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        found: Array = centred / np.sqrt(variance + EPSILON) * self._scale + self._shift
        return found


class Kept:
    """Values as they are."""

    def __call__(self, x: Array) -> Array:
        """Return `x`."""
        return x
