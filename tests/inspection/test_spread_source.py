"""Blocks of a large file: whole rows, wherever a block is cut, and all lines compared."""

from __future__ import annotations

import csv
import random

import pytest

from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.source import Source
from seqrnn.inspection import spread_source
from seqrnn.inspection.spread_source import spread, step_of


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(spread_source, "BLOCK", 97)
    monkeypatch.setattr(spread_source, "WHOLE", 2000)
    monkeypatch.setattr(spread_source, "ROOM", 1000)


@pytest.fixture
def table(tmp_path):
    """A CSV of 400 rows, some of several lines, and its rows."""
    draw = random.Random(4)
    rows = [
        (
            f'row {number} "{"x" * draw.randrange(30)}"' + "\nmore, of it" * draw.choice([0, 0, 1, 4]),
            "ab"[number % 2],
        )
        for number in range(400)
    ]
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("text", "label"), *rows])
    return Source((str(path),), format="csv", text_column="text", label_column="label", header="yes"), rows


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_rows_are_whole_and_have_their_lines(table, step):
    source, rows = table
    read = list(read_records(spread(source, step, lambda _: None)))
    whole = {record.line: record for record in read_records(source)}
    assert [record.source for record in whole.values()] == [text for text, _ in rows]
    assert all(record == whole[record.line] for record in read)
    assert len(rows) / step / 2 < len(read) <= len(rows)
    assert step > 1 or len(read) == len(rows)


def test_every_line_is_watched_once(table):
    source, _ = table
    seen = []
    list(read_records(spread(source, 5, seen.append)))
    with open(source.paths[0], "rb") as file:
        lines = file.read().splitlines()
    assert [line for block in seen for line in block.lines] == lines
    assert [block.line for block in seen][:1] == [0]


@pytest.mark.parametrize("layout", ["tsv", "lines", "text", "conll"])
def test_other_files_are_cut_between_lines(tmp_path, layout):
    path = tmp_path / "file"
    path.write_text("".join(f"token{number}\tN\n{'' if number % 5 else chr(10)}" for number in range(300)))
    source = Source((str(path),), format=layout)
    assert step_of(source) > 1
    read = list(read_records(spread(source, 3, lambda _: None)))
    known = path.read_text().split("\n")
    assert len(read) < sum(1 for _ in read_records(source))
    for record in read:
        assert known[record.line - 1].startswith(record.source.split()[0] if record.source.strip() else "")


def test_what_cannot_be_cut_is_read_as_a_whole(tmp_path):
    path = tmp_path / "list.json"
    path.write_text("[" + ", ".join('{"text": "a", "label": "b"}' for _ in range(200)) + "]")
    assert step_of(Source((str(path),), format="json")) == 1
    assert step_of(Source((str(path),), str(path), format="parallel")) == 1
    assert step_of(Source((str(path),), format="csv", series_column="id")) == 1
