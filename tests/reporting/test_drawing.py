"""How charts and texts get onto a page."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrnn.cli.drawing import Paper
from seqrnn.reporting.drawing.axes import Axis, bounds, round_values
from seqrnn.reporting.drawing.charts import HEIGHT, WIDTH, Frame, Line, line_chart
from seqrnn.reporting.drawing.diagram import draw_network, lowered
from seqrnn.reporting.drawing.environment import environment, formula, short, visible
from seqrnn.tasks.diagram import encoder, many_to_one, writing

numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e290, max_value=1e290)
MEAN = Frame("Mean", "length", "mean")


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
def test_whatever_is_drawn_lies_inside_the_picture(points) -> None:
    chart = line_chart(MEAN, [Line("mean", points)])
    assert chart is not None
    for mark in chart.lines[0].marks:
        assert 0 <= mark.x <= WIDTH
        assert 0 <= mark.y <= HEIGHT
    ticks = [*chart.x.ticks, *chart.y.ticks]
    assert len(ticks) <= 24
    assert all(math.isfinite(tick.at) for tick in ticks)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]), (3.0, 47.0, [10.0, 20.0, 30.0, 40.0]), (0.0, 2e-4, None)],
)
def test_ticks_stand_at_round_values(low, high, expected) -> None:
    values, step = round_values(low, high)
    assert len(values) <= 7
    assert expected is None or values == pytest.approx(expected)
    assert all(math.isclose(value / step, round(value / step), abs_tol=1e-6) for value in values)


def test_ticks_are_written_with_as_many_digits_as_they_need() -> None:
    written = [tick.text for tick in Axis("share", 0.9, 1.0, 0, 100, percent=True).ticks]
    assert written == ["90%", "92%", "94%", "96%", "98%", "100%"]
    assert [tick.text for tick in Axis("updates", 0, 50_000, 0, 100).ticks][-1] == "50k"


def test_a_single_value_has_a_range() -> None:
    low, high = bounds([3.0, 3.0])
    assert low < 3.0 < high
    assert bounds([]) == (0.0, 1.0)


def test_a_chart_says_in_words_what_it_shows() -> None:
    chart = line_chart(MEAN, [Line("mean", [(1, 0.5), (2, 0.9), (3, 0.7)])])
    assert chart is not None
    assert chart.description == (
        "mean by length. mean: 0.5 at 1, 0.7 at 3, lowest 0.5 at 1, highest 0.9 at 2."
    )
    assert line_chart(MEAN, [Line("mean", [])]) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
        ("half \ud800", "half \\ud800"),
        ("two\nlines", "two\nlines"),
        ("ÄÖ 北京", "ÄÖ 北京"),
    ],
)
def test_nothing_works_in_secret(text, shown) -> None:
    assert visible(text) == shown


def test_every_template_escapes_what_it_shows() -> None:
    found = (
        environment().from_string("{{ text }}<i title='{{ text }}'>").render(text="<script>'\x1b\"</script>")
    )
    assert "<script>" not in found
    assert "\x1b" not in found
    assert found.count("&#39;") == 2


def test_names_are_one_line_and_short() -> None:
    assert short("a\nb") == "a b"
    assert (short(" "), short("")) == ("␣", "")
    assert len(short("x" * 100)) == 40


def test_formulas_have_arrows_and_indices() -> None:
    assert formula("x_1 ... x_{t+1} -> <b>") == "x<sub>1</sub> … x<sub>t+1</sub> → &lt;b&gt;"
    assert lowered("h_T") == 'h<tspan dy="4" font-size="10">T</tspan>'


def test_a_network_is_drawn_with_its_steps_and_a_description() -> None:
    drawn = str(draw_network(many_to_one("label"), True, "x -> h -> label"))
    assert drawn.count("<rect") == 3
    assert "x -&gt; h -&gt; label" in drawn
    assert ">label<" in drawn


def test_an_encoder_is_read_from_both_ends_and_a_decoder_from_one() -> None:
    steps = writing(*encoder())
    drawn = str(draw_network(steps, True, ""))
    forwards = [step for step in steps[1:] if not step.decodes]
    assert drawn.count("H") == len(steps) - 1 + len(forwards)
    paper = Paper(80, ascii=True)
    states = [*paper.network(steps, True)][2]
    assert re.sub(" +", " ", states) == " [e_1] <-> ... <-> [e_S] -> [d_1] -> [d_2] -> ..."
    assert "<->" not in [*paper.network(steps, False)][2]


def test_a_line_ends_where_it_leaves_the_range_of_its_frame() -> None:
    points = [(0.0, 0.0), (1.0, -2.0), (2.0, -4.0), (3.0, -7.0)]
    chart = line_chart(Frame("", "x", "y", y_range=(-4, 0), y_power=True), [Line("reach", points)])
    assert [mark.y for mark in chart.lines[0].marks] == [chart.y.position(y) for _, y in points[:3]]
    assert line_chart(Frame("", "x", "y", y_range=(-4, 0)), [Line("gone", [(0.0, -9.0)])]) is None


def test_an_axis_of_powers_always_has_numbers_to_read_by() -> None:
    texts = [tick.text for tick in Axis("y", -4, 0, 190, 18, True, power=True).ticks]
    assert texts == ["0.01%", "0.1%", "1%", "10%", "100%"]
    texts = [tick.text for tick in Axis("y", 1.7, 1.9, 190, 18, power=True).ticks]
    assert texts[0] == "50.1"
    assert all(texts)
