"""Several labels of an example are told from their marks, lists and separators, and one label stays one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.source import Source, labels_in_list
from seqrnn.inference import Inference, infer

GENRES = ["drama", "comedy", "war", "comedy|drama", "war|drama", "comedy|war|drama"]


def table(cells: Sequence[str], mark: str = "\t", header: str = "text\tlabels") -> str:
    rows = [f"this is story number {n}\t{cells[n % len(cells)]}" for n in range(90)]
    return "".join(f"{row}\n" for row in [header, *rows]).replace("\t", mark)


def inferred(folder: Path, name: str, content: str, **settings) -> Inference:
    (folder / name).write_text(content, encoding="utf-8")
    return infer(Source((str(folder / name),)), None, **settings)


def labels(found: Inference) -> list[tuple[str, ...]]:
    return [record.labels for record in read_records(found.source)][: len(GENRES)]


SPLIT = [tuple(cell.split("|")) for cell in GENRES]
FILES = {
    "bars.tsv": table(GENRES),
    "semicolons.tsv": table([cell.replace("|", "; ") for cell in GENRES]),
    "commas.tsv": table([cell.replace("|", ", ") for cell in GENRES]),
    "json.tsv": table([json.dumps(cell.split("|")) for cell in GENRES]),
    "python.tsv": table([str(cell.split("|")) for cell in GENRES]),
    "semicolons.csv": table([f'"{cell.replace("|", ",")}"' for cell in GENRES], ";"),
    "lists.jsonl": "".join(
        json.dumps({"text": f"this is story number {n}", "genres": GENRES[n % 6].split("|")}) + "\n"
        for n in range(90)
    ),
    "marks.txt": "".join(
        f"this is story {n} " + " ".join(f"__label__{label}" for label in GENRES[n % 6].split("|")) + "\n"
        for n in range(90)
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_they_are_read_as_several_and_that_is_told(tmp_path, name):
    found = inferred(tmp_path, name, FILES[name])
    assert (found.task, found.settings["data.multi_label"]) == ("classification", True)
    assert any(note.startswith("several labels: ") for note in found.notes)
    assert labels(found) == SPLIT


@pytest.mark.parametrize("name", ["bars.tsv", "commas.tsv"])
def test_a_user_can_have_each_combination_as_one(tmp_path, name):
    found = inferred(tmp_path, name, FILES[name], given={"data.multi_label"})
    assert "data.multi_label" not in found.settings
    assert all(len(one) == 1 for one in labels(found))


@pytest.mark.parametrize(
    "cells",
    [
        ["New York, NY", "Austin, TX", "Boston, MA"],  # each always with the same
        ["positive", "negative"],
        ["yes, please", "no, thanks", "no"],
        ["R&B/soul", "rock"],
        ["1,5", "2,5", "1,0"],
        ["[none]", "some"],
    ],
)
def test_separators_within_a_name_are_a_part_of_it(tmp_path, cells):
    found = inferred(tmp_path, "t.tsv", table(cells))
    assert "data.multi_label" not in found.settings
    assert found.task in {"classification", "regression"}


def test_other_right_answers_are_no_labels(tmp_path):
    draw = ["ba", "de", "gi", "ko", "lu"]
    words = [a + b + c for a in draw for b in draw for c in draw]
    rows = "".join(json.dumps({"src": w, "trg": [" ".join(w), " ".join(w[::-1])]}) + "\n" for w in words)
    found = inferred(tmp_path, "t.jsonl", rows)
    assert (found.task, found.settings.get("data.multi_label")) == ("seq2seq", None)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ('["a", "b c"]', ["a", "b c"]),
        ("['a', \"it's\"]", ["a", "it's"]),
        ("[]", []),
        ("[1, 2]", None),
        ("[a]", None),
        ("a", None),
    ],
)
def test_lists_in_cells(cell, found):
    assert labels_in_list(cell) == found


def test_an_example_may_bear_no_label_and_the_separator_is_found_where_it_is_not_given(tmp_path):
    content = table([*(cell.replace("|", ";") for cell in GENRES), ""])
    found = inferred(tmp_path, "a.tsv", content)
    assert found.settings["data.label_separator"] == ";"
    source = Source((str(tmp_path / "a.tsv"),), multi_label=True)
    asked = infer(source, None, {"data.multi_label"})
    assert asked.settings["data.label_separator"] == ";"
    exact = infer(source, None, {"data.multi_label", "data.label_separator"})
    assert exact.source.label_separator == ","
