"""JSON files: lists of objects, read piece by piece."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.formats.registry import format_of_lines, format_of_name
from seqrnn.data.source import Source
from seqrnn.errors import DataError

ROWS: list[dict[str, Any]] = [{"q": "good [", "a": "x"}, {"q": 'so\n "so', "a": "y"}, {"q": "é", "a": "x"}]
LINES = "\n".join(map(json.dumps, ROWS))


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function: the text of a file, keys of Source -> source, targets and line of each record."""
    monkeypatch.chdir(tmp_path)

    def read_file(text: str | bytes, **keys: Any) -> list[tuple[Any, ...]]:
        Path("a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        source = Source(("a.json",), **{"format": "json", "text_column": "q", "label_column": "a", **keys})
        return [(record.source, record.targets, record.line) for record in read_records(source)]

    return read_file


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2, ensure_ascii=False),
        LINES,
        LINES + "\n\n",
        "\n".join(json.dumps(row, indent=1) for row in ROWS),
        json.dumps({"data": ROWS}),
        json.dumps(
            {"version": 1.5, "names": ["x", "y"], "none": [], "data": ROWS, "end": {"a": [1]}}, indent=3
        ),
    ],
)
def test_objects_are_found_wherever_they_are(read, monkeypatch, text: str, size: int):
    real = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, _: real(descriptor, size))
    found = read(text)
    assert [row[:2] for row in found] == [(row["q"], (row["a"],)) for row in ROWS]


def test_lines_are_those_where_objects_begin(read):
    assert [line for *_, line in read('[\n{"q": "a",\n"a": "x"},\n\n {"q": "b", "a": "y"}]')] == [2, 5]


def test_an_object_without_a_list_of_objects_is_a_row(read):
    assert read('{"q": ["a", "b"],\n "a": [1, 2]}') == [("a b", ("1", "2"), 1)]


def test_fields_within_objects_are_chosen_by_dotted_names(read):
    text = json.dumps([{"in": {"text": "a"}, "out": {"y": {"z": "x"}}}])
    assert read(text, text_column="in.text", label_column="out.y.z") == [("a", ("x",), 1)]


def test_utf_16_is_read(read):
    assert read(json.dumps(ROWS, ensure_ascii=False).encode("utf-16"))[2][0] == "é"


def test_a_long_list_on_one_line_is_read(read):
    row = {"q": "w" * 1000, "a": "x"}
    assert len(read(json.dumps([row] * 20_000))) == 20_000  # 20 MB


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[{"q": "a", "a": "x"},\n{"q": "b" "a": "y"}]',
            "a.json:2: not valid JSON: Expecting ',' delimiter; ",
        ),
        ('[{"q": "a", "a": "x"}\n{"q": "b"}]', "a.json:2: not valid JSON: '{' where ',' is expected; "),
        ('[{"q": "a", "a": "x"},\n]', "a.json:2: not valid JSON: a comma before the end of a list; "),
        ('[{"q": "a", "a": "x"}', "a.json:1: not valid JSON: the end of the file where ',' is expected; "),
        ('[{"q": "a", "a": "x"}]\n[]', "a.json:2: not valid JSON: '[' after the end of the list; "),
        ("[1, 2]", "a.json:1: a JSON int, expected an object; "),
        ('"text"', "a.json:1: not valid JSON: '\"' where '{' is expected; "),
        ('[{"q": "a", "q": "b"}]', 'a.json:1: not valid JSON: the key "q" occurs twice'),
        ('[{"q": "a", "a": NaN}]', "a.json:1: not valid JSON: NaN is no JSON number"),
        (
            '{"b": [{"q": "a", "a": "x"}],\n"c": [{"q": "a", "a": "x"}]}',
            'a.json:2: two lists of objects, "b" and "c"',
        ),
        (
            '{"data": [[1, 2], [3, 4]], "target": [0, 1]}',
            "a.json:1: an object with lists or columns, and no rows; give a",
        ),
        (
            '{"q": [0.5, 2], "a": ["x", "y"]}',
            "a.json:1: an object with lists or columns, and no rows; give a list of",
        ),
        (
            '{"q": {"0": 1, "1": 2}, "a": {"0": 3, "1": 4}}',
            "a.json:1: an object with lists or columns, and no rows; ",
        ),
        (b'[{"q": "caf\xe9", "a": "x"}]', "a.json:1:12: not UTF-8 (byte 0xe9)"),
    ],
)
def test_what_is_no_list_of_objects_is_an_error_with_its_line(read, text: str | bytes, problem: str):
    with pytest.raises(DataError) as error:
        read(text)
    assert str(error.value).startswith(problem)
    assert "\n" not in str(error.value)


def test_json_is_known_by_its_extension_and_by_its_first_lines():
    assert format_of_name("x.json.gz") == "json"
    assert format_of_lines(json.dumps(ROWS).split("\n")) == "json"
    assert format_of_lines(json.dumps({"data": ROWS}, indent=1).split("\n")) == "json"
    assert format_of_lines(LINES.split("\n")) == "jsonl"
