"""Tables whose cells name files of text: told from the files that are there, and read in their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.formats.registry import format_named
from seqrnn.data.source import Source
from seqrnn.errors import DataError
from seqrnn.inference import infer

ROWS = [(f"texts/{number}.txt", "ab"[number % 2]) for number in range(30)]
CONTENTS: dict[str, Callable[[], str]] = {
    "list.csv": lambda: "filename,label\n" + "".join(f"{path},{label}\n" for path, label in ROWS),
    "list.tsv": lambda: "".join(f"{path}\t{label}\n" for path, label in ROWS),
    "list.jsonl": lambda: "".join(f'{{"doc": "{path}", "label": "{label}"}}\n' for path, label in ROWS),
}


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "texts").mkdir()
    for path, label in ROWS:
        (tmp_path / path).write_text(f"what {label} says\nin {path}\n", encoding="utf-8")
    return tmp_path


def written(folder: Path, name: str, content: str) -> Source:
    (folder / name).write_text(content, encoding="utf-8")
    return Source((str(folder / name),))


@pytest.mark.parametrize("name", CONTENTS)
def test_the_files_are_read_and_that_is_told(folder, name):
    found = infer(written(folder, name, CONTENTS[name]()), None)
    assert (found.task, found.source_kind, found.source.text_in) == ("classification", "text", "files")
    assert "its cells name text files, which are read" in found.notes[0]
    first = next(iter(read_records(found.source)))
    assert (first.source, first.targets) == ("what a says\nin texts/0.txt", ("a",))


def test_another_table_is_read_by_what_it_holds(folder):
    trained = infer(written(folder, "list.csv", CONTENTS["list.csv"]()), None).source
    other = written(folder, "texts.csv", "filename,label\nwhat a says,a\nwhat b says,b\n")
    there = replace(trained.as_trained(), paths=other.paths)
    assert [record.source for record in read_records(there)] == ["what a says", "what b says"]
    again = replace(trained.as_trained(), paths=trained.paths)
    assert next(iter(read_records(again))).source.startswith("what a says\nin")


def test_names_can_be_read_as_they_are(folder):
    source = replace(written(folder, "list.csv", CONTENTS["list.csv"]()), text_in="cells")
    assert next(iter(read_records(infer(source, None).source))).source == "texts/0.txt"


def test_texts_beside_their_paths_come_first(folder):
    rows = "".join(f"{path},this is what it says {n},{label}\n" for n, (path, label) in enumerate(ROWS))
    found = infer(written(folder, "both.csv", f"path,says,label\n{rows}"), None)
    assert (found.source.text_column, found.source.text_in) == ("says", "auto")


@pytest.mark.parametrize("missing", [1, len(ROWS)])
def test_a_file_that_is_not_there_is_named(folder, missing):
    content = CONTENTS["list.csv"]()
    for path, _ in ROWS[-missing:]:
        content = content.replace(f"{path},", f"no/{path},")
    line = len(ROWS) + 2 - missing
    with pytest.raises(DataError, match=rf"list.csv:{line}: '.*no/texts/.*': No such file"):
        list(read_records(infer(written(folder, "list.csv", content), None).source))


def test_a_row_whose_file_is_missing_has_no_answer(folder):
    source = written(folder, "list.csv", CONTENTS["list.csv"]().replace("texts/1.txt", "texts/none.txt"))
    source = replace(source, format="csv", text_column="filename", kind="text")
    csv, path = format_named("csv"), source.paths[0]
    rows = list(csv.answerable(csv.table(path, source, source.lines), path, source, source.lines))
    assert [record is None for _, record in rows[:3]] == [False, True, False]
    assert rows[1][0].error.startswith(f"'{folder}/texts/none.txt': No such file")
