"""Rows on their way to a model: encoded, cut into batches by length, and taken in turn."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from threading import Lock

from seqrnn.catalog import CELLS, load
from seqrnn.cells.sizes import CACHED
from seqrnn.config import ModelConfig
from seqrnn.data.answer import Answer
from seqrnn.data.dataset.batching import Batch, BatchLimits, BatchOrder
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.data.fields.field import Field
from seqrnn.data.fields.input_sizes import ImageSizes, InputSizes, VectorSizes
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import Encoded

EMPTY = Answer("", None)  # until there is another answer, which an empty row may never get
MAX_ROWS = 1024  # in a batch: the more there are, the more of them begin alike
MAX_STEP_SIZE = 2**18  # numbers in the hidden states of a batch at one step
MAX_POSITIONS = 2**14  # of a batch
MAX_NUMBERS = 2**22  # that are read in a batch, where they are pixels or features: 16 MiB
# Rows that are written together: with fewer, products are slow; more gain nothing.
MIN_GENERATION_ROWS, MAX_GENERATION_ROWS = 32, 256
_LARGE = Lock()  # held by the one thread that computes a batch of a single long row
MAX_SCORES = 2**23  # of next tokens, in a batch of rows that are written: 32 MiB


def order_of(config: ModelConfig, reads: InputSizes) -> BatchOrder:
    """Return how rows that are read are cut into batches, whatever suited training.

    Large images and vectors of many features come in smaller batches.
    """
    rows = max(MIN_GENERATION_ROWS, min(MAX_ROWS, MAX_STEP_SIZE // config.hidden_size))
    positions = MAX_POSITIONS
    match reads:
        case ImageSizes():
            rows = min(rows, max(1, MAX_NUMBERS // max(reads.channels * reads.side**2, 1)))
        case VectorSizes():
            positions = min(MAX_POSITIONS, MAX_NUMBERS // reads.features)
    return BatchOrder(limits=BatchLimits(rows, positions))


def order_of_writing(config: ModelConfig, width: int, vocabulary_size: int) -> BatchOrder:
    """Return the same for rows that are written, when `width` sequences are followed for each at a time.

    A step over them should stay in a processor's cache, and must not score too many tokens.
    """
    numbers = load(CELLS[config.cell]).projection_size(config.hidden_size) * width
    rows = max(MIN_GENERATION_ROWS, min(MAX_GENERATION_ROWS, CACHED // numbers))
    rows = max(1, min(rows, MAX_SCORES // (width * vocabulary_size)))
    return BatchOrder(limits=BatchLimits(rows, MAX_POSITIONS))


def turn_of(batch: Batch) -> AbstractContextManager[object]:
    """Return what is held while a batch is computed: one that is over the limits has the memory to itself."""
    return _LARGE if batch.positions > MAX_POSITIONS else nullcontext()


def encode_rows(fields: Sequence[Field], records: Sequence[Record]) -> tuple[Dataset, list[Encoded]]:
    """Encode some rows; return with them the first field, which holds their texts."""
    encoded = {field.name: field.encode(records) for field in fields}
    columns = {name: Column.of([side.ids for side in sides]) for name, sides in encoded.items()}
    return Dataset(columns), encoded[fields[0].name]
