"""The samples of numbers and notes, trained for some seconds, are learnt well above chance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seqrnn.answering.labeller import Labeller
from seqrnn.answering.opened_run import open_run
from seqrnn.backends.torch.backend import open_backend
from seqrnn.data.record import Record
from seqrnn.library.row_answerers import row_explainer
from seqrnn.tasks.task import LabelSelection


def test_the_sample_of_strokes_is_learned(train_sample, measure):
    session, _ = train_sample("strokes", {"training.epochs": 12.0})
    figures = measure(session, "strokes.test.jsonl")
    assert figures["accuracy"] > 0.8  # five figures, about as many of each
    assert {row.label for row in figures.classes} == {"circle", "eight", "spiral", "square", "zigzag"}


def test_the_sample_of_boats_is_learned(train_sample, measure):
    session, _ = train_sample("boats", {"training.epochs": 15.0})
    figures = measure(session, "boats.test.csv")
    assert figures["accuracy"] > 0.85  # five kinds, about as many of each
    assert max(figures.confusions, key=lambda pair: pair.count).actual in {"cutter", "ketch"}


def test_the_sample_of_sums_is_learned(train_sample, measure, opened):
    session, path = train_sample("adding", {"training.epochs": 20.0})
    figures = measure(session, "adding.test.npz")
    assert figures["mse"] < 0.01  # 0.167 for always answering 1
    assert figures["r2"] > 0.95
    steps = [[0.9, 0.0], [0.2, 1.0], [0.6, 0.0], [0.3, 0.0], [0.8, 1.0], [0.1, 0.0], [0.5, 0.0], [0.7, 0.0]]
    (answer,) = Labeller(*opened(path, "numpy")).answer([Record("", steps=steps)], LabelSelection())
    assert answer.prediction == pytest.approx(1.0, abs=0.2)
    assert share_of_sums_explained_by_the_marked_numbers(path) >= 0.95


def share_of_sums_explained_by_the_marked_numbers(path):
    """How many of 60 sums have the two marked steps as those that matter most."""
    run = open_run(path)
    answerer = row_explainer(run, open_backend(run, "cpu"))
    series = np.load("sample_data/adding.test.npz")["x"][:60]
    explanations = (answer.explanation for answer in answerer([Record("", steps=steps) for steps in series]))
    found = [set(explanation.outputs[0].ranked[:2]) for explanation in explanations]
    return np.mean([set(np.flatnonzero(x[:, 1])) == two for x, two in zip(series, found, strict=True)])


def rolls(name):
    """The pieces of a file as 0 and 1, (T, K) each."""
    for line in Path("sample_data", name).read_text(encoding="utf-8").splitlines():
        notes = json.loads(line)["notes"]
        roll = np.zeros((len(notes), 88))
        for step, keys in enumerate(notes):
            roll[step, keys] = 1.0
        yield roll


def test_the_sample_of_rounds_is_learned(train_sample, measure):
    session, _ = train_sample("rounds", {"training.epochs": 20.0, "data.transpose": 0})
    figures = measure(session, "rounds.test.jsonl")
    how_often = np.concatenate([*rolls("rounds.train.jsonl")]).mean(axis=0).clip(1e-4)
    later = np.concatenate([roll[1:] for roll in rolls("rounds.test.jsonl")])
    without_hearing = -np.where(later, np.log(how_often), np.log(1 - how_often)).sum(axis=1).mean()
    assert figures["tokens"] == len(later)
    assert figures["nats_per_step"] < 0.85 * without_hearing
