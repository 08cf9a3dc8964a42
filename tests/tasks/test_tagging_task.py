"""What the tagging task decides, and what it makes of answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqrnn.config import Config, changed
from seqrnn.data.answer import Answer
from seqrnn.data.dataset.batching import Batch
from seqrnn.data.record import Record
from seqrnn.errors import UsageError
from seqrnn.tasks.tagging import Tagging
from seqrnn.tasks.task import LabelSelection


def tagging(tags: str, settings: dict | None = None) -> Tagging:
    task = Tagging(changed(Config(task="tagging"), settings or {}))
    task.tags.fit([Record(tags, (tags,))])
    return task


@pytest.mark.parametrize(
    ("tags", "scheme", "metric", "crf"),
    [
        ("O B-a I-a", "auto", "span_f1", True),
        ("NOUN VERB", "auto", "accuracy", False),
        ("O B-a I-a", "none", "accuracy", False),
        ("O B I", "bio", "span_f1", True),
    ],
)
def test_tags_that_mark_spans_are_scored_as_spans_and_chosen_together(tags, scheme, metric, crf):
    task = tagging(tags, {"data.tag_scheme": scheme})
    assert task.metric == metric
    assert task._has_crf() is crf


@pytest.mark.parametrize(("layer", "crf"), [("softmax", False), ("crf", True)])
def test_the_output_layer_is_as_asked_for_whatever_the_tags(layer, crf):
    for tags in ("O B-a", "NOUN VERB"):
        assert tagging(tags, {"model.output_layer": layer})._has_crf() is crf


def test_tokens_can_only_be_words():
    with pytest.raises(UsageError, match=r"`data.tokenizer` char: "):
        tagging("A B", {"data.tokenizer": "char"})


def test_a_token_has_one_tag_and_no_more():
    task = tagging("A B")
    assert task.choice(None, None) == task.choice(1, None) == LabelSelection()
    with pytest.raises(UsageError, match="one tag"):
        task.choice(2, None)
    with pytest.raises(UsageError, match="one tag"):
        task.choice(None, 0.5)


ANSWER = Answer(["A", "B"], math.log(0.4), parts=[math.log(0.5), math.log(0.8)])


def test_an_answer_is_a_block_of_tokens_and_tags():
    task = tagging("A B")
    assert task.write(ANSWER, " the\tcat ", probs=False) == "the\tA\ncat\tB\n"
    assert task.write(ANSWER, "the cat", probs=True) == "the\tA\t0.5000\ncat\tB\t0.8000\n"
    assert task.write(Answer([], 0.0), "", probs=True) == ""


def test_tokens_that_were_cut_off_have_no_tag():
    assert tagging("A B").write(ANSWER, "the cat sat", probs=False) == "the\tA\ncat\tB\nsat\t\n"
    assert tagging("A B").write(ANSWER, "the cat sat", probs=True).endswith("sat\t\t\n")


def scored(task: Tagging, actual: list[str], chosen: list[str]) -> tuple[dict, dict]:
    """Score sentences of one letter a tag, padded with nonsense after their ends."""
    width = max(map(len, actual)) + 1
    numbers = {tag[0]: i for i, tag in enumerate(task.tags.names)}

    def padded(lines: list[str]) -> np.ndarray:
        return np.array([[numbers[c] for c in line] + [0] * (width - len(line)) for line in lines])

    batch = Batch({"tags": padded(actual), "lengths": np.array([*map(len, actual)])}, 0, 0, 0)
    scorer = task.scorer()
    tags = padded(chosen)
    log_probs = np.log(np.full((*tags.shape, len(task.tags.tags)), 1 / len(task.tags.tags)))
    sure = {"tag_log_probs": log_probs.max(axis=2), "log_prob": np.full(len(tags), -1.0)}
    scorer.add(batch, {"tags": tags, "log_probs": log_probs, **sure})
    found = scorer.result(0.0)
    return found.figures, found


def test_accuracy_counts_tokens_and_never_what_pads_a_batch():
    figures, found = scored(tagging("A B"), ["AAB", "B"], ["ABB", "A"])
    assert figures == {"accuracy": 0.5, "unknown_labels": 0}
    assert [(row.label, row.support) for row in found.classes] == [("A", 2), ("B", 2)]
    assert [pair.count for pair in found.confusions] == [1, 1]


def test_spans_are_scored_by_type_and_not_across_sentences():
    figures, found = scored(tagging("B-x I-x O"), ["BI", "IO", "OB"], ["BI", "OO", "OB"])
    expected = {"accuracy": pytest.approx(5 / 6), "span_f1": pytest.approx(0.8), "unknown_labels": 0}
    assert figures == expected
    assert [(row.label, row.support) for row in found.classes] == [("x", 3)]


def test_tags_that_training_did_not_have_are_wrong_and_their_spans_are_missed():
    task = tagging("B-x I-x O")
    task.tags.encode([Record("a b c", ("L-y", "Z", "O"))])
    figures, found = scored(task, ["BIO", "LZO", "ZB"], ["BIO", "BOO", "OB"])
    assert figures["unknown_labels"] == 3
    assert figures["accuracy"] == pytest.approx(5 / 8)
    assert figures["span_f1"] == pytest.approx(4 / 6)  # three there, three claimed, two of them rightly
    assert [(row.label, row.recall, row.support) for row in found.classes] == [
        ("x", 1.0, 2),
        ("y", 0.0, 1),
    ]


def test_rare_tags_weigh_more_where_asked_for(make_session):
    session = make_session("conll", {"training.class_weights": "balanced"})
    weights = session.task.class_weights(session.prepared.train)
    counts = np.bincount(session.prepared.train["tags"].values)
    assert weights * counts == pytest.approx(np.full(3, counts.sum() / 3))
    with pytest.raises(UsageError, match=r"`model.output_layer=softmax`"):
        make_session("conll", {"training.class_weights": "balanced", "model.output_layer": "crf"})
