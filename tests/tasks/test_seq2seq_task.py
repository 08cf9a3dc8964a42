"""What a batch of pairs holds, and how written sequences are measured."""

from __future__ import annotations

import numpy as np
import pytest

from seqrnn.config import Config, DataConfig
from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.data.dataset.references import texts_of
from seqrnn.data.fields.input_sizes import TokenSizes
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import BLANK, BOS, EOS
from seqrnn.networks.sizes import EncoderDecoderSizes
from seqrnn.tasks.seq2seq import Seq2Seq

RECORDS = [
    Record("abc", ("x y z", "x z")),
    Record("a", ("y",)),
    Record("ab", ("x x y y z",)),
    Record("b", ("z q",)),
]


def make(**data):
    chosen = {"tokenizer": "char", "target_tokenizer": "word", **data}
    task = Seq2Seq(Config(task="seq2seq", data=DataConfig(**chosen)))
    for field in task.fields:
        field.fit(RECORDS[:3])
    return task


def dataset(task, fields=None, records=RECORDS):
    sides = {field.name: field.encode(records) for field in (fields or task.fields)}
    return Dataset({name: Column.of([side.ids for side in column]) for name, column in sides.items()})


def examples(task, order=None):
    """Each example of each batch as (source, inputs, targets), without its padding."""
    found = {}
    for batch in task.batches(dataset(task), order or BatchOrder()):
        arrays = batch.arrays
        for place, row in enumerate(batch.rows):
            length = arrays["target_lengths"][place]
            source = arrays["source"][place, : arrays["source_lengths"][place]]
            sides = (arrays["inputs"][place], arrays["targets"][place])
            assert all((side[length:] == BLANK).all() for side in sides)
            found[int(row)] = (source.tolist(), *(side[:length].tolist() for side in sides))
    return found


@pytest.mark.parametrize("settings", [{}, {"lengths": "blank", "max_tokens": 6}])
def test_a_decoder_reads_each_token_before_it_writes_the_next(settings):
    task = make(**settings)
    found = examples(task)
    assert sorted(found) == [0, 1, 2, 3]
    for row, (source, inputs, targets) in found.items():
        assert task.source.tokenizer.decode(source) == RECORDS[row].source
        assert inputs[0] == BOS
        assert inputs[1:] == targets[:-1]
        assert targets[-1] == EOS
    assert task.target.tokenizer.decode(found[0][2]) == "x y z"
    assert len(found[3][2]) == 3  # an unknown word is a token


def test_padding_to_a_fixed_length_leaves_room_for_the_end():
    task = make(lengths="blank", max_tokens=6)
    for batch in task.batches(dataset(task), BatchOrder()):
        assert batch.arrays["source"].shape[1] == 6
        assert batch.arrays["targets"].shape[1] == batch.arrays["inputs"].shape[1] == 7


def test_a_batch_counts_its_targets_and_its_padding():
    task = make()
    (batch,) = task.batches(dataset(task), BatchOrder())
    assert batch.targets == 4 + 2 + 6 + 3
    assert batch.tokens == batch.targets + 3 + 1 + 2 + 1
    assert batch.positions == 4 * 3 + 4 * 6
    assert task.generation_limit(batch) == 17
    assert task.batch_count(dataset(task), BatchOrder()) == 1


def test_rows_without_targets_can_be_asked():
    task = make()
    (batch,) = task.batches(dataset(task, task.inputs), BatchOrder())
    assert set(batch.arrays) == {"source", "source_lengths"}
    assert batch.targets == 0


def test_references_are_at_hand_to_measure_but_not_to_train():
    task = make()
    (batch,) = task.batches(dataset(task), BatchOrder())
    assert [texts_of(row) for row in batch.arrays["references"]] == [
        list(RECORDS[row].targets) for row in batch.rows
    ]
    assert all("references" not in batch.arrays for batch in task.batches(dataset(task), BatchOrder(1, 0)))


def test_any_reference_is_right_and_unknown_words_of_them_are_not():
    task = make()
    (batch,) = task.batches(dataset(task), BatchOrder())
    answers = {0: "x z", 1: "y", 2: "x x y z", 3: "z"}
    ids = [task.target.tokenizer.encode(answers[row]).ids for row in batch.rows]
    written = Column.of(ids).gather(np.arange(4))
    scorer = task.scorer()
    scorer.add(batch, {"generated": written, "generated_scores": np.log([0.9, 0.2, 0.6, 0.5])})
    scores = scorer.result(0.0).figures
    assert scores["exact_match"] == 0.5
    assert scores["token_error_rate"] == pytest.approx(2 / (2 + 1 + 5 + 2))
    assert 0 < scores["chrf"] < 100
    assert scores["unknown_tokens"] == 1  # q
    assert "unknown_labels" not in scores
    assert set(scorer.result(0.0).signatures) == {"bleu", "chrf"}


def test_labels_to_write_for_that_training_did_not_have_are_counted():
    task = make(source_kind="label")
    (batch,) = task.batches(dataset(task), BatchOrder())
    scorer = task.scorer()
    scorer.add(batch, {"generated": np.zeros((4, 1), dtype=np.int64), "generated_scores": np.zeros(4)})
    scores = scorer.result(0.0).figures
    assert (scores["unknown_labels"], scores["unknown_tokens"], scores["exact_match"]) == (1, 1, 0.0)


def test_a_row_is_known_by_its_text_and_told_as_one():
    task = make()
    assert task.plain_fields("abc") == {"text": "abc"}
    assert task.metric == "token_error_rate"
    assert task.shape().startswith("many-to-many")
    assert task.sizes() == EncoderDecoderSizes(TokenSizes(7), sequential=True, target_vocabulary=7)
