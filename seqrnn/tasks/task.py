"""What every task answers about itself; the rest of seqrnn asks and never branches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from seqrnn.config import Config
from seqrnn.data.batching import Batch, Pass
from seqrnn.data.columns import Dataset
from seqrnn.data.fields import Field

Values = Mapping[str, np.ndarray]  # what a model computed for a batch, by name


class Scorer(Protocol):
    """Gathers a model's answers over a data set and says how good they are."""

    def add(self, batch: Batch, values: Values) -> None:
        """Take the answers to one batch."""

    def result(self, loss: float) -> dict[str, Any]:
        """Return the figures by their public names; `loss` is in nats a target."""

    def details(self) -> dict[str, Any]:
        """Return what a reader wants to see beside the figures, such as a table of classes."""


class Task(ABC):
    """One kind of problem: its data, its batches, its model and its measure."""

    name: ClassVar[str]
    model: ClassVar[str]  # key of catalog.MODELS
    metric: ClassVar[str]  # what decides which weights are the best
    better: ClassVar[Literal["higher", "lower"]]
    verb: ClassVar[Literal["classify", "generate"]]  # the command that answers with such a model
    default_epochs: ClassVar[float]  # where no length of training is given
    defaults: ClassVar[Mapping[str, Any]]  # configuration keys whose default differs here

    def __init__(self, config: Config) -> None:
        self.config = config

    @property
    @abstractmethod
    def fields(self) -> Sequence[Field]:
        """The sides of an example, in the order of the data set's columns."""

    @abstractmethod
    def shape(self) -> str:
        """Return the shape of the task as a lecture draws it."""

    @abstractmethod
    def sizes(self) -> dict[str, int]:
        """Return the sizes of the model that the data decide, such as the vocabulary's."""

    @abstractmethod
    def batch_count(self, dataset: Dataset, order: Pass) -> int:
        """Return how many batches a pass over `dataset` has."""

    @abstractmethod
    def batches(self, dataset: Dataset, order: Pass) -> Iterator[Batch]:
        """Cut a data set into batches."""

    @abstractmethod
    def scorer(self) -> Scorer:
        """Return a fresh scorer."""

    def class_weights(self, dataset: Dataset) -> np.ndarray | None:  # noqa: ARG002
        """Return a weight for each class (K,), or None where all count alike."""
        return None
