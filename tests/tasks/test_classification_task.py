"""Batches, weights and choices of the classification task."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, classification_report, f1_score
from sklearn.utils.class_weight import compute_class_weight

from seqrnn.config import Config
from seqrnn.config_file import from_defaults, resolve
from seqrnn.data.dataset.batching import Batch, BatchLimits, BatchOrder
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.data.record import Record
from seqrnn.tasks.classification import Classification
from seqrnn.tasks.task import LabelSelection


def task_of(labels="abc", **settings):
    task = Classification(resolve([from_defaults(settings)]) if settings else Config())
    task.labels.labels = list(labels)
    return task


def examples(lengths, labels):
    source = [np.arange(10 * i + 4, 10 * i + 4 + length) for i, length in enumerate(lengths)]
    return Dataset(
        {"source": Column.of(source), "labels": Column.of([np.array(row, dtype=np.int32) for row in labels])}
    )


MULTI = {"data.multi_label": True}
DATA = examples([2, 4, 1], [[0], [2], [1]])


def test_a_batch_holds_each_text_with_its_own_label():
    (batch,) = task_of().batches(DATA, BatchOrder())
    assert batch.rows.tolist() == [1, 0, 2]
    assert batch.arrays["source"].tolist() == [[14, 15, 16, 17], [4, 5, 0, 0], [24, 0, 0, 0]]
    assert batch.arrays["lengths"].tolist() == [4, 2, 1]
    assert batch.arrays["labels"].tolist() == [2, 0, 1]
    assert (batch.targets, batch.tokens, batch.positions) == (3, 7, 12)


def test_a_fixed_length_cuts_and_pads():
    (batch,) = task_of(**{"data.lengths": "blank", "data.max_tokens": 3}).batches(DATA, BatchOrder())
    assert batch.arrays["source"].tolist() == [[14, 15, 16], [4, 5, 0], [24, 0, 0]]
    assert batch.arrays["lengths"].tolist() == [3, 2, 1]
    assert (batch.tokens, batch.positions) == (6, 9)


def test_several_labels_become_ones():
    data = examples([3, 2, 1], [[0, 2], [], [1]])
    (batch,) = task_of(**MULTI).batches(data, BatchOrder())
    assert batch.arrays["labels"].tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]


def test_texts_without_labels_can_be_answered():
    (batch,) = task_of().batches(Dataset({"source": DATA["source"]}), BatchOrder())
    assert sorted(batch.arrays) == ["lengths", "source"]


def test_the_number_of_batches_is_known_before():
    task = task_of(**{"training.batch_size": 2})
    for order in (BatchOrder(), BatchOrder(seed=3, epoch=0), BatchOrder(seed=3, epoch=5)):
        assert task.batch_count(DATA, order) == len(list(task.batches(DATA, order))) == 2


def test_class_weights_are_the_balanced_ones_of_scikit_learn():
    labels = [0] * 5 + [1] * 2 + [2] * 1
    data = examples([1] * 8, [[label] for label in labels])
    weights = task_of(**{"training.class_weights": "balanced"}).class_weights(data)
    np.testing.assert_allclose(
        weights, compute_class_weight("balanced", classes=np.arange(3), y=np.array(labels))
    )
    assert task_of().class_weights(data) is None


def test_a_class_without_an_example_has_a_finite_weight():
    weights = task_of(**{"training.class_weights": "balanced"}).class_weights(examples([1, 1], [[0], [1]]))
    assert np.isfinite(weights).all()


def test_with_several_labels_a_weight_is_negatives_over_positives():
    data = examples([1] * 4, [[0, 1], [0], [0], [0]])
    weights = task_of("ab", **MULTI, **{"training.class_weights": "balanced"}).class_weights(data)
    np.testing.assert_allclose(weights, [1 / 4, 3.0])  # not 0 / 4: then nothing would be learnt of a


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (LabelSelection(), [["b"], ["a"]]),
        (LabelSelection(k=2), [["b", "a"], ["a", "c"]]),
        (LabelSelection(k=9), [["b", "a", "c"], ["a", "c", "b"]]),
        (LabelSelection(k=3, threshold=0.3), [["b", "a"], ["a"]]),
        (LabelSelection(k=1, threshold=0.7), [[], ["a"]]),
    ],
)
def test_labels_are_chosen_by_rank_and_threshold(choice, expected):
    log_probs = np.log(np.array([[0.31, 0.6, 0.09], [0.8, 0.05, 0.15]]))
    batch = Batch({}, 2, 2, 2)
    chosen = [answer.nbest for answer in task_of().answers({"log_probs": log_probs}, batch, choice)]
    assert [[label for label, _ in ranking] for ranking in chosen] == expected
    for row, ranking in zip(log_probs, chosen, strict=True):
        assert all(score == row["abc".index(label)] for label, score in ranking)


def test_what_the_user_leaves_open_depends_on_the_task():
    single, several = task_of(), task_of(**MULTI)
    assert single.choice(None, None) == LabelSelection(1, 0.0)
    assert single.choice(2, 0.4) == LabelSelection(2, 0.4)
    assert several.choice(None, None) == LabelSelection(3, 0.5)
    assert several.choice(2, None) == LabelSelection(2, 0.0)
    assert several.choice(None, 0.2) == LabelSelection(3, 0.2)


def names_of(numbers):
    return "abcxyz"[numbers]


def with_unknown(**settings):
    """A task whose labels are a, b and c, and that has met x, y and z since."""
    task = task_of(**settings)
    task.labels.encode([Record("", (name,)) for name in "xyz"])
    return task


def test_labels_that_training_did_not_have_count_as_scikit_learn_counts_them():
    generator, task = np.random.default_rng(2), with_unknown()
    actual = generator.integers(0, 6, 40)
    log_probs = np.log(generator.dirichlet(np.ones(3), 40))
    data = examples([1] * 40, [[label] for label in actual])
    scorer = task.scorer()
    for batch in task.batches(data, BatchOrder()):
        scorer.add(batch, {"log_probs": log_probs[batch.rows]})
    truth = [*map(names_of, actual)]
    chosen = [*map(names_of, log_probs.argmax(axis=1))]
    assert scorer.result(0.0).figures == {
        "accuracy": pytest.approx(accuracy_score(truth, chosen)),
        "macro_f1": pytest.approx(f1_score(truth, chosen, average="macro", zero_division=0)),
        "micro_f1": pytest.approx(f1_score(truth, chosen, average="micro")),
        "unknown_labels": int((actual >= 3).sum()),
    }
    report = classification_report(truth, chosen, output_dict=True, zero_division=0)
    found = scorer.result(0.0)
    for row in found.classes:
        assert row.support == report[row.label]["support"]
        assert row.f1 == pytest.approx(report[row.label]["f1-score"])
    assert sum(pair.count for pair in found.confusions) == np.count_nonzero(np.array(truth) != chosen)
    assert {pair.actual for pair in found.confusions} >= {"x", "y", "z"}


def test_unknown_labels_beside_known_ones_count_as_scikit_learn_counts_them():
    generator, task = np.random.default_rng(3), with_unknown(**MULTI)
    actual = generator.integers(0, 2, (30, 6))
    actual[:10, 3:] = 0
    log_probs = np.log(generator.random((30, 3)))
    data = examples([1] * 30, [np.flatnonzero(row) for row in actual])
    scorer = task.scorer()
    for batch in task.batches(data, BatchOrder(limits=BatchLimits(4, 100))):
        assert batch.arrays["labels"].tolist() == actual[batch.rows, :3].tolist()
        scorer.add(batch, {"log_probs": log_probs[batch.rows]})
    chosen = np.hstack([log_probs >= np.log(0.5), np.zeros((30, 3))]).astype(int)
    expected = {"accuracy": accuracy_score(actual, chosen), "unknown_labels": int(actual[:, 3:].sum())}
    for average in ("macro", "micro"):
        expected[f"{average}_f1"] = f1_score(actual, chosen, average=average, zero_division=0)
    assert scorer.result(0.0).figures == {name: pytest.approx(value) for name, value in expected.items()}
    support = {row.label: row.support for row in scorer.result(0.0).classes}
    assert support == dict(zip("abcxyz", actual.sum(axis=0), strict=True))


@pytest.mark.parametrize("several", [False, True])
def test_the_scores_are_those_of_all_batches_together(several):
    generator = np.random.default_rng(1)
    task = task_of(**(MULTI if several else {}))
    scorer, actual, chosen = task.scorer(), [], []
    for size in (3, 4):
        probs = generator.dirichlet(np.ones(3), size)
        labels = generator.integers(0, 2, (size, 3)) if several else generator.integers(0, 3, size)
        scorer.add(Batch({"labels": labels}, size, size, size), {"log_probs": np.log(probs)})
        actual.append(labels)
        chosen.append((probs >= 0.5).astype(int) if several else probs.argmax(axis=1))
    expected = accuracy_score(np.concatenate(actual), np.concatenate(chosen))
    assert scorer.result(0.0)["accuracy"] == expected
    assert [row.label for row in scorer.result(0.0).classes] == ["a", "b", "c"]
    assert bool(scorer.result(0.0).confusions) is not several
