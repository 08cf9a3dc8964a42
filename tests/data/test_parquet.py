"""Parquet files, written by pyarrow."""

from __future__ import annotations

import datetime
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.formats.registry import format_named
from seqrnn.data.source import Source
from seqrnn.errors import DataError, UsageError
from seqrnn.inference import infer

pyarrow = pytest.importorskip("pyarrow")


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function: columns, keys of Source -> the source."""
    monkeypatch.chdir(tmp_path)

    def write_source(columns: dict[str, Any], **keys: Any) -> Source:
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table(columns), "a.parquet", row_group_size=2)
        return Source(("a.parquet",), **{"format": "parquet", **keys})

    return write_source


def test_rows_of_all_groups_are_read_with_their_numbers(write):
    source = write({"text": ["a", "b", None, "é"], "label": ["x", "y", "x", None]})
    with pytest.raises(DataError, match=r'a\.parquet:3: "text" is no text'):
        list(read_records(source))
    records = list(read_records(write({"text": ["a", "b", "é"], "label": ["x", "y", None]})))
    assert [(r.source, r.targets, r.location) for r in records] == [
        ("a", ("x",), "a.parquet:1"),
        ("b", ("y",), "a.parquet:2"),
        ("é", (), "a.parquet:3"),
    ]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([3, 1], ["3", "1"]),
        ([True, False], ["true", "false"]),
        ([1.5, 2.0], ["1.5", "2.0"]),
        ([Decimal("1.5"), Decimal("2")], ["1.5", "2.0"]),
        (
            [datetime.datetime(2024, 1, 2, 3), datetime.datetime(2024, 1, 3)],
            ["2024-01-02T03:00:00", "2024-01-03T00:00:00"],
        ),
        ([datetime.date(2024, 1, 2), None], ["2024-01-02"]),
        ([b"x", "é".encode()], ["x", "é"]),
        (pyarrow.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
    ],
)
def test_cells_of_all_types_are_labels(write, labels: Any, expected: list[str]):
    records = read_records(write({"text": ["a", "b"], "label": labels}))
    assert [target for record in records for target in record.targets] == expected


def test_tokens_and_tags_are_lists(write):
    source = write({"tokens": [["a", "b"], ["c", "d"]] * 5, "ner_tags": [[0, 1], [1, 0]] * 5}, format="auto")
    found = infer(source, None)
    assert (found.task, found.format) == ("tagging", "parquet")
    assert next(iter(read_records(found.source)))[:2] == ("a b", ("0", "1"))


def test_numbers_are_features(write):
    source = write(
        {"a": [0.5, 1.5, 3.5] * 9, "b": [1, 5, 2] * 9, "label": ["x", "y", "x"] * 9}, format="auto"
    )
    found = infer(source, None)
    assert (found.task, found.source_kind) == ("classification", "vector")
    assert next(iter(read_records(found.source))).steps == [[0.5, 1.0]]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"text\tlabel\n" * 9])
def test_what_is_no_parquet_is_an_error(tmp_path: Path, content: bytes):
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.parquet: no parquet file, or a damaged one; "):
        list(read_records(Source((str(path),), format="parquet")))


def test_damaged_data_are_an_error(write):
    source = write({"text": ["a b c d" * 9, "b"], "label": ["x", "y"]})
    content = bytearray(Path("a.parquet").read_bytes())
    content[4:60] = b"\xff" * 56
    Path("a.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"^a\.parquet:1: damaged parquet data"):
        list(read_records(source))


def test_a_missing_file_is_an_error():
    with pytest.raises(DataError, match=r"absent\.parquet: No such file or directory; "):
        list(read_records(Source(("absent.parquet",), format="parquet")))


def test_without_pyarrow_the_way_to_install_it_is_told(write, monkeypatch: pytest.MonkeyPatch):
    source = write({"text": ["a"], "label": ["x"]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"a\.parquet: install pyarrow, .*pip install 'seqrnn\[parquet\]'"):
        list(read_records(source))


def test_pyarrow_is_imported_only_where_it_is_used():
    code = (
        "import sys, seqrnn.inference, seqrnn.data.formats.parquet\n"
        "from seqrnn.data.formats.registry import format_of_name\n"
        "assert format_of_name('a.parquet') == 'parquet'\n"
        "assert 'pyarrow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "cells", "kind", "steps"),
    [
        ("x", [[1.0, 2.0], [3.0, 4.0]], "vector", [[1, 2]]),
        ("x", [[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]], "vectors", [[1, 2]]),
        ("vectors", [[1, 2], [3]], "vectors", [[1], [2]]),
    ],
)
def test_lists_of_numbers_are_the_input_of_their_rows(write, name, cells, kind, steps):
    columns = {name: cells * 20, "label": ["a", "b"] * 20, "n": [0.5] * 40}
    found = infer(write(columns, format="auto"), None)
    assert (found.task, found.source_kind, found.source.label_column) == ("classification", kind, "label")
    trained = replace(found.source, kind=kind)
    first = next(iter(read_records(trained)))
    assert (first.steps, first.targets) == (steps, ("a",))
    asked = format_named("parquet").asked("a.parquet", trained, trained.lines)
    assert next(record.steps for _, record in asked.rows) == steps


def test_a_list_of_numbers_beside_a_text_is_left_out(write):
    texts = [f"text {n} of some words" for n in range(40)]
    columns = {"emb": [[0.5, 1.0]] * 40, "text": texts, "label": ["a", "b"] * 20}
    found = infer(write(columns, format="auto"), None)
    assert (found.source_kind, found.source.text_column) == ("text", "text")
    assert next(iter(read_records(found.source))).source == texts[0]
