"""Batches and figures of the language-model task."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqrnn.config_file import from_defaults, resolve
from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import BLANK, BOS, EOS
from seqrnn.tasks.language_model import LanguageModeling

LINES = Dataset({"text": Column.of([np.array([4, 5]), np.array([6, 7, 8]), np.array([9])])})


def task_of(**settings):
    return LanguageModeling(resolve([from_defaults({"task": "language-model", **settings})]))


def test_a_line_stands_between_its_borders():
    (batch,) = task_of(**{"data.format": "lines"}).batches(LINES, BatchOrder())
    assert batch.arrays["inputs"].tolist() == [[BOS, 6, 7, 8], [BOS, 4, 5, BLANK], [BOS, 9, BLANK, BLANK]]
    assert batch.arrays["targets"].tolist() == [[6, 7, 8, EOS], [4, 5, EOS, BLANK], [9, EOS, BLANK, BLANK]]
    assert batch.arrays["lengths"].tolist() == [4, 3, 2]
    assert (batch.targets, batch.tokens, batch.positions) == (9, 9, 12)


def test_a_fixed_length_leaves_room_for_the_border():
    settings = {"data.format": "lines", "data.lengths": "blank", "data.max_tokens": 4}
    (batch,) = task_of(**settings).batches(LINES, BatchOrder())
    assert batch.arrays["targets"].tolist()[0] == [6, 7, 8, EOS, BLANK]
    assert batch.arrays["inputs"].shape == (3, 5)


def test_a_text_is_read_in_segments():
    text = Dataset({"text": Column.of([np.array([4, 5]), np.array([6, 7, 8])])})
    task = task_of(**{"data.format": "text", "training.segment_length": 3})
    order = BatchOrder(epoch=0)
    batches = list(task.batches(text, order))
    assert [batch.arrays["targets"].tolist() for batch in batches] == [[[4, 5, 6]], [[7, 8]]]
    assert task.batch_count(text, order) == 2


@pytest.mark.parametrize(("streams", "steps"), [(1, 12), (2, 6), (3, 3), (4, 3), (8, 3)])
def test_fewer_streams_are_measured_in_longer_segments(streams, steps):
    text = Dataset({"text": Column.of([np.arange(5, 102)])})
    task = task_of(**{"data.format": "text", "training.segment_length": 3, "training.batch_size": 4})
    order = BatchOrder(streams=streams)
    batches = list(task.batches(text, order))
    assert batches[0].arrays["inputs"].shape == (streams, steps)
    assert task.batch_count(text, order) == len(batches)
    assert sum(batch.targets for batch in batches) == task_targets(text, task, streams)


def task_targets(text, task, streams):
    """How many targets a training in as many streams has in a pass."""
    order = BatchOrder(epoch=0, streams=streams)
    return sum(batch.targets for batch in task.batches(text, order))


def test_the_number_of_batches_is_known_before():
    task = task_of(**{"data.format": "lines", "training.batch_size": 2})
    for order in (BatchOrder(), BatchOrder(seed=3, epoch=4)):
        assert task.batch_count(LINES, order) == len(list(task.batches(LINES, order))) == 2


def test_bits_a_character_count_characters_and_not_tokens():
    task = task_of(**{"data.format": "text", "data.tokenizer": "byte", "training.segment_length": 4})
    task.text.fit([Record("h\u00e9h\u00e9")])
    ids = task.text.encode([Record("h\u00e9")])[0].ids
    assert len(ids) == 3
    scorer = task.scorer()
    for batch in task.batches(Dataset({"text": Column.of([ids])}), BatchOrder()):
        scorer.add(batch, {})
    figures = scorer.result(math.log(4)).figures
    assert figures["bits_per_character"] == pytest.approx(3 * 2 / 2)
    assert figures["perplexity"] == pytest.approx(4.0)


def test_what_fills_short_lines_is_no_character():
    task = task_of(**{"data.format": "lines", "data.tokenizer": "char", "training.batch_size": 2})
    task.text.fit([Record("abc"), Record("a")])
    lines = Dataset(
        {"text": Column.of([task.text.encode([Record(text)])[0].ids for text in ("abcabcabc", "a")])}
    )
    scorer = task.scorer()
    batches = list(task.batches(lines, BatchOrder()))
    assert len(batches) == 1, "the lines are beside each other"
    scorer.add(batches[0], {})
    tokens, characters = batches[0].targets, 9 + 1 + 2  # and the end of each line
    figures = scorer.result(math.log(2)).figures
    assert figures["bits_per_character"] == pytest.approx(tokens / characters)
