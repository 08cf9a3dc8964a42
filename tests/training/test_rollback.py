"""When a training has gone astray, by its losses."""

from __future__ import annotations

import numpy as np
import pytest

from seqrnn.metrics.language import entropy
from seqrnn.training.rollback import BLOCK, PATIENCE, LossWatch

COUNTING = 3.0


def verdicts(losses, counting=COUNTING, learns_soon=True, rate=5e-3):
    watch = LossWatch(counting, learns_soon)
    return [text for mean in losses for _ in range(BLOCK) if (text := watch.look(mean, rate))]


def test_what_was_learnt_and_is_lost_is_told():
    assert verdicts([2.8, 2.0, 2.1, 2.9]) == []
    (text,) = verdicts([2.8, 2.0, 3.1])
    assert text == "the loss has risen from 2.000 to 3.100, that of counting (3.000)"


def test_a_text_that_is_not_learnt_is_told_after_some_time():
    flat = [3.3, *[3.02] * PATIENCE]
    assert verdicts(flat[:-2]) == []
    assert verdicts(flat)[0] == "the loss stays at 3.020, that of counting (3.000)"


@pytest.mark.parametrize(
    "others",
    [{"learns_soon": False}, {"rate": 1e-4}, {"counting": None}],
    ids=["other data", "a low rate", "nothing to count"],
)
def test_elsewhere_it_may_take_long_to_learn(others):
    assert verdicts([3.02] * 20, **others) == []


def test_what_begins_anew_is_not_held_against_what_was():
    watch = LossWatch(COUNTING, True)
    for _ in range(BLOCK):
        watch.look(1.0, 5e-3)
    watch.begin_anew()
    assert [watch.look(3.5, 5e-3) for _ in range(BLOCK)] == [None] * BLOCK


def test_the_loss_of_counting_is_the_entropy_of_what_is_counted():
    assert entropy(np.array([7, 7, 2, 0])) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(4))
    many = np.tile(np.array([0, 1, 1], dtype=np.uint8), 2_000_000)
    assert entropy(many) == pytest.approx(np.log(3) - 2 / 3 * np.log(2), rel=1e-3)
