"""What the tasks of numbers and notes decide: batches, transposition, answers and figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import mean_squared_error, r2_score

from seqrnn.config_file import from_defaults, resolve
from seqrnn.data.answer import Answer
from seqrnn.data.dataset.batching import Batch, BatchOrder
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.data.record import Record
from seqrnn.errors import UsageError
from seqrnn.tasks.classification import Classification
from seqrnn.tasks.polyphony import Polyphony, transposed
from seqrnn.tasks.regression import Regression
from seqrnn.tasks.task import LabelSelection


def make(kind, **settings):
    return kind(resolve([from_defaults(settings)]))


def polyphony(**settings):
    return make(Polyphony, **{"task": "polyphony", "data.source_kind": "notes", "data.keys": 6, **settings})


def regression(**settings):
    return make(Regression, **{"task": "regression", "data.source_kind": "vectors", **settings})


def music(task, pieces):
    return Dataset({"source": Column.of([side.ids for side in task.source.encode(pieces)])})


PIECES = [Record("", steps=steps) for steps in ([[0], [1, 2], [3]], [[5]], [[2], [2]])]


def test_every_step_but_the_first_is_a_target():
    task = polyphony()
    (batch,) = task.batches(music(task, PIECES), BatchOrder())
    assert batch.arrays["lengths"].tolist() == [3, 2, 1]
    assert batch.arrays["source"].shape == (3, 3, 6)
    assert (batch.targets, batch.tokens, batch.positions) == (3, 6, 9)
    assert task.batch_count(music(task, PIECES), BatchOrder()) == 1


def test_padding_to_a_fixed_length_adds_silence():
    task = polyphony(**{"data.lengths": "blank", "data.max_tokens": 4})
    (batch,) = task.batches(music(task, PIECES), BatchOrder())
    assert batch.arrays["source"].shape == (3, 4, 6)
    assert not batch.arrays["source"][2, 1:].any()
    assert batch.positions == 12


def keys_of(roll):
    return [np.flatnonzero(step).tolist() for step in roll]


def test_transposed_music_keeps_its_intervals_and_every_note():
    generator = np.random.default_rng(1)
    notes = np.zeros((200, 3, 12), dtype=np.int64)
    notes[:, 0, [2, 6]] = notes[:, 2, [5, 9]] = 1
    moves = []
    for piece in transposed(notes, 9, generator):
        (low, high), silence, (second, top) = keys_of(piece)
        assert (high - low, second - low, top - low, silence) == (4, 3, 7, [])
        moves.append(low - 2)
    assert set(moves) == {-2, -1, 0, 1, 2}  # nothing leaves the keyboard of 12 keys
    assert {low - 2 for ((low, _), *_) in map(keys_of, transposed(notes, 1, generator))} == {-1, 0, 1}


def test_silence_is_transposed_to_silence():
    assert not transposed(np.zeros((2, 3, 4)), 2, np.random.default_rng(1)).any()


def test_training_transposes_anew_in_each_pass_and_measuring_never_does():
    task = polyphony(**{"data.transpose": 2})
    pieces = music(task, [Record("", steps=[[3], [2]])] * 8)
    (plain,) = task.batches(pieces, BatchOrder())
    assert (plain.arrays["source"] == music(task, [Record("", steps=[[3], [2]])])["source"].values).all()
    passes = [next(iter(task.batches(pieces, BatchOrder(1, epoch)))).arrays["source"] for epoch in (0, 1, 0)]
    assert not (passes[0] == passes[1]).all()
    assert (passes[0] == passes[2]).all()
    assert (passes[0].sum(axis=2) == 1).all()


LOG_PROBS = np.log(np.array([[0.9, 0.1, 0.6, 0.5], [0.4, 0.3, 0.2, 0.1]]))


@pytest.mark.parametrize(
    ("k", "threshold", "expected"),
    [
        (None, None, [[0, 2, 3], []]),
        (2, None, [[0, 2], [0, 1]]),
        (None, 0.35, [[0, 2, 3], [0]]),
        (1, 0.5, [[0], []]),
    ],
)
def test_keys_are_chosen_by_rank_and_threshold_and_named_in_order(k, threshold, expected):
    task = polyphony(**{"data.keys": 4})
    answers = task.answers({"log_probs": LOG_PROBS}, Batch({}, 2, 2, 2), task.choice(k, threshold))
    assert [answer.prediction for answer in answers] == expected
    for answer, row in zip(answers, LOG_PROBS, strict=True):
        assert answer.score == (max(row) if answer.prediction else None)
        assert all(score == row[key] for key, score in answer.nbest)


def test_keys_are_written_in_ascending_order():
    answer = Answer([1, 5], math.log(0.75), [(5, math.log(0.75)), (1, math.log(0.5))])
    assert polyphony().write(answer, "", probs=False) == "1\t5"
    assert polyphony().write(answer, "", probs=True) == "1\t0.5000\t5\t0.7500"


def test_a_number_is_scored_in_the_unit_of_the_data():
    task = regression()
    task.numbers.mean, task.numbers.deviation = 50.0, 4.0
    generator = np.random.default_rng(2)
    targets, predicted = generator.normal(50, 4, (2, 30))
    scorer = task.scorer()
    for rows in (slice(0, 10), slice(10, 30)):
        scaled = {
            name: ((values[rows] - 50) / 4).astype(np.float32)
            for name, values in (("labels", targets), ("numbers", predicted))
        }
        scorer.add(Batch({"labels": scaled["labels"]}, 1, 1, 1), {"numbers": scaled["numbers"]})
    figures = scorer.result(0.0).figures
    assert figures["mse"] == pytest.approx(mean_squared_error(targets, predicted), rel=1e-5)
    assert figures["r2"] == pytest.approx(r2_score(targets, predicted), rel=1e-5)


def test_of_a_number_that_never_changes_nothing_is_explained():
    scorer = regression().scorer()
    ones = np.ones(3, dtype=np.float32)
    scorer.add(Batch({"labels": ones}, 3, 3, 3), {"numbers": ones})
    assert scorer.result(0.0).figures == {"mse": 0.0, "r2": 0.0}


def test_a_batch_holds_each_series_with_its_own_number():
    task = regression()
    source = [np.full((length, 2), length, dtype=np.float32) for length in (1, 3, 2)]
    numbers = [np.array([length], dtype=np.float32) for length in (1, 3, 2)]
    data = Dataset({"source": Column.of(source), "labels": Column.of(numbers)})
    (batch,) = task.batches(data, BatchOrder())
    assert batch.arrays["labels"].tolist() == batch.arrays["lengths"].tolist() == [3, 2, 1]
    assert batch.arrays["source"][:, 0, 0].tolist() == [3, 2, 1]
    (unlabelled,) = task.batches(Dataset({"source": data["source"]}), BatchOrder())
    assert "labels" not in unlabelled.arrays


def test_the_only_answer_is_the_number():
    task = regression()
    task.numbers.mean, task.numbers.deviation = 10.0, 2.0
    values = {"numbers": np.array([0.5, -1.0], dtype=np.float32)}
    answers = task.answers(values, Batch({}, 2, 2, 2), task.choice(None, None))
    assert [(answer.prediction, answer.score, answer.nbest) for answer in answers] == [
        (11.0, None, ()),
        (8.0, None, ()),
    ]
    assert task.write(answers[0], "", probs=False) == "11"
    assert task.write(Answer(1 / 3, None), "", probs=False) == "0.3333333333333333"
    assert task.choice(1, None) == LabelSelection()
    for wrong in ((2, None), (None, 0.5)):
        with pytest.raises(UsageError, match="this model gives a number"):
            task.choice(*wrong)
    with pytest.raises(UsageError, match="`probs`"):
        task.write(answers[0], "", probs=True)


@pytest.mark.parametrize(
    ("kind", "model", "shape"),
    [
        ("text", "classifier", "many-to-one"),
        ("vectors", "classifier", "many-to-one"),
        ("notes", "classifier", "many-to-one"),
        ("vector", "feed-forward", "one-to-one"),
    ],
)
@pytest.mark.parametrize("task", [Classification, Regression])
def test_what_has_no_time_steps_needs_no_recurrence(task, kind, model, shape):
    made = make(task, **{"data.source_kind": kind})
    assert made.model == model
    assert made.shape().startswith(f"{shape}: ")


def test_no_value_of_numbers_is_dropped_by_default():
    assert Classification.defaults_for("text")["model.word_dropout"] > 0
    for kind in ("vector", "vectors", "notes"):
        defaults = Classification.defaults_for(kind)
        assert defaults["model.word_dropout"] == defaults["model.embedding_dropout"] == 0.0


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1700000003.0, "1700000003"),
        (1237547.4, "1237547.4"),
        (0.1 + 0.2, "0.30000000000000004"),
        (-5.0, "-5"),
        (1e-7, "1e-07"),
        (1e22, "1e+22"),
    ],
)
def test_a_number_is_written_with_all_its_digits_and_no_more(number, text):
    answer = Answer(number, None)
    assert regression().write(answer, "", probs=False) == text
    assert float(text) == number
