"""What a report makes of explanations: tokens of labels, alignments and surprising lines."""

from __future__ import annotations

import numpy as np
import pytest

from seqrnn.data.answer import Answer
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.record import Record
from seqrnn.library.explanations import Explanation, OutputExplanation
from seqrnn.reporting.measures.explained import alignments, saliency, surprisal, tokens_of_outputs
from seqrnn.reporting.subject import Example
from seqrnn.tasks.grade import Grade


def explanation(text, output, weights, attention=None):
    outputs = (OutputExplanation(output, 0.9, tuple(weights), attention, ()),)
    return Explanation(tuple(text.split()), "gradient x input", outputs)


def example(text, right=True, prediction=1.0, line=1):
    grade = Grade("a", "a", right, float(right))
    return Example(Record(text, (), "rows.tsv", line), Answer(prediction, -0.1), grade, len(text.split()))


def test_tokens_are_ranked_by_their_mean_for_each_output() -> None:
    found = tokens_of_outputs(
        [
            explanation("good old film", "up", [0.9, 0.1, -0.2]),
            explanation("good new film", "up", [0.7, 0.3, 0.1]),
            explanation("bad film", "down", [0.8, 0.0]),
            explanation("bad day", "down", [0.6, 0.5]),
        ]
    )
    assert [(each.output, [token for token, _ in each.tokens]) for each in found] == [
        ("down", ["bad"]),
        ("up", ["good"]),
    ]
    assert found[1].tokens[0][1] == pytest.approx(0.8)


def test_wrong_answers_come_first_and_weights_are_shares_of_the_largest() -> None:
    examples = [example(f"one two {n}", right=n != 7, line=n) for n in range(12)]

    def explain(records):
        weights = [0.5, -2.0, 0.0]
        return [Answer("a", None, explanation=explanation(r.source, "a", weights)) for r in records]

    found = saliency(examples, explain, kind_named("text"))
    assert found is not None
    assert found.looked[0].place == "rows.tsv:7"
    assert [shade.weight for shade in found.looked[0].shades] == [0.25, -1.0, 0.0]
    assert found.rows == 12
    assert saliency([], lambda records: [], kind_named("text")) is None


def test_of_a_series_it_is_said_in_which_third_the_steps_matter() -> None:
    series = Record("", (), "rows.jsonl", 1, steps=[[0.0]] * 6)
    shown = Example(series, Answer("a", -0.1), Grade("a", "a", True, 1.0), 6)

    def explain(records):
        weights = [0.0, 1.0, -3.0, 3.0, 0.0, -3.0]
        return [Answer("a", None, explanation=explanation("1 2 3 4 5 6", "a", weights)) for _ in records]

    found = saliency([shown], explain, kind_named("vectors"))
    assert found is not None
    assert "10% lies in the first third of a series, 60% in the second and 30% in the last" in found.verdict


def test_alignments_are_those_of_models_that_attend() -> None:
    def explain(attention):
        return lambda records: [
            Answer("a", None, explanation=explanation(r.source, "a", [0.0, 0.0], attention)) for r in records
        ]

    found = alignments([example("x y")], explain((0.25, 0.75)), kind_named("text"))
    assert found is not None
    (row,) = found.rows
    assert (row.read, row.written, row.weights) == (("x", "y"), ["a"], [(0.25, 0.75)])
    assert "75%" in found.verdict
    assert alignments([example("x y")], explain(None), kind_named("text")) is None


def test_surprising_lines_come_with_their_tokens_and_positions() -> None:
    examples = [example(f"a b c{n}", prediction=float(n), line=n) for n in range(30)]
    examples.append(example("a b c29", prediction=29.0, line=30))
    examples.append(example("\n \n", prediction=99.0, line=99))

    def explain(records):
        made = [
            Explanation(tuple(r.source.split()), "", (), (np.log(4.0), np.log(2.0), 0.0)) for r in records
        ]
        return [Answer(None, None, explanation=each) for each in made]

    found = surprisal(examples, explain, 12.34)
    assert found is not None
    assert [line.place for line in found.surprising[:2]] == ["rows.tsv:29", "rows.tsv:28"]  # no blank one
    assert found.positions == [
        (1.0, pytest.approx(4.0)),
        (2.0, pytest.approx(2.0)),
        (3.0, pytest.approx(1.0)),
    ]
    assert "“a” (1.4 nats" in found.verdict
    assert "among 12.3 equally likely tokens" in found.verdict
