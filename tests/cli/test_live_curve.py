"""The curve of a training under way: it fits its terminal, and tells the best so far."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from seqrnn.cli.console import Meter
from seqrnn.cli.live_curve import MAX_POINTS, LiveCurve
from seqrnn.training.events import Evaluated, Stepped


def stepped(step: int, loss: float, fraction: float = 0.5, seconds: float = 1.0) -> Stepped:
    return Stepped(step, step / 100, fraction, loss, 0.01, 100, 0.0, seconds)


def trained(width: int, lines: int = 30, updates: int = 1000, ascii_only: bool = False) -> list[str]:
    curve = LiveCurve(width, lines, ascii_only)
    for step in range(1, updates + 1):
        curve.step(stepped(step, 5.0 / step**0.5))
        if step % 100 == 0:
            metrics = {"loss": 6.0 / step**0.5, "accuracy": step / 1000}
            curve.evaluated(Evaluated(step, step / 100, step, 1.0, metrics, True, "accuracy"))
    return curve.__rich__().plain.splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_the_curve_fits_and_tells_the_best(width: int) -> None:
    lines = trained(width)
    assert max(map(cell_len, lines)) <= width
    text = "\n".join(lines)
    assert "best so far: accuracy 100.00%" in text
    assert "●" in text
    assert "○" in text


def test_the_curve_has_its_height_however_long_the_training() -> None:
    heights = {len(trained(140, updates=updates)) for updates in (150, 1000, 5 * MAX_POINTS)}
    assert len(heights) == 1
    assert max(heights) < 12


def test_a_small_terminal_has_no_curve_and_an_ascii_one_plain_marks() -> None:
    assert trained(39) == trained(80, lines=19) == trained(80, updates=1) == []
    assert all(line.isascii() for line in trained(80, ascii_only=True))


def test_the_first_loss_does_not_hide_the_others() -> None:
    curve = LiveCurve(80, 30, ascii_only=True)
    for step in range(1, 101):
        curve.step(stepped(step, 1000.0 if step == 1 else 1.0 + step / 100))
    assert "1,000" not in curve.__rich__().plain


def test_the_time_left_is_that_at_the_pace_since_the_first_update() -> None:
    meter = Meter()
    for step in range(1, 12):  # going on at half, after 1000 s; a tenth of it takes 10 s
        meter.add(event := stepped(step, 1.0, 0.5 + (step - 1) / 100, 1000.0 + step - 1))
    assert meter.line(event, 100).endswith("0:40 left")
