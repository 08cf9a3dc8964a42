from __future__ import annotations

import subprocess
import sys

import pytest

from seqrnn.config import TrainingConfig
from seqrnn.training.duration import Duration
from seqrnn.training.evaluation_plan import EvaluationPlan


def evaluations(
    config: TrainingConfig, batches: int, cost: float, update: float = 0.1, passes: float = 0.0
) -> list[int]:
    """Play a training whose updates and evaluations take so many seconds: the steps of its evaluations."""
    duration = Duration.of(config)
    plan = EvaluationPlan(config, duration, batches, passes)
    seconds, step, found = 0.0, 0, [0]
    while duration.fraction(seconds, step / batches, step) < 1.0:
        if plan.is_due(step - found[-1], step % batches == 0, seconds):
            found.append(step)
            seconds += cost
            plan.measured(seconds, cost)
        step, seconds = step + 1, seconds + update
    return found[1:]


def test_a_budget_has_ten_evaluations_where_an_epoch_is_long():
    steps = evaluations(TrainingConfig(budget="15s"), batches=10_000, cost=0.1)
    assert 8 <= len(steps) <= 10


def test_a_budget_has_an_evaluation_an_epoch_where_these_are_cheap():
    steps = evaluations(TrainingConfig(budget="60s"), batches=20, cost=0.05)
    assert steps == list(range(20, 600, 20))[: len(steps)]
    assert len(steps) > 25


def test_evaluations_that_cost_much_take_no_more_than_a_third_of_a_budget():
    steps = evaluations(TrainingConfig(budget="60s"), batches=20, cost=5.0)
    assert 2 <= len(steps) <= 4
    cheap = evaluations(TrainingConfig(budget="60s"), batches=1, cost=0.5)
    assert 0.5 * len(cheap) <= 0.1 * 60


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"steps": 500}, list(range(50, 500, 50))),
        ({"epochs": 0.5}, list(range(50, 500, 50))),
        ({"steps": 40}, [10, 20, 30]),
        ({"epochs": 3.0}, [1000, 2000]),
        ({"epochs": 2.0, "evaluate_every": 700}, [700, 1400]),
    ],
)
def test_an_epoch_or_a_tenth_of_a_shorter_training_is_evaluated(settings, found):
    assert evaluations(TrainingConfig(**settings), batches=1000, cost=1.0) == found


def test_before_the_first_evaluation_its_cost_is_told_by_the_updates():
    budget = TrainingConfig(budget="20s")
    # 100 of 1,000 batches of 0.4 s would be 40 s of updates, and an evaluation about 13.
    assert evaluations(budget, batches=1000, cost=12.0, update=0.4, passes=0.1) == []
    assert evaluations(budget, batches=1000, cost=12.0, update=0.4) == [5]
    plan = EvaluationPlan(budget, Duration.of(budget), 1000, 0.01)
    assert plan.reserve(1.0) == 0.0
    plan.is_due(2, False, 0.8)  # ten updates, or 4 s; a third of that
    assert plan.reserve(0.5) == pytest.approx(2.0)
    plan.measured(2.0, 0.5)
    plan.is_due(2, False, 2.8)
    assert plan.reserve(1.0) == pytest.approx(1.0)


def test_large_data_are_evaluated_within_an_epoch():
    assert evaluations(TrainingConfig(epochs=1.0), batches=9000, cost=1.0) == [2000, 4000, 6000, 8000]


IMPORTS = """
import sys
import numpy as np
from seqrnn.catalog import TASKS, load
from seqrnn.training.evaluation import import_libraries
from seqrnn.metrics.classification import class_table, classification_scores
from seqrnn.metrics.sequences import sequence_scores, translation_scores
task = load(TASKS[sys.argv[1]])
import_libraries(task)
before = set(sys.modules)
if sys.argv[1] == "seq2seq":
    sequence_scores(["a"], [["a"]], str.split), translation_scores(["a b c d"], [["a b c d"]])
else:
    labels = np.array([0, 1])
    classification_scores(labels, labels), class_table(labels, labels, ["a", "b"])
libraries = {"sklearn", "sacrebleu", "rapidfuzz"} - before
print(*libraries.intersection(sys.modules))
"""


@pytest.mark.parametrize("task", ["classification", "tagging", "seq2seq"])
def test_no_evaluation_pays_for_the_import_of_a_library(task):
    done = subprocess.run([sys.executable, "-c", IMPORTS, task], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
