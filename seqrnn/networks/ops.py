"""What a network is described with: operations that PyTorch, NumPy and ONNX each implement in their own way.

A description asks a `Builder` for its layers when it is made, and computes with `Functions` when called.
It never looks into a value: a tensor, an array, a sequence that shares equal steps, or a name in a graph.

Shapes: B batch, T time, Q queries, E embedding, H hidden, N sequences that are written, K of them a source.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from seqrnn.cells.sizes import RNNSizes

Value = Any
"""An array of the backend; only its operations look inside."""

State = tuple[Value, ...]
"""The state of one layer and direction, each (B, ...) as the cell has it; the output h comes first."""

Layers = list[State]
"""A state a layer and direction: layer 0 forward, layer 0 backward, layer 1 ..."""

Learns = Literal["labels", "notes", "tags", "text", "target"]
"""What a network is trained on: labels or numbers of examples, steps of notes, tags of tokens, a text, or a
target that is written. Each has a loss, and a kind of answer."""

Map = Callable[[Value], Value]
"""From one value to another."""


class Recurrence(Protocol):
    """A stack of recurrent layers."""

    def __call__(self, x: Value, lengths: Value, states: Layers | None = None) -> tuple[Value, Layers]:
        """Read `x` (B, T, E) of `lengths` (B,), from nothing if `states` is None.

        Returns the hidden states of the last layer (B, T, D * H), zero where a sequence has ended, and the
        last state of every sequence in every layer and direction.
        """

    def step(self, x: Value, states: Layers) -> tuple[Value, Layers]:
        """Read one step `x` (B, E): the last layer's output (B, H) and the states; one direction only."""


class CRF(Protocol):
    """A linear-chain conditional random field."""

    def decode(self, emissions: Value, mask: Value) -> tuple[Value, Value]:
        """Return the likeliest tags (B, T) of emissions (B, T, K), and their log-probability (B,)."""

    def marginals(self, emissions: Value, mask: Value) -> Value:
        """Return `log p(y_t = k | x)`, (B, T, K)."""


class Builder(Protocol):
    """Makes the layers of a network, with their parameters under the names of the part that it builds."""

    def within(self, part: str) -> Ops:
        """Return what builds a part of this part."""

    def order(self, *parts: str) -> None:
        """Say in which order the parts' parameters come, where they are made in another one."""

    def linear(self, inputs: int, outputs: int, bias: bool = True, tied_to: Map | None = None) -> Map:
        """Make `y = W x + b` over the last axis; `tied_to` an embedding, W is its table."""

    def norm(self, size: int) -> Map:
        """Make a layer normalization over the last axis."""

    def embedding(
        self,
        vocabulary: int,
        size: int,
        *,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        trained: bool = True,
    ) -> Map:
        """Make a vector a token; `word_dropout` is the share of tokens that training replaces by <unk>."""

    def sum_of_rows(self, rows: int, size: int, dropout: float) -> Map:
        """Make a table (rows, size) that is zero at first, and is summed over numbers (B, F) of its rows.

        The sum (B, size) leaves out row 0, and is over the root of how many it counts. In training a share
        `dropout` of the numbers is left out.
        """

    def images(self, channels: int, side: int, width: int) -> tuple[Map, int]:
        """Make a convolutional network, (B, C, N, N) -> (B, S, M); return M as well."""

    def rnn(self, cell: str, sizes: RNNSizes) -> Recurrence:
        """Make recurrent layers."""

    def crf(self, tags: int) -> CRF:
        """Make a conditional random field."""

    def dropout(self, share: float) -> Map:
        """Make what drops a share of the values in training, and does nothing else."""


class Functions(Protocol):
    """Functions of values. `axis` counts the batch as 0."""

    def floats(self, x: Value) -> Value:
        """Return numbers of any type as float32."""

    def add(self, x: Value, y: Value) -> Value:
        """Return `x + y`, of the same shape."""

    def tanh(self, x: Value) -> Value:
        """Return the hyperbolic tangent."""

    def tanh_of_sum(self, x: Value, y: Value) -> Value:
        """Return `tanh(x + y)`, with broadcasting."""

    def relu(self, x: Value) -> Value:
        """Return `max(x, 0)`."""

    def log_softmax(self, x: Value) -> Value:
        """Return `log softmax(x)` along the last axis, in nats."""

    def log_sigmoid(self, x: Value) -> Value:
        """Return `log sigmoid(x)`, in nats."""

    def concat(self, parts: Sequence[Value], axis: int) -> Value:
        """Join values along an axis."""

    def insert_axis(self, x: Value, axis: int) -> Value:
        """Insert an axis of size 1."""

    def remove_axis(self, x: Value, axis: int) -> Value:
        """Remove an axis of size 1."""

    def unflatten(self, x: Value, shape: tuple[int, ...]) -> Value:
        """Give each row of `x` (B, N) a shape of N numbers: (B, *shape)."""

    def rows(self, x: Value, index: Value) -> Value:
        """Take rows of `x` (R, ...): those of `index` (...) -> (..., ...)."""

    def grouped(self, x: Value, sources: Value) -> Value:
        """Group (N, H) by as many sources as `sources` (A, ...) has: (A, K, H), N = A * K."""

    def ungrouped(self, x: Value) -> Value:
        """Undo that: (A, K, H) -> (N, H)."""

    def tokens_like(self, token: int, like: Value) -> Value:
        """Return a token (B,) for each row of `like` (B, ...)."""

    def mask(self, lengths: Value, like: Value) -> Value:
        """Say which steps of `like` (B, T, ...) the sequences of `lengths` (B,) have: (B, T)."""

    def everywhere(self, like: Value) -> Value:
        """Return a mask (B, T) that is true at every step of `like` (B, T, ...)."""

    def whole(self, hidden: Value) -> Value:
        """Return a sequence (B, T, H) with every step of its own, equal ones too."""

    def per_step(self, hidden: Value, function: Map) -> Value:
        """Apply a function to each step of (B, T, H) alone: equal steps may be computed once."""

    def mean_step(self, hidden: Value, lengths: Value) -> Value:
        """Return the mean of the steps (B, T, H) that each sequence has, (B, H); zero where it has none."""

    def largest_step(self, hidden: Value, lengths: Value) -> Value:
        """Return the same of the largest value of each feature."""

    def max_over_positions(self, hidden: Value) -> Value:
        """Return the largest value of each feature over all of (B, S, H), (B, H)."""

    def present(self, tokens: Value) -> Value:
        """Return a mask that is false where a token is <blank>, which is 0."""

    def kept(self, tokens: Value, mask: Value) -> Value:
        """Return integers where `mask` is true, 0 elsewhere."""

    def windows(self, x: Value, size: int) -> list[Value]:
        """Return the first of all `size` neighbours in (B, T), the second ...: each (B, T - size + 1)."""

    def hashed(self, parts: Sequence[Value], buckets: int) -> Value:
        """Return a number from 1 to `buckets` - 1 for the integers of `parts` at each position, in order."""

    def masked_softmax(self, scores: Value, mask: Value) -> Value:
        """Return the softmax over the last axis where `mask` is true; 0 elsewhere, and where it never is."""

    def scores(self, queries: Value, keys: Value) -> Value:
        """Return the products of queries (B, Q, H) and keys (B, T, H) -> (B, Q, T)."""

    def weighted_sum(self, weights: Value, values: Value) -> Value:
        """Return the sums `weights` (B, Q, T) of `values` (B, T, H) -> (B, Q, H)."""

    def likeliest(self, scores: Value) -> tuple[Value, Value]:
        """Return the largest of `scores` along the last axis, and where it is."""

    def chosen(self, scores: Value, index: Value) -> Value:
        """Take of `scores` (B, T, K) those at `index` (B, T) -> (B, T)."""

    def sum_of_steps(self, x: Value, mask: Value) -> Value:
        """Sum (B, T) where `mask` is true -> (B,)."""

    def in_parts(self, read: Callable[[Value, Value], Value], rows: Value, lengths: Value) -> Value:
        """Return `read(rows, lengths)` for many rows (U, C), the longest first, not too many at a time."""


class Ops(Builder, Functions, Protocol):
    """Both: what a description is given."""

    def zero_states(self, rnn: Recurrence, like: Value) -> Layers:
        """Return the zero state of `rnn` for as many rows as `like` (B, ...) has."""
