"""Several columns of 0 and 1 are labels that an example bears or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.source import Source
from seqrnn.errors import DataError
from seqrnn.inference import infer

ROWS = [
    {"text": f"some words {n}", "a": n % 2, "b": int(n % 3 == 0), "c": int(n % 5 == 0)} for n in range(20)
]
CSV = "text,a,b,c\n" + "".join(f"{row['text']},{row['a']},{row['b']},{row['c']}\n" for row in ROWS)
JSON_LINES = "\n".join(json.dumps({**row, "b": bool(row["b"])}) for row in ROWS)


@pytest.mark.parametrize(
    ("name", "content"), [("x.csv", CSV), ("x.jsonl", JSON_LINES), ("x.json", json.dumps(ROWS))]
)
def test_columns_of_0_and_1_are_several_labels(tmp_path: Path, name: str, content: str):
    (tmp_path / name).write_text(content)
    found = infer(Source((str(tmp_path / name),), label_column="a,b,c"), None)
    assert (found.task, found.settings["data.multi_label"]) == ("classification", True)
    expected = [tuple(key for key in "abc" if row[key]) for row in ROWS]
    assert [record.targets for record in read_records(found.source)] == expected


@pytest.mark.parametrize(("task", "content"), [("seq2seq", CSV), (None, CSV.replace(",1\n", ",x\n"))])
def test_other_columns_are_not(tmp_path: Path, task: str | None, content: str):
    (tmp_path / "x.csv").write_text(content)
    source = Source((str(tmp_path / "x.csv"),), label_column="a,b,c")
    settings: dict[str, Any] = dict(infer(source, task).settings)
    assert "data.multi_label" not in settings


def test_columns_are_found_by_their_names_in_another_order(tmp_path: Path):
    (tmp_path / "x.csv").write_text("c,more,b,text,a\n0,z,1,some words,1\n")
    keys: dict[str, Any] = {
        "text_column": "text",
        "label_column": "a,b,c",
        "multi_label": True,
        "header": "yes",
    }
    source = Source((str(tmp_path / "x.csv"),), format="csv", **keys)
    assert [record[:2] for record in read_records(source)] == [("some words", ("a", "b"))]
    (tmp_path / "x.csv").write_text("c,text,a\n0,some words,1\n")
    with pytest.raises(
        DataError, match=r'x\.csv:1: no column "b", the columns are c, text, a; use `data.label_column`'
    ):
        list(read_records(source))
