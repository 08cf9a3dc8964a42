"""What a user is told of a training: at the right time, and once."""

from __future__ import annotations

import math

from seqrnn.training.advice import Adviser
from seqrnn.training.events import Evaluated, Started, Stepped


def told(train, valid, parameters=10, tokens=100_000, skipped=(), hashed=0):
    """What is said of a training with these losses; an epoch is ten updates and an evaluation."""
    adviser, said = Adviser(), []
    events = [Started(parameters, 0, False, hashed)]
    for number, (loss, held_out) in enumerate(zip(train, valid, strict=True), 1):
        for update in range(1, 11):
            step, left_out = 10 * number + update - 10, number in skipped
            epoch = step / 10
            value = math.nan if left_out else loss
            events.append(Stepped(step, epoch, epoch / 20, value, 0.01, tokens // 10, 0.0, step, left_out))
        events.append(Evaluated(10 * number, float(number), number, loss, {"loss": held_out}, False))
    for event in events:
        said += adviser.look(event)
    return said


FALLING = [2.0, 1.5, 1.2, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4]


def test_nothing_is_said_of_a_training_that_goes_well():
    assert told(FALLING, [loss + 0.1 for loss in FALLING]) == []
    assert told(FALLING, [None] * 10) == []


def test_over_fitting_is_told_once_with_the_epoch_it_began():
    rising = [2.0, 1.6, 1.4, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9]
    (line,) = told(FALLING, rising)
    assert line.startswith("over-fitting since epoch 4.00: the validation loss rises (1.300 to 1.600)")


def test_a_validation_loss_that_stays_level_or_rises_with_the_training_loss_is_no_over_fitting():
    assert told(FALLING, [2.0, 1.6, *[1.3] * 8]) == []
    level = [1.0, 0.9, 0.8, 0.7, *[0.72] * 6]
    assert told(level, [2.0, 1.6, 1.4, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9]) == []


def test_a_rate_that_is_too_high_is_told_once():
    up = [2.0, 1.0, 1.2, 1.6, 2.4, 3.0, 1.0, 1.0, 2.0, 1.0]
    (line,) = told(up, up)
    assert line.startswith(
        "the learning rate may be too high: the training loss has risen from 1.000 to 1.600"
    )
    (line,) = told(FALLING, FALLING, skipped={2})
    assert "3 updates had no finite loss" in line


def test_few_data_are_told_after_the_first_epoch():
    (line,) = told(FALLING, FALLING, parameters=1_000_000, tokens=1_000)
    assert line.startswith("the data are few for 1,000,000 parameters")
    assert told(FALLING, FALLING, parameters=1_000, tokens=1_000) == []


def test_buckets_of_ngrams_that_no_data_reach_are_none_too_many():
    assert told(FALLING, FALLING, parameters=1_000_000, tokens=1_000, hashed=990_000) == []
