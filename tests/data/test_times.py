"""The rows of a series are sorted by their times, however people write them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.formats.times import moment_of, natural_key
from seqrnn.data.source import Source
from seqrnn.errors import AmbiguousDataError, DataError
from seqrnn.inference import infer

IN_ORDER = {
    "points": ["9.1.2024", "31.1.2024", "1.2.2024", "01.12.2024"],
    "day first": ["09/01/2024", "31/01/2024", "01/02/2024", "1/12/2024"],
    "month first": ["1/9/2024 23:59", "1/31/2024 9:00", "1/31/2024 14:00", "12/1/2024 0:00"],
    "half days": ["1/13/24 9:05 AM", "1/13/24 2:05 PM", "1/13/24 11:00 pm", "2/1/24 12:00 AM"],
    "not padded": ["2024-1-9", "2024-1-10", "2024-2-1", "2024-12-1"],
    "zones": ["2024-01-01T10:00:00+02:00", "2024-01-01T09:00:00Z", "2024-01-01 9:30", "2024-01-02"],
    "months": ["9 Jan 2024", "10 January 2024", "1 Feb 2024", "2 Dec 2024"],
    "american": ["Jan 9, 2024", "January 10, 2024", "Feb 1, 2024", "Dec 2, 2024"],
    "clock": ["9:05", "10:00", "10:00:30", "23:59"],
    "numbers": ["9", "10", "100", "1e3"],
    "weeks": ["week 2", "week 9", "week 10", "week 11"],
}


def written(folder: Path, times: list[str], name: str = "when") -> Source:
    """Twenty series, whose values count up in the order of the times, in rows of any order."""
    rows = [
        f's{series},"{time}",{value},{"ab"[series % 2]}'
        for series in range(20)
        for value, time in enumerate(times)
    ]
    random.Random(1).shuffle(rows)
    (folder / "t.csv").write_text(f"id,{name},value,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return Source((str(folder / "t.csv"),))


@pytest.mark.parametrize("kind", IN_ORDER)
def test_steps_come_in_the_order_of_their_times(tmp_path, kind):
    found = infer(
        written(tmp_path, IN_ORDER[kind], "time" if kind in {"numbers", "weeks"} else "Datum"), None
    )
    assert (found.task, found.source_kind) == ("classification", "vectors")
    steps = [record.steps for record in read_records(found.source)]
    assert steps == [[[0.0], [1.0], [2.0], [3.0]]] * 20


def test_dates_that_may_be_either_are_asked_for(tmp_path):
    source = written(tmp_path, ["02/01/2024", "01/02/2024", "03/01/2024"])
    with pytest.raises(AmbiguousDataError, match="may begin with the day or with the month") as error:
        infer(source, None)
    assert error.value.readings == [{"data.date_order": "day-first"}, {"data.date_order": "month-first"}]
    for order, steps in (("day-first", [0.0, 2.0, 1.0]), ("month-first", [1.0, 0.0, 2.0])):
        chosen = infer(Source(source.paths, date_order=order), None).source
        assert [step for (step,) in next(iter(read_records(chosen))).steps] == steps


def test_dates_that_are_sorted_alike_either_way_need_no_question(tmp_path):
    found = infer(written(tmp_path, ["01/01/2024", "02/02/2024", "03/03/2024"]), None)
    assert next(iter(read_records(found.source))).steps == [[0.0], [1.0], [2.0]]


def test_a_date_that_there_is_not_is_named(tmp_path):
    source = written(tmp_path, ["45/13/2024", "02/02/2024"])
    with pytest.raises(DataError, match=r"t.csv:\d+: '45/13/2024' in the column 'when' is no date"):
        infer(Source(source.paths, time_column="when"), None)


@pytest.mark.parametrize("text", ["", "soon", "a 9:05", "32 Foo 2024", "2024-13-45"])
def test_other_texts_are_no_times(text):
    assert moment_of(text) is None


def test_numbers_in_texts_are_sorted_as_such():
    assert sorted(["t10", "t2", "T1", "a"], key=natural_key) == ["a", "T1", "t2", "t10"]
