"""What a network offers to be exported.

Its twin in `backends/numpy/` says what the operators give.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar, cast

import numpy as np

from seqrnn.answering.backend import Backend
from seqrnn.backends.onnx.graph import Array, Graph, Part
from seqrnn.backends.onnx.ops import OnnxOps
from seqrnn.catalog import NETWORKS, load
from seqrnn.config import ModelConfig
from seqrnn.tasks.task import Task

Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Trained:
    """A trained model: its settings and its task, its parameters by name, and what answers in NumPy."""

    config: ModelConfig
    task: Task
    parameters: Arrays
    twin: Backend


Described = TypeVar("Described")
Sizes = TypeVar("Sizes")
Twin = TypeVar("Twin")


class Network(ABC, Generic[Described, Sizes, Twin]):
    """A trained network that can be written as a graph."""

    name: ClassVar[str] = ""
    """Of its file, where a model needs several."""

    about: ClassVar[str]
    """What goes in and what comes out, for those who open the file."""

    def __init__(self, trained: Trained) -> None:
        self.trained = trained
        self.sizes = cast(Sizes, trained.task.sizes())
        self.twin = cast(Twin, trained.twin)

    def network(self, graph: Graph) -> Described:
        """Return the network, which adds what it is asked to a graph."""
        description: Callable[..., Described] = load(NETWORKS[self.trained.task.model])
        return description(OnnxOps(Part(graph, self.trained.parameters)), self.trained.config, self.sizes)

    @abstractmethod
    def graph(self) -> Graph:
        """Put the network together."""

    @abstractmethod
    def sample(self, lengths: Array, width: int, random: np.random.Generator) -> dict[str, Array]:
        """Make inputs of some `lengths` (B,), padded to `width` steps."""

    @abstractmethod
    def expected(self, inputs: Arrays) -> dict[str, Array]:
        """Compute the outputs with NumPy; where a sequence has ended, anything."""
