"""How long a training goes: budgets as they are typed, and the limit that is nearest."""

from __future__ import annotations

import pytest

from seqrnn.config import KEYS, TrainingConfig
from seqrnn.config_check import checked
from seqrnn.training.duration import Duration, parse_budget


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("2h", 7200),
        ("1.5m", 90),
        ("1h30m", 5400),
        ("1d 2h", 93_600),
        ("0h0.5s", 0.5),
    ],
)
def test_a_budget_is_read_in_seconds(text, seconds):
    config = TrainingConfig(budget=text)
    assert Duration.of(config).seconds == parse_budget(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "0s", "0h0m", "1m1h", "1h ", "1H", "-1s", "1e3s", "1.s", "\u0661s", "1s\n"]
)
def test_a_budget_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="must be a time such as 90s"):
        checked(KEYS["training.budget"], text)


def test_the_limit_that_is_nearest_decides_how_much_is_done():
    duration = Duration(seconds=100.0, epochs=10.0, steps=1000)
    assert duration.fraction(20.0, 3.0, 100) == 0.3
    assert duration.fraction(20.0, 3.0, 900) == 0.9
    assert duration.fraction(500.0, 3.0, 900) == 1.0
    assert Duration(None, None, 8).fraction(500.0, 3.0, 2) == 0.25
